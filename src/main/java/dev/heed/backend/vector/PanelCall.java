package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.ScoreStage;
import dev.heed.backend.vector.kernels.Tiles;
import dev.heed.backend.vector.storage.Bf16Panels;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.mask.BoundMask;
import dev.heed.mask.Mask;
import dev.heed.mask.TileCover;
import dev.heed.random.Philox;
import org.jspecify.annotations.Nullable;

/**
 * The state shared by all panels of one call: inputs, mask, score modifier, tile sizes, and the arrays of keys and
 * values.
 */
final class PanelCall {
    final AttentionInputs inputs;
    final AttentionOptions options;
    final AttentionShape shape;
    final BoundMask mask;
    final ScoreModifier modifier;

    /** The pairwise score function; null for a dot product. */
    final @Nullable Meeting meeting;

    /** Whether native kernels compute the bf16 products of the call. */
    final boolean bf16;

    final Tiles.Prefill tiles;
    final float @Nullable [] keyArray;
    final float @Nullable [] valueArray;

    PanelCall(AttentionInputs inputs) {
        this(inputs, inputs.options(), false);
    }

    /** {@return the call of a forward pass that writes only the output and the LSE} */
    static PanelCall plain(AttentionInputs inputs) {
        return new PanelCall(inputs, inputs.options(), true);
    }

    private PanelCall(AttentionInputs inputs, AttentionOptions options, boolean plain) {
        this.inputs = inputs;
        this.options = options;
        this.shape = inputs.problem().shape();
        this.mask = options.mask().on(shape.seqLenQ(), shape.seqLenKv());
        this.modifier = new ScoreModifier(shape, options);
        this.meeting = Meeting.of(options.score(), shape);
        this.bf16 = plain && meeting == null && Bf16Panels.serve(inputs);
        this.tiles = Tiles.prefill(shape.headDim(), bf16);
        this.keyArray = Rows.array(inputs.key());
        this.valueArray = Rows.array(inputs.value());
    }

    /**
     * {@return a call that computes scores only up to a stage before the last: without bias, ALiBi and mask, and for SCORE
     * also without softcap}
     */
    PanelCall upTo(ScoreStage stage) {
        AttentionOptions bare = options.withBias(null).withAlibi(null).withMask(Mask.NONE);
        return new PanelCall(inputs, stage == ScoreStage.SCORE ? bare.withSoftcap(null) : bare, false);
    }

    /** Moves a panel to the queries that begin at index {@code from}, and packs them. */
    void moveTo(Panel panel, long batch, long head, long from) {
        panel.moveTo(mask, batch, head, from, shape.seqLenQ());
        if (bf16) {
            panel.packPairs(inputs.query(), modifier.sign < 0);
        } else {
            panel.packQueries(inputs.query(), modifier.sign);
        }
    }

    /**
     * Modifies and masks the raw scores of a tile; returns whether any score may be minus infinity because it is
     * masked.
     */
    boolean modify(Panel panel, float[] tile, int at, long keyFrom, int keys, TileCover cover) {
        if (modifier.active) {
            modifier.apply(panel, tile, at, keyFrom, keys);
        }
        if (cover == TileCover.PARTIAL) {
            maskScores(panel, tile, at, keyFrom, keys);
        }
        return cover == TileCover.PARTIAL || modifier.mayMask();
    }

    /** Sets the scores of masked keys to minus infinity. */
    void maskScores(Panel panel, float[] tile, int at, long keyFrom, int keys) {
        mask.maskScores(panel.batch, panel.head, panel.from, panel.to(), keyFrom, keyFrom + keys, tile, at, PANEL);
    }

    /**
     * Applies dropout with probability {@code p} to the weights of a tile, or to their gradients: sets each cell to 0 or
     * multiplies it by {@code 1 / (1 - p)}.
     */
    void drop(Panel panel, float[] tile, int at, long keyFrom, int keys) {
        double p = options.dropout();
        float keepScale = (float) (1 / (1 - p));
        for (int j = 0; j < keys; j++) {
            for (int i = 0; i < panel.queries; i++) {
                boolean dropped =
                        Philox.uniform(options.seed(), panel.batch, panel.head, panel.from + i, keyFrom + j) < p;
                int cell = at + j * PANEL + i;
                tile[cell] = dropped ? 0 : tile[cell] * keepScale;
            }
        }
    }
}
