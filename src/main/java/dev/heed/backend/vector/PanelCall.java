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

/** What every panel of one call shares: inputs, bound mask, modifiers, and where keys and values lie. */
final class PanelCall {
    final AttentionInputs inputs;
    final AttentionOptions options;
    final AttentionShape shape;
    final BoundMask mask;
    final ScoreModifier modifier;

    /** How rows meet; null for a dot product. */
    final @Nullable Meeting meeting;

    /** Whether native products take the queries as they are. */
    final boolean bf16;

    final Tiles.Prefill tiles;
    final float @Nullable [] keyArray;
    final float @Nullable [] valueArray;

    PanelCall(AttentionInputs inputs) {
        this(inputs, inputs.options(), false);
    }

    /** The call of a forward pass that keeps nothing but the output and the LSE. */
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
        this.tiles = Tiles.prefill(shape.headDim());
        this.keyArray = Rows.array(inputs.key());
        this.valueArray = Rows.array(inputs.value());
    }

    /** The same call without what comes after a stage before the mask. */
    PanelCall upTo(ScoreStage stage) {
        AttentionOptions bare = options.withBias(null).withAlibi(null).withMask(Mask.NONE);
        return new PanelCall(inputs, stage == ScoreStage.SCORE ? bare.withSoftcap(null) : bare, false);
    }

    /** Moves a panel to other queries and packs them. */
    void moveTo(Panel panel, long batch, long head, long from) {
        panel.moveTo(mask, batch, head, from, shape.seqLenQ(), tiles.tileKeys());
        if (bf16) {
            panel.packPairs(inputs.query(), modifier.sign < 0);
        } else {
            panel.packQueries(inputs.query(), modifier.sign);
        }
    }

    /** Turns what came of meeting into scores; returns whether some are minus infinity because they are hidden. */
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

    /** Multiplies the weights of a tile by 0 or {@code 1 / (1 - p)}. */
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
