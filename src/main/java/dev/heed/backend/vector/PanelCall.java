package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.PANEL;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.ScoreStage;
import dev.heed.mask.BoundMask;
import dev.heed.mask.Mask;
import dev.heed.random.Philox;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What every panel of one call shares: inputs, bound mask, modifiers, and where keys and values lie. */
final class PanelCall {
    /** Keys of one tile: a tile of scores and the accumulators stay in the first-level cache. */
    static final int TILE = 96;

    final AttentionInputs inputs;
    final AttentionOptions options;
    final AttentionShape shape;
    final BoundMask mask;
    final ScoreModifier modifier;
    final float @Nullable [] keyArray;
    final float @Nullable [] valueArray;

    PanelCall(AttentionInputs inputs) {
        this(inputs, inputs.options());
    }

    private PanelCall(AttentionInputs inputs, AttentionOptions options) {
        this.inputs = inputs;
        this.options = options;
        this.shape = inputs.problem().shape();
        this.mask = options.mask().on(shape.seqLenQ(), shape.seqLenKv());
        this.modifier = new ScoreModifier(shape, options);
        this.keyArray = Rows.array(inputs.key());
        this.valueArray = Rows.array(inputs.value());
    }

    /** The same call without what comes after a stage before the mask. */
    PanelCall upTo(ScoreStage stage) {
        AttentionOptions bare = options.withBias(null).withAlibi(null).withMask(Mask.NONE);
        return new PanelCall(inputs, stage == ScoreStage.SCORE ? bare.withSoftcap(null) : bare);
    }

    /** Puts queries into the lanes: element {@code d} of query {@code i} at {@code d * PANEL + i}, times a factor. */
    static void pack(
            Tensor tensor, long batch, long head, long from, int count, float factor, float[] row, float[] into) {
        int width = (int) tensor.size(3);
        Arrays.fill(into, 0, width * PANEL, 0);
        float[] array = Rows.array(tensor);
        for (int i = 0; i < count; i++) {
            long position = tensor.position(batch, head, from + i, 0);
            float[] source = row;
            int at = 0;
            if (array != null) {
                source = array;
                at = (int) (tensor.segment().address() / Float.BYTES + position);
            } else {
                Rows.read(tensor, position, tensor.stride(3), row, 0, width);
            }
            for (int d = 0; d < width; d++) {
                into[d * PANEL + i] = source[at + d] * factor;
            }
        }
    }

    /** Multiplies the weights of a tile by 0 or {@code 1 / (1 - p)}. */
    void drop(float[] tile, int at, long batch, long head, long queryFrom, int queries, long keyFrom, int keys) {
        double p = options.dropout();
        float kept = (float) (1 / (1 - p));
        for (int j = 0; j < keys; j++) {
            for (int i = 0; i < queries; i++) {
                boolean dropped = Philox.uniform(options.seed(), batch, head, queryFrom + i, keyFrom + j) < p;
                int cell = at + j * PANEL + i;
                tile[cell] = dropped ? 0 : tile[cell] * kept;
            }
        }
    }
}
