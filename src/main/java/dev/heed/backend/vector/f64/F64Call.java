package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.KERNELS;
import static dev.heed.backend.vector.f64.F64Lanes.PANEL;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.mask.BoundMask;
import dev.heed.random.Philox;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The state shared by all panels of one f64 call (inputs, mask, arrays of keys and values), and the stages that compute the
 * scores of a tile. Each stage has the operations and roundings of its formula in docs/semantics.md.
 */
final class F64Call {
    /** Keys per tile; with headDim 64, the keys of a tile take 32 KB. */
    static final int TILE = 64;

    final AttentionInputs inputs;
    final AttentionOptions options;
    final AttentionShape shape;
    final BoundMask mask;
    final double scale;

    /** The pairwise score function; null for a dot product. */
    final @Nullable WideMeeting meeting;

    final @Nullable Double softcap;
    final double @Nullable [] valueArray;
    final double @Nullable [] keyArray;

    private final @Nullable Tensor bias;

    F64Call(AttentionInputs inputs) {
        this.inputs = inputs;
        this.options = inputs.options();
        this.shape = inputs.problem().shape();
        this.mask = options.mask().on(shape.seqLenQ(), shape.seqLenKv());
        this.scale = options.score().scale(shape.headDim());
        this.softcap = options.softcap();
        this.meeting = WideMeeting.of(options.score(), shape);
        this.bias = options.bias() == null
                ? null
                : options.bias().expand(shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.seqLenKv());
        this.keyArray = F64Rows.array(inputs.key());
        this.valueArray = F64Rows.array(inputs.value());
    }

    /**
     * Transposes {@code count} rows so that each row fills one lane: element {@code d} of row {@code i} is at
     * {@code d * lanes + i}, where {@code lanes} is {@code count} rounded up to whole vectors. Unused lanes are 0. The array
     * {@code earlier} is reused if it is long enough.
     */
    static double[] pack(
            Tensor tensor, long batch, long head, long from, int count, F64Scratch scratch, double[] earlier) {
        int width = (int) tensor.size(3);
        int lanes = F64Lanes.lanes(count);
        double[] packed = F64Scratch.cleared(earlier, width * lanes);
        scratch.row = ArrayGrowth.atLeast(scratch.row, width);
        for (int i = 0; i < count; i++) {
            F64Rows.read(tensor, tensor.position(batch, head, from + i, 0), tensor.stride(3), scratch.row, 0, width);
            for (int d = 0; d < width; d++) {
                packed[d * lanes + i] = scratch.row[d];
            }
        }
        return packed;
    }

    /**
     * Computes the scores of a tile: {@code scale * q.k}, or another pairwise score, which is not computed for cells that are
     * already minus infinity.
     */
    void score(
            F64Scratch scratch,
            long batch,
            long head,
            long keyFrom,
            int keys,
            double[] tile,
            int at,
            int lanes,
            int queries) {
        scratch.keys.load(inputs.key(), keyArray, batch, head / shape.groupSize(), keyFrom, keyFrom + keys);
        F64Rows rows = scratch.keys;
        if (meeting != null) {
            meeting.scores(head, rows, keys, scratch.packed, tile, at, lanes, queries);
            return;
        }
        KERNELS.dots(
                rows.data,
                rows.at,
                rows.step,
                1,
                keys,
                scratch.packed,
                0,
                lanes,
                (int) shape.headDim(),
                tile,
                at,
                lanes,
                lanes);
        for (int p = at; p < at + keys * lanes; p++) {
            tile[p] *= scale;
        }
    }

    /**
     * Applies the softcap {@code c tanh(s / c)}, if there is one, to the lanes in use; writes its derivative
     * {@code 1 - tanh^2(s / c)} to {@code derivatives}, if not null.
     */
    void cap(double[] tile, int at, int keys, int lanes, int queries, double @Nullable [] derivatives) {
        if (softcap == null) {
            return;
        }
        double c = softcap;
        for (int j = 0; j < keys; j++) {
            for (int i = 0; i < queries; i++) {
                int cell = at + j * lanes + i;
                tile[cell] = c * Math.tanh(tile[cell] / c);
                if (derivatives != null) {
                    double t = tile[cell] / c;
                    derivatives[cell] = 1 - t * t;
                }
            }
        }
    }

    /** Adds the bias and subtracts the ALiBi term; a bias of minus infinity masks any score, even NaN. */
    void addBias(
            double[] tile,
            int at,
            int lanes,
            long batch,
            long head,
            long queryFrom,
            int queries,
            long keyFrom,
            int keys) {
        if (bias != null) {
            long corner = bias.position(batch, head, queryFrom, keyFrom);
            for (int j = 0; j < keys; j++) {
                for (int i = 0; i < queries; i++) {
                    double added = bias.at(corner + i * bias.stride(2) + j * bias.stride(3));
                    int cell = at + j * lanes + i;
                    tile[cell] = added == Double.NEGATIVE_INFINITY ? added : tile[cell] + added;
                }
            }
        }
        double slope = options.alibiSlopes() == null ? 0 : options.alibiSlopes().get(head);
        if (slope != 0) {
            long nearest = queryFrom + shape.seqLenKv() - shape.seqLenQ() - keyFrom;
            for (int j = 0; j < keys; j++) {
                for (int i = 0; i < queries; i++) {
                    tile[at + j * lanes + i] -= slope * Math.abs(nearest + i - j);
                }
            }
        }
    }

    /** Sets the scores of masked cells to minus infinity. */
    void maskScores(
            F64Scratch scratch,
            double[] tile,
            int at,
            int lanes,
            long batch,
            long head,
            long queryFrom,
            int queries,
            long keyFrom,
            int keys) {
        int cells = keys * lanes;
        scratch.flags = ArrayGrowth.atLeast(scratch.flags, TILE * PANEL);
        Arrays.fill(scratch.flags, 0, cells, 0);
        mask.maskScores(batch, head, queryFrom, queryFrom + queries, keyFrom, keyFrom + keys, scratch.flags, 0, lanes);
        for (int p = 0; p < cells; p++) {
            tile[at + p] = scratch.flags[p] == 0 ? tile[at + p] : Double.NEGATIVE_INFINITY;
        }
    }

    /**
     * Applies dropout with probability {@code p}: sets each cell of a tile to {@link F64Kernels#MASKED_WEIGHT} or multiplies
     * it by {@code 1 / (1 - p)}.
     */
    void drop(
            double[] tile,
            int at,
            int lanes,
            long batch,
            long head,
            long queryFrom,
            int queries,
            long keyFrom,
            int keys) {
        double p = options.dropout();
        double keepScale = 1 / (1 - p);
        for (int j = 0; j < keys; j++) {
            for (int i = 0; i < queries; i++) {
                boolean dropped = Philox.uniform(options.seed(), batch, head, queryFrom + i, keyFrom + j) < p;
                int cell = at + j * lanes + i;
                tile[cell] = dropped ? F64Kernels.MASKED_WEIGHT : tile[cell] * keepScale;
            }
        }
    }
}
