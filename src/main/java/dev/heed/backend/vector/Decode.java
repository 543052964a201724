package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.PANEL;

import dev.heed.AttentionInputs;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.mask.TileCover;
import dev.heed.tensor.Tensor;
import java.util.Arrays;

/**
 * Attention for few queries and long keys: memory is the limit, so every key and value is read once. A task is one part of
 * the keys of one key head, with all rows (query heads of the group times queries) that share it. The parts are equal for
 * any number of threads; their states (max, sum, weighted values) are merged in key order.
 */
final class Decode {
    /** More queries than this and a panel is faster. */
    static final int MOST_QUERIES = 12;

    /** Keys of one task. */
    private static final int PART = 1024;

    /** Floats that the states of one wave of heads take at most: 64 MB. */
    private static final double MOST_STATES = 1 << 24;

    /** Keys of one step: scores and values of a step stay in cache. */
    private static final int STEP = 64;

    private final PanelCall call;
    private final AttentionResult result;
    private final AttentionShape shape;
    private final int rows;
    private final int width;
    private final int parts;
    private final float[] maxima;
    private final float[] sums;
    private final float[] weighted;
    private int firstHead;

    private Decode(AttentionInputs inputs, AttentionResult result, int heads) {
        this.call = new PanelCall(inputs);
        this.result = result;
        this.shape = call.shape;
        this.rows = (int) (shape.groupSize() * shape.seqLenQ());
        this.width = Lanes.panels(shape.valueHeadDim()) * PANEL;
        this.parts = Math.toIntExact((shape.seqLenKv() + PART - 1) / PART);
        int states = heads * parts * rows;
        this.maxima = new float[states];
        this.sums = new float[states];
        this.weighted = new float[Math.multiplyExact(states, width)];
    }

    /** Whether this loop serves the problem; neither the batch nor the heads decide, for bits must not depend on them. */
    static boolean fits(AttentionProblem p) {
        return p.shape().seqLenQ() <= MOST_QUERIES
                && statesPerHead(p.shape()) / p.shape().groupSize() <= MOST_STATES / 4
                && p.dropout() == 0
                && !p.weights()
                && p.rows() == 0
                && p.topK() == 0
                && p.scores() == null;
    }

    /** Floats that the states of one key head take. */
    private static double statesPerHead(AttentionShape s) {
        double states = (double) s.groupSize() * s.seqLenQ() * ((s.seqLenKv() + PART - 1) / PART);
        return states * (Lanes.panels(s.valueHeadDim()) * PANEL + 2);
    }

    /** Key heads in waves, so that their states take a bounded memory. */
    static void run(AttentionInputs inputs, AttentionResult result, Workers workers) {
        AttentionShape s = inputs.problem().shape();
        int heads = Math.toIntExact(s.batch() * s.numKvHeads());
        int wave = (int) Math.min(heads, Math.max(1, MOST_STATES / statesPerHead(s)));
        Decode decode = new Decode(inputs, result, wave);
        Workers allowed = workers.allowedBy(inputs.tensors()).allowedBy(result.tensors());
        for (int first = 0; first < heads; first += wave) {
            int count = Math.min(wave, heads - first);
            decode.firstHead = first;
            allowed.run(count * decode.parts, decode::part);
            allowed.run(count, decode::merge);
        }
    }

    private void part(int task, Scratch scratch) {
        int head = firstHead + task / parts;
        long batch = head / shape.numKvHeads();
        long kvHead = head % shape.numKvHeads();
        int headDim = (int) shape.headDim();
        Arrays.fill(maxima, task * rows, (task + 1) * rows, SoftmaxTile.NOTHING);
        Arrays.fill(sums, task * rows, (task + 1) * rows, 0);
        Arrays.fill(weighted, task * rows * width, (task + 1) * rows * width, 0);
        scratch.packed = Scratch.atLeast(scratch.packed, rows * headDim);
        for (int r = 0; r < rows; r++) {
            Tensor query = call.inputs.query();
            long position = query.position(batch, queryHead(kvHead, r), query(r), 0);
            Rows.read(query, position, query.stride(3), scratch.packed, r * headDim, headDim);
            if (call.modifier.sign < 0) {
                DotRow.scale(scratch.packed, r * headDim, headDim, -1);
            }
        }
        scratch.tile = Scratch.atLeast(scratch.tile, rows * STEP);
        scratch.sums = Scratch.atLeast(scratch.sums, PANEL);
        long end = Math.min(shape.seqLenKv(), (task % parts + 1L) * PART);
        for (long j = (long) (task % parts) * PART; j < end; j += STEP) {
            step(scratch, task, batch, kvHead, j, (int) Math.min(STEP, end - j));
        }
    }

    private long queryHead(long kvHead, int row) {
        return kvHead * shape.groupSize() + row / shape.seqLenQ();
    }

    private long query(int row) {
        return row % shape.seqLenQ();
    }

    private void step(Scratch scratch, int task, long batch, long kvHead, long from, int keys) {
        boolean hidden = call.modifier.mayHide();
        boolean anything = false;
        for (int r = 0; r < rows; r++) {
            TileCover cover = cover(batch, kvHead, r, from, keys);
            hidden |= cover != TileCover.FULL;
            anything |= cover != TileCover.EMPTY;
        }
        if (!anything) {
            return;
        }
        Rows k = scratch.keys;
        k.load(call.inputs.key(), call.keyArray, batch, kvHead, from, from + keys);
        int headDim = (int) shape.headDim();
        for (int r = 0; r < rows; r++) {
            float[] scores = scratch.tile;
            int at = r * STEP;
            DotRow.scores(scratch.packed, r * headDim, headDim, k.data, k.at, k.step, keys, scores, at, scratch.sums);
            long head = queryHead(kvHead, r);
            call.modifier.applyRow(scores, at, batch, head, query(r), from, keys);
            if (hidden) {
                call.mask.hide(batch, head, query(r), query(r) + 1, from, from + keys, scores, at, 1);
            }
            int state = task * rows + r;
            float max = DotRow.max(scores, at, keys);
            if (max > maxima[state]) {
                float factor = maxima[state] == SoftmaxTile.NOTHING
                        ? 0
                        : (float) Math.exp((double) (maxima[state] - max) * call.modifier.unit);
                sums[state] *= factor;
                DotRow.scale(weighted, state * width, width, factor);
                maxima[state] = max;
            }
            sums[state] += DotRow.weigh(scores, at, keys, maxima[state], call.modifier.factor, scratch.sums);
        }
        pool(scratch, task, batch, kvHead, from, keys, hidden);
    }

    private TileCover cover(long batch, long kvHead, int row, long from, int keys) {
        return call.mask.cover(batch, queryHead(kvHead, row), query(row), query(row) + 1, from, from + keys);
    }

    private void pool(Scratch scratch, int task, long batch, long kvHead, long from, int keys, boolean hidden) {
        Rows v = scratch.values;
        v.load(call.inputs.value(), call.valueArray, batch, kvHead, from, from + keys);
        int valueDim = (int) shape.valueHeadDim();
        if (hidden && !Prefill.finite(v, keys, valueDim)) {
            poolVisible(scratch, task, v, keys, valueDim);
            return;
        }
        int whole = valueDim / PANEL * PANEL;
        int column = 0;
        for (; rows <= 2 && column + 2 * PANEL <= whole; column += 2 * PANEL) { // whole lines of memory at a time
            for (int r = 0; r < rows; r++) {
                int to = (task * rows + r) * width + column;
                DotRow.addEight(scratch.tile, r * STEP, keys, v.data, v.at + column, v.step, weighted, to);
            }
        }
        for (; column < whole; column += PANEL) {
            MicroKernel.accumulate(
                    scratch.tile,
                    0,
                    STEP,
                    1,
                    rows,
                    v.data,
                    v.at + column,
                    v.step,
                    keys,
                    weighted,
                    task * rows * width + column,
                    width);
        }
        if (whole < valueDim) { // the last columns, padded to a panel
            scratch.strip = Scratch.atLeast(scratch.strip, STEP * PANEL);
            for (int j = 0; j < keys; j++) {
                System.arraycopy(v.data, v.at + j * v.step + whole, scratch.strip, j * PANEL, valueDim - whole);
                Arrays.fill(scratch.strip, j * PANEL + valueDim - whole, (j + 1) * PANEL, 0);
            }
            MicroKernel.accumulate(
                    scratch.tile,
                    0,
                    STEP,
                    1,
                    rows,
                    scratch.strip,
                    0,
                    PANEL,
                    keys,
                    weighted,
                    task * rows * width + whole,
                    width);
        }
    }

    /** The same sums, in the same order, where hidden values are not finite: a weight of exactly 0 leaves its value unread. */
    private void poolVisible(Scratch scratch, int task, Rows v, int keys, int valueDim) {
        for (int r = 0; r < rows; r++) {
            int to = (task * rows + r) * width;
            for (int j = 0; j < keys; j++) {
                float weight = scratch.tile[r * STEP + j];
                for (int d = 0; d < valueDim && weight != 0; d++) {
                    weighted[to + d] = Math.fma(weight, v.data[v.at + j * v.step + d], weighted[to + d]);
                }
            }
        }
    }

    /** Merges the states of the parts of one key head, in key order, with the sink last, and writes its rows. */
    private void merge(int slot, Scratch scratch) {
        int head = firstHead + slot;
        long batch = head / shape.numKvHeads();
        long kvHead = head % shape.numKvHeads();
        int valueDim = (int) shape.valueHeadDim();
        float unit = call.modifier.unit;
        scratch.row = Scratch.atLeast(scratch.row, valueDim);
        for (int r = 0; r < rows; r++) {
            Tensor sink = call.options.sink();
            double logit = sink == null ? Double.NEGATIVE_INFINITY : sink.get(queryHead(kvHead, r));
            double max = logit;
            for (int p = 0; p < parts; p++) {
                int state = (slot * parts + p) * rows + r;
                max = sums[state] == 0 ? max : Math.max(max, (double) maxima[state] * unit);
            }
            double sum = Math.exp(logit - max);
            Arrays.fill(scratch.row, 0, valueDim, 0);
            for (int p = 0; p < parts; p++) {
                int state = (slot * parts + p) * rows + r;
                if (sums[state] != 0) {
                    float factor = (float) Math.exp((double) maxima[state] * unit - max);
                    sum += (double) sums[state] * factor;
                    for (int d = 0; d < valueDim; d++) {
                        scratch.row[d] += weighted[state * width + d] * factor;
                    }
                }
            }
            boolean empty = max == Double.NEGATIVE_INFINITY;
            if (!empty) {
                DotRow.scale(scratch.row, 0, valueDim, (float) (1 / sum));
            }
            Tensor output = result.output();
            long position = output.position(batch, queryHead(kvHead, r), query(r), 0);
            Rows.write(scratch.row, 0, output, position, output.stride(3), valueDim);
            if (result.lse() != null) {
                double lse = empty ? Double.NEGATIVE_INFINITY : max + Math.log(sum);
                result.lse().set(lse, batch, queryHead(kvHead, r), query(r));
            }
        }
    }
}
