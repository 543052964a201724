package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.AttentionInputs;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.backend.vector.f64.F64Decode;
import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.kernels.Kernels;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.PairRows;
import dev.heed.backend.vector.kernels.Tiles;
import dev.heed.backend.vector.storage.HeadWaves;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.SplitRange;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.mask.TileCover;
import dev.heed.score.ScoreKind;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Attention for few queries and many keys. Memory bandwidth is the limit, so every key and value is read from memory at
 * most once. A task computes one split of one key/value head, for all rows of the head. A row is one query of one of the
 * query heads that share the key/value head.
 *
 * <p>A split is a slice of the keys; its size does not depend on the number of threads. Each split yields one partial
 * attention state per row (max, sum, weighted values). The states are merged in key order.
 *
 * <p>A task reads its split in steps: it computes the scores of one step, then adds the weighted values. A step
 * consists of runs, contiguous ranges of keys.
 */
final class Decode {
    /** Maximum floats in the states of one wave of heads (see {@link HeadWaves}): 64 MB. */
    private static final double MAX_STATE_ELEMENTS = 1 << 24;

    /**
     * Maximum keys per step. Steps are long because each switch between keys and values breaks the prefetch streams. With
     * 64 keys per step, decode of one query reads at 69 % of the speed of a loop that only sums the same arrays; with 256
     * keys at 80 %, and with 1024 keys at 94 %.
     */
    private static final int STEP = 1024;

    /**
     * Runs per step, except for the last keys of a split. The runs begin about a quarter of the split apart. Four streams
     * are read 1.5 times as fast as one, because each stream has its own prefetcher; a prefetcher stops at the end of a
     * page.
     */
    private static final int RUNS = 4;

    private static final int RUN = STEP / RUNS;

    /**
     * A step of four runs has a multiple of this number of keys. It is also the maximum number of keys per piece of a step
     * (see {@link #piecewise}).
     */
    private static final int MIN_STEP = 64;

    private final PanelCall call;
    private final @Nullable NativeRows stored;
    private final AttentionResult result;
    private final AttentionShape shape;
    private final int rows;
    private final int width;
    private final Tiles.Decode tiles;
    private final SplitRange range;
    private final int splits;
    private final float[] maxima;
    private final float[] sums;
    private final float[] weighted;
    private int firstHead;

    /**
     * Memory for the partial attention states of one wave of heads; it grows as needed, and a plan keeps it for its
     * next call.
     */
    static final class States {
        final F64Decode.States f64 = new F64Decode.States();
        private float[] maxima = new float[0];
        private float[] sums = new float[0];
        private float[] weighted = new float[0];
    }

    private Decode(AttentionInputs inputs, AttentionResult result, int heads, States states) {
        this.call = new PanelCall(inputs);
        this.stored = NativeRows.of(call);
        this.result = result;
        this.shape = call.shape;
        this.rows = (int) (shape.groupSize() * shape.seqLenQ());
        this.width = Lanes.panels(shape.valueHeadDim()) * PANEL;
        this.tiles = Tiles.decode(shape.headDim());
        this.range = SplitRange.attended(call.mask, shape, tiles.split());
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
     * {@return whether this driver supports the problem} The answer does not depend on the batch size or the number of
     * heads, because the bits of a result must not depend on them.
     */
    static boolean fits(AttentionProblem p) {
        return p.shape().seqLenQ() <= Tiles.decode(p.shape().headDim()).queries()
                && statesPerHead(p.shape()) / p.shape().groupSize() <= MAX_STATE_ELEMENTS / 4
                && p.dropout() == 0
                && p.score().kind() != ScoreKind.CUSTOM
                && p.outputs().onlyOutputAndLse();
    }

    private static int splits(AttentionShape s) {
        return Math.toIntExact(
                Math.ceilDiv(s.seqLenKv(), Tiles.decode(s.headDim()).split()));
    }

    /** Floats in the states of one key/value head. */
    private static double statesPerHead(AttentionShape s) {
        double states = (double) s.groupSize() * s.seqLenQ() * splits(s);
        return states * (Lanes.panels(s.valueHeadDim()) * PANEL + 2);
    }

    static void run(AttentionInputs inputs, AttentionResult result, States states, Workers workers) {
        AttentionShape s = inputs.problem().shape();
        HeadWaves waves = HeadWaves.of(s, statesPerHead(s), MAX_STATE_ELEMENTS);
        Decode decode = new Decode(inputs, result, waves.wave(), states);
        Workers allowed = workers.allowedBy(inputs.tensors()).allowedBy(result.tensors());
        waves.run(allowed, decode.splits, first -> decode.firstHead = first, decode::split, decode::merge);
    }

    private void split(int task, Scratch scratch) {
        int head = firstHead + task / splits;
        long batch = head / shape.numKvHeads();
        long kvHead = head % shape.numKvHeads();
        int headDim = (int) shape.headDim();
        long from = (long) (range.first() + task % splits) * tiles.split();
        long end = Math.min(shape.seqLenKv(), from + tiles.split());
        Arrays.fill(sums, task * rows, (task + 1) * rows, 0);
        if (!attends(batch, kvHead, from, end)) {
            return;
        }
        Arrays.fill(maxima, task * rows, (task + 1) * rows, Kernels.NOTHING);
        Arrays.fill(weighted, task * rows * width, (task + 1) * rows * width, 0);
        scratch.packed = ArrayGrowth.atLeast(scratch.packed, rows * headDim);
        for (int r = 0; r < rows; r++) {
            Tensor query = call.inputs.query();
            long position = query.position(batch, queryHead(kvHead, r), query(r), 0);
            Rows.read(query, position, query.stride(3), scratch.packed, r * headDim, headDim);
            if (call.modifier.sign < 0) {
                KERNELS.scaleRow(scratch.packed, r * headDim, headDim, -1);
            }
        }
        if (stored != null) {
            stored.queries(scratch, rows);
        }
        scratch.tile = ArrayGrowth.atLeast(scratch.tile, rows * STEP);
        scratch.sums = ArrayGrowth.atLeast(scratch.sums, 2 * PANEL);
        long quarter = (end - from) / MIN_STEP * (MIN_STEP / RUNS);
        for (long j = from; j < from + quarter; j += RUN) {
            step(scratch, task, batch, kvHead, j, quarter, RUNS, (int) Math.min(RUN, from + quarter - j));
        }
        for (long j = from + RUNS * quarter; j < end; j += STEP) {
            step(scratch, task, batch, kvHead, j, 0, 1, (int) Math.min(STEP, end - j));
        }
    }

    /** Whether any row of a key/value head may attend to one of the keys {@code [from, end)}. */
    private boolean attends(long batch, long kvHead, long from, long end) {
        for (long head = queryHead(kvHead, 0); head < queryHead(kvHead, rows); head++) {
            if (call.mask.firstKey(batch, head, 0, shape.seqLenQ()) < end
                    && call.mask.endKey(batch, head, 0, shape.seqLenQ()) > from) {
                return true;
            }
        }
        return false;
    }

    private long queryHead(long kvHead, int row) {
        return kvHead * shape.groupSize() + row / shape.seqLenQ();
    }

    private long query(int row) {
        return row % shape.seqLenQ();
    }

    /**
     * Processes one step: {@code runs} runs of {@code count} keys each; successive runs begin {@code apart} keys apart.
     */
    private void step(Scratch scratch, int task, long batch, long kvHead, long from, long apart, int runs, int count) {
        boolean masked = call.modifier.mayMask();
        int unattended = 0;
        for (int run = 0; run < runs; run++) {
            boolean attended = false;
            for (int r = 0; r < rows; r++) {
                TileCover cover = cover(batch, kvHead, r, from + run * apart, count);
                masked |= cover != TileCover.FULL;
                attended |= cover != TileCover.EMPTY;
            }
            unattended += attended ? 0 : 1;
        }
        if (unattended > 0 && (runs > 1 || count > MIN_STEP)) {
            piecewise(scratch, task, batch, kvHead, from, apart, runs, count);
            return;
        }
        if (unattended > 0) {
            return;
        }
        int keys = runs * count;
        if (stored != null) {
            stored.scores(scratch, rows, STEP, batch, kvHead, from, apart, runs, count);
        } else {
            Rows k = load(scratch.keys, call.inputs.key(), call.keyArray, batch, kvHead, from, apart, runs, count);
            score(scratch, kvHead, k, runs, count);
        }
        float[] scores = scratch.tile;
        for (int r = 0; r < rows; r++) {
            int at = r * STEP;
            long head = queryHead(kvHead, r);
            for (int run = 0; run < runs; run++) {
                long first = from + run * apart;
                int there = at + run * count;
                call.modifier.applyRow(scores, there, batch, head, query(r), first, count);
                if (masked) {
                    call.mask.maskScores(batch, head, query(r), query(r) + 1, first, first + count, scores, there, 1);
                }
            }
            int state = task * rows + r;
            float max = KERNELS.max(scores, at, keys);
            if (max > maxima[state]) {
                float factor = maxima[state] == Kernels.NOTHING
                        ? 0
                        : (float) Math.exp((double) (maxima[state] - max) * call.modifier.unit);
                sums[state] *= factor;
                KERNELS.scaleRow(weighted, state * width, width, factor);
                maxima[state] = max;
            }
            sums[state] += KERNELS.weighRow(scores, at, keys, maxima[state], call.modifier.factor, scratch.sums);
        }
        if (stored != null) {
            int at = task * rows * width;
            stored.pool(scratch, rows, STEP, batch, kvHead, from, apart, runs, count, weighted, at, masked);
            return;
        }
        Rows v = load(scratch.values, call.inputs.value(), call.valueArray, batch, kvHead, from, apart, runs, count);
        pool(scratch, task, v, runs, count, masked);
    }

    /**
     * Processes a step in which at least one run is masked for all rows: divides each run into pieces of at most
     * {@link #MIN_STEP} keys and skips the pieces that are masked for all rows.
     */
    private void piecewise(
            Scratch scratch, int task, long batch, long kvHead, long from, long apart, int runs, int count) {
        for (int run = 0; run < runs; run++) {
            for (int j = 0; j < count; j += MIN_STEP) {
                step(scratch, task, batch, kvHead, from + run * apart + j, 0, 1, Math.min(MIN_STEP, count - j));
            }
        }
    }

    private void score(Scratch scratch, long kvHead, Rows k, int runs, int count) {
        int width = (int) shape.headDim();
        if (call.meeting instanceof Meeting.Sums sums) {
            scorePairs(sums, scratch, kvHead, k, runs, count);
            return;
        }
        float[] q = scratch.packed;
        float[] scores = scratch.tile;
        int r = 0;
        for (; runs == RUNS && r + 2 <= rows; r += 2) {
            KERNELS.scoresOfRuns(
                    q,
                    r * width,
                    (r + 1) * width,
                    width,
                    k.data,
                    k.at,
                    k.step,
                    k.runStride,
                    count,
                    scores,
                    r * STEP,
                    (r + 1) * STEP,
                    scratch.sums);
        }
        for (; r < rows; r++) {
            if (runs == RUNS) {
                KERNELS.scoresOfRuns(
                        q, r * width, width, k.data, k.at, k.step, k.runStride, count, scores, r * STEP, scratch.sums);
            } else {
                KERNELS.scores(q, r * width, width, k.data, k.at, k.step, count, scores, r * STEP, scratch.sums);
            }
        }
    }

    /** Computes pairwise scores other than dot products, on copies of the rows padded to whole vectors. */
    private void scorePairs(Meeting.Sums sums, Scratch scratch, long kvHead, Rows k, int runs, int count) {
        int width = (int) shape.headDim();
        PairRows pairs = scratch.pairs;
        pairs.keyStep = PairRows.padded(width);
        pairs.keys = ArrayGrowth.atLeast(pairs.keys, STEP * pairs.keyStep);
        pairs.querySums = ArrayGrowth.atLeast(pairs.querySums, pairs.keyStep); // one query at a time
        for (int run = 0; run < runs; run++) {
            int to = run * count * pairs.keyStep;
            PairRows.copy(k.data, k.at + run * k.runStride, k.step, count, width, pairs.keys, to, pairs.keyStep);
        }
        for (int r = 0; r < rows; r++) {
            PairRows.copy(scratch.packed, r * width, width, 1, width, pairs.querySums, 0, pairs.keyStep);
            sums.row(
                    queryHead(kvHead, r),
                    pairs.querySums,
                    0,
                    pairs,
                    0,
                    runs * count,
                    scratch.tile,
                    r * STEP,
                    scratch.sums);
        }
    }

    private static Rows load(
            Rows into,
            Tensor tensor,
            float @Nullable [] array,
            long batch,
            long kvHead,
            long from,
            long apart,
            int runs,
            int count) {
        if (runs == RUNS) {
            into.loadFour(tensor, array, batch, kvHead, from, apart, count);
        } else {
            into.load(tensor, array, batch, kvHead, from, from + count);
            into.runStride = 0;
        }
        return into;
    }

    private TileCover cover(long batch, long kvHead, int row, long from, int keys) {
        return call.mask.cover(batch, queryHead(kvHead, row), query(row), query(row) + 1, from, from + keys);
    }

    private void pool(Scratch scratch, int task, Rows v, int runs, int count, boolean masked) {
        int valueDim = (int) shape.valueHeadDim();
        int at = v.at;
        boolean finite = true;
        for (int run = 0; masked && run < runs; run++, v.at += v.runStride) {
            finite &= v.finite(count, valueDim);
        }
        v.at = at;
        if (!finite) {
            poolAttended(scratch, task, v, runs, count, valueDim);
            return;
        }
        int whole = valueDim / PANEL * PANEL;
        int column = 0;
        for (;
                rows <= tiles.fewRows() && column + 2 * PANEL <= whole;
                column += 2 * PANEL) { // whole cache lines at a time
            int r = 0;
            for (; runs == RUNS && r + 2 <= rows; r += 2) {
                int to = (task * rows + r) * width + column;
                KERNELS.addEightOfRuns(
                        scratch.tile,
                        r * STEP,
                        (r + 1) * STEP,
                        count,
                        v.data,
                        v.at + column,
                        v.step,
                        v.runStride,
                        weighted,
                        to,
                        to + width);
            }
            for (; r < rows; r++) {
                int to = (task * rows + r) * width + column;
                if (runs == RUNS) {
                    KERNELS.addEightOfRuns(
                            scratch.tile, r * STEP, count, v.data, v.at + column, v.step, v.runStride, weighted, to);
                } else {
                    KERNELS.addEight(scratch.tile, r * STEP, count, v.data, v.at + column, v.step, weighted, to);
                }
            }
        }
        for (; rows <= tiles.fewRows() && runs == RUNS && column < whole; column += PANEL) {
            for (int r = 0; r < rows; r++) {
                int to = (task * rows + r) * width + column;
                KERNELS.addFourOfRuns(
                        scratch.tile, r * STEP, count, v.data, v.at + column, v.step, v.runStride, weighted, to);
            }
        }
        for (int run = 0; run < runs; run++) {
            for (int c = column; c < whole; c += PANEL) {
                accumulate(scratch, task, run * count, v.data, v.at + run * v.runStride + c, v.step, count, c);
            }
            if (whole < valueDim) {
                pad(scratch, v, v.at + run * v.runStride + whole, count, valueDim - whole);
                accumulate(scratch, task, run * count, scratch.strip, 0, PANEL, count, whole);
            }
        }
    }

    /** Adds the weighted values of one run and one panel of columns, for all rows. */
    private void accumulate(
            Scratch scratch, int task, int key, float[] values, int at, int step, int count, int column) {
        int to = task * rows * width + column;
        KERNELS.accumulate(scratch.tile, key, STEP, 1, rows, values, at, step, count, weighted, to, width);
    }

    /** Copies the last columns of the values to {@code scratch.strip}, padded with zeros to a panel. */
    private static void pad(Scratch scratch, Rows v, int at, int count, int columns) {
        scratch.strip = ArrayGrowth.atLeast(scratch.strip, STEP * PANEL);
        for (int j = 0; j < count; j++) {
            System.arraycopy(v.data, at + j * v.step, scratch.strip, j * PANEL, columns);
            Arrays.fill(scratch.strip, j * PANEL + columns, (j + 1) * PANEL, 0);
        }
    }

    /**
     * Adds the weighted values like {@link #pool}, in the same order, but does not read values of weight 0. It is called if
     * some values are non-finite.
     */
    private void poolAttended(Scratch scratch, int task, Rows v, int runs, int count, int valueDim) {
        int byTurns = rows <= tiles.fewRows() && runs == RUNS ? valueDim / PANEL * PANEL : 0;
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < count; j++) {
                for (int run = 0; run < runs; run++) {
                    addAttended(scratch, task, r, v, run, j, count, 0, byTurns);
                }
            }
            for (int run = 0; run < runs; run++) {
                for (int j = 0; j < count; j++) {
                    addAttended(scratch, task, r, v, run, j, count, byTurns, valueDim);
                }
            }
        }
    }

    /** Adds elements {@code [from, to)} of one weighted value; a value with a weight of exactly 0 is not read. */
    private void addAttended(Scratch scratch, int task, int r, Rows v, int run, int j, int count, int from, int to) {
        float weight = scratch.tile[r * STEP + run * count + j];
        int sum = (task * rows + r) * width;
        int value = v.at + run * v.runStride + j * v.step;
        for (int d = from; d < to && weight != 0; d++) {
            weighted[sum + d] = Lanes.fma(weight, v.data[value + d], weighted[sum + d]);
        }
    }

    /**
     * Merges the states of one key/value head in key order, adds the sink, and writes the output and LSE of its rows.
     */
    private void merge(int slot, Scratch scratch) {
        int head = firstHead + slot;
        long batch = head / shape.numKvHeads();
        long kvHead = head % shape.numKvHeads();
        int valueDim = (int) shape.valueHeadDim();
        float unit = call.modifier.unit;
        scratch.row = ArrayGrowth.atLeast(scratch.row, valueDim);
        scratch.totals = ArrayGrowth.atLeast(scratch.totals, valueDim);
        for (int r = 0; r < rows; r++) {
            Tensor sink = call.options.sink();
            double logit = sink == null ? Double.NEGATIVE_INFINITY : sink.get(queryHead(kvHead, r));
            double max = logit;
            for (int p = 0; p < splits; p++) {
                int state = (slot * splits + p) * rows + r;
                max = sums[state] == 0 ? max : Math.max(max, (double) maxima[state] * unit);
            }
            double sum = Math.exp(logit - max);
            Arrays.fill(scratch.totals, 0, valueDim, 0);
            for (int p = 0; p < splits; p++) {
                int state = (slot * splits + p) * rows + r;
                if (sums[state] != 0) {
                    double factor = Math.exp((double) maxima[state] * unit - max);
                    sum += sums[state] * factor;
                    for (int d = 0; d < valueDim; d++) {
                        scratch.totals[d] += weighted[state * width + d] * factor;
                    }
                }
            }
            boolean empty = max == Double.NEGATIVE_INFINITY;
            for (int d = 0; d < valueDim; d++) {
                scratch.row[d] = empty ? 0 : (float) (scratch.totals[d] / sum);
            }
            Tensor output = result.output();
            long position = output.position(batch, queryHead(kvHead, r), query(r), 0);
            Rows.write(scratch.row, 0, output, position, output.stride(3), valueDim);
            result.setRowStatistics(max, empty ? 0 : sum, batch, queryHead(kvHead, r), query(r));
        }
    }
}
