package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.KERNELS;

import dev.heed.AttentionInputs;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.storage.HeadWaves;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.SplitRange;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.Tensor;
import java.util.Arrays;

/**
 * Attention in f64 for few queries and many keys. A task is one split of one key/value head, for all query heads that share
 * the head: the first query head loads the split into the cache, and the others find it there.
 *
 * <p>A split is a slice of the keys; the splits do not depend on the number of threads. Each split yields one partial
 * attention state per row (max, sum, weighted values). The states are merged in key order.
 */
public final class F64Decode {
    /** Keys per split, a multiple of the tile: with headDim 128, the keys and values of a split take half a megabyte. */
    private static final int SPLIT = 4 * F64Call.TILE;

    /**
     * Maximum queries. With more, {@link F64Attention} has enough panels to keep the threads busy. At every vector width, a
     * panel has at least this number of lanes, so one panel holds all queries of a head.
     */
    private static final int QUERIES = 8;

    /** Maximum doubles in the partial attention states of one wave of heads (see {@link HeadWaves}): 64 MB. */
    private static final double MAX_STATE_ELEMENTS = 1 << 23;

    private final F64Call call;
    private final AttentionResult result;
    private final AttentionShape shape;
    private final int rows;

    /** {@code valueHeadDim}, rounded up to whole vectors. */
    private final int width;

    private final SplitRange range;
    private final int splits;
    private final double[] maxima;
    private final double[] sums;
    private final double[] weighted;
    private int firstHead;

    /** Memory for the partial attention states of one wave. It grows as needed, and a plan keeps it for its next call. */
    public static final class States {
        private double[] maxima = new double[0];
        private double[] sums = new double[0];
        private double[] weighted = new double[0];
    }

    private F64Decode(AttentionInputs inputs, AttentionResult result, int heads, States states) {
        this.call = new F64Call(inputs);
        this.result = result;
        this.shape = call.shape;
        this.rows = Math.toIntExact(shape.groupSize() * shape.seqLenQ());
        this.width = F64Lanes.lanes(shape.valueHeadDim());
        this.range = SplitRange.attended(call.mask, shape, SPLIT);
        this.splits = range.count();
        int count = heads * splits * rows;
        states.maxima = ArrayGrowth.atLeast(states.maxima, count);
        states.sums = ArrayGrowth.atLeast(states.sums, count);
        states.weighted = ArrayGrowth.atLeast(states.weighted, Math.multiplyExact(count, width));
        this.maxima = states.maxima;
        this.sums = states.sums;
        this.weighted = states.weighted;
    }

    /**
     * Whether this driver supports the problem. The answer does not depend on the batch size or the number of heads, because
     * the bits of a result must not depend on them.
     */
    public static boolean fits(AttentionProblem p) {
        AttentionShape s = p.shape();
        return s.seqLenQ() <= QUERIES
                && s.seqLenKv() > SPLIT
                && statesPerHead(s) / s.groupSize() <= MAX_STATE_ELEMENTS / 4
                && p.dropout() == 0
                && p.outputs().onlyOutputAndLse();
    }

    private static int splits(AttentionShape s) {
        return Math.toIntExact(Math.ceilDiv(s.seqLenKv(), SPLIT));
    }

    /** Doubles in the states of one key/value head. */
    private static double statesPerHead(AttentionShape s) {
        return (double) s.groupSize() * s.seqLenQ() * splits(s) * (F64Lanes.lanes(s.valueHeadDim()) + 2);
    }

    public static void run(AttentionInputs inputs, AttentionResult result, States states, Workers workers) {
        AttentionShape s = inputs.problem().shape();
        HeadWaves waves = HeadWaves.of(s, statesPerHead(s), MAX_STATE_ELEMENTS);
        F64Decode decode = new F64Decode(inputs, result, waves.wave(), states);
        Workers allowed = workers.allowedBy(inputs.tensors()).allowedBy(result.tensors());
        waves.run(allowed, decode.splits, first -> decode.firstHead = first, decode::split, decode::merge);
    }

    private void split(int task, Scratch threadScratch) {
        F64Scratch scratch = F64Scratch.of(threadScratch);
        int kvHead = firstHead + task / splits;
        long batch = kvHead / shape.numKvHeads();
        long from = (long) (range.first() + task % splits) * SPLIT;
        long to = Math.min(shape.seqLenKv(), from + SPLIT);
        int queries = (int) shape.seqLenQ();
        for (int first = 0; first < rows; first += queries) {
            F64Panel panel = new F64Panel(call, scratch, batch, queryHead(kvHead, first), 0, queries, from, to);
            panel.score(null);
            panel.weigh(Double.NEGATIVE_INFINITY); // the sink is added only once, in the merge
            int state = task * rows + first;
            System.arraycopy(scratch.maxima, 0, maxima, state, queries);
            System.arraycopy(scratch.sums, 0, sums, state, queries);
            Arrays.fill(weighted, state * width, (state + queries) * width, 0);
            for (int t = 0; t < panel.tiles; t++) {
                if (!scratch.empty[t]) {
                    pool(panel, t, state * width);
                }
            }
        }
    }

    /**
     * Adds {@code weighted [query][width] += weights' values} for a tile. The lanes of a vector are elements of a value, not
     * queries, because there are few queries.
     */
    private void pool(F64Panel panel, int tile, int to) {
        F64Scratch scratch = panel.scratch;
        F64Rows values = scratch.values;
        int keys = panel.keys(tile);
        if (width == shape.valueHeadDim()) {
            panel.loadValues(tile);
        } else {
            long kvHead = panel.head / shape.groupSize();
            values.copyOf(call.inputs.value(), panel.batch, kvHead, panel.keyFrom(tile), keys, width);
        }
        double[] w = scratch.weights;
        int at = panel.at(tile);
        int step = panel.lanes;
        int queries = panel.queries;
        if (scratch.masked[tile] && !values.finite(keys, width)) {
            KERNELS.accumulateAttended(
                    true,
                    w,
                    at,
                    1,
                    step,
                    queries,
                    values.data,
                    values.at,
                    values.step,
                    keys,
                    weighted,
                    to,
                    width,
                    width);
        } else {
            KERNELS.accumulate(
                    w, at, 1, step, queries, values.data, values.at, values.step, keys, weighted, to, width, width);
        }
    }

    private long queryHead(int kvHead, int row) {
        return kvHead % shape.numKvHeads() * shape.groupSize() + row / shape.seqLenQ();
    }

    /** Merges the states of one key/value head in key order, adds the sink, and writes the output and LSE of its rows. */
    private void merge(int slot, Scratch threadScratch) {
        F64Scratch scratch = F64Scratch.of(threadScratch);
        int kvHead = firstHead + slot;
        long batch = kvHead / shape.numKvHeads();
        Tensor output = result.output();
        int valueDim = (int) shape.valueHeadDim();
        scratch.row = ArrayGrowth.atLeast(scratch.row, width);
        for (int r = 0; r < rows; r++) {
            long head = queryHead(kvHead, r);
            long query = r % shape.seqLenQ();
            Tensor sink = call.options.sink();
            double logit = sink == null ? Double.NEGATIVE_INFINITY : sink.get(head);
            double max = logit;
            for (int p = 0; p < splits; p++) {
                int state = (slot * splits + p) * rows + r;
                max = sums[state] == 0 ? max : Math.max(max, maxima[state]);
            }
            boolean empty = max == Double.NEGATIVE_INFINITY;
            double sum = empty ? 0 : Math.exp(logit - max);
            Arrays.fill(scratch.row, 0, width, 0);
            for (int p = 0; p < splits; p++) {
                int state = (slot * splits + p) * rows + r;
                if (sums[state] != 0) {
                    double factor = Math.exp(maxima[state] - max);
                    sum += sums[state] * factor;
                    for (int d = 0; d < width; d++) {
                        scratch.row[d] += weighted[state * width + d] * factor;
                    }
                }
            }
            for (int d = 0; d < width && !empty; d++) {
                scratch.row[d] /= sum;
            }
            F64Rows.write(scratch.row, 0, output, output.position(batch, head, query, 0), output.stride(3), valueDim);
            result.setRowStatistics(max, sum, batch, head, query);
        }
    }
}
