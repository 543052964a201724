package dev.heed.backend.vector;

import dev.heed.tensor.Tensor;
import java.util.Arrays;

/** Up to {@link Lanes#PANEL} queries of one head, in the lanes, and what is known of their rows so far. */
final class Panel {
    long batch;
    long head;

    /** The first query. */
    long from;

    /** How many lanes are in use. */
    int queries;

    /** The queries: element {@code d} of query {@code i} at {@code d * PANEL + i}. */
    float[] packed = new float[0];

    /** The scores of one tile of keys, then its weights: key {@code j} and query {@code i} at {@code j * PANEL + i}. */
    float[] tile = new float[0];

    /** Weighted sums of values: element {@code d} of query {@code i} at {@code d * PANEL + i}. */
    float[] sums = new float[0];

    /** Maxima, sums, factors and inverse sums, PANEL floats each; see {@link SoftmaxTile}. */
    float[] statistics = new float[0];

    /** One past the last query. */
    long to() {
        return from + queries;
    }

    /** Goes to other queries: packs them and forgets what was read. */
    void moveTo(PanelCall call, long batch, long head, long from, float[] row) {
        this.batch = batch;
        this.head = head;
        this.from = from;
        this.queries = (int) Math.min(Lanes.PANEL, call.shape.seqLenQ() - from);
        packed = Scratch.atLeast(packed, (int) call.shape.headDim() * Lanes.PANEL);
        tile = Scratch.atLeast(tile, PanelCall.TILE * Lanes.PANEL);
        statistics = Scratch.atLeast(statistics, 4 * Lanes.PANEL);
        pack(call.inputs.query(), call.modifier.sign, row, packed);
        Arrays.fill(statistics, 0, Lanes.PANEL, SoftmaxTile.NOTHING);
        Arrays.fill(statistics, Lanes.PANEL, 4 * Lanes.PANEL, 0);
    }

    void clearSums(int width) {
        sums = Scratch.atLeast(sums, width * Lanes.PANEL);
        Arrays.fill(sums, 0, width * Lanes.PANEL, 0);
    }

    /** Puts the panel's rows of a tensor into the lanes, times a factor; unused lanes are zero. */
    void pack(Tensor tensor, float factor, float[] row, float[] into) {
        int width = (int) tensor.size(3);
        Arrays.fill(into, 0, width * Lanes.PANEL, 0);
        float[] array = Rows.array(tensor);
        for (int i = 0; i < queries; i++) {
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
                into[d * Lanes.PANEL + i] = source[at + d] * factor;
            }
        }
    }
}
