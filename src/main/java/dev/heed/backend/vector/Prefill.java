package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.PANEL;
import static dev.heed.backend.vector.Lanes.SPECIES;
import static dev.heed.backend.vector.Lanes.V;

import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.mask.TileCover;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention for many queries. A task is one panel: up to PANEL queries of one head, in the lanes. It reads keys and values
 * in tiles:
 *
 * <pre>
 * scores  [key][query] = K Q'            keys broadcast from where they lie, queries packed
 * weights [key][query] = 2^(...)         maximum and sum run down the lanes
 * output  [width][query] += V' weights   values broadcast from where they lie
 * </pre>
 *
 * <p>All sums over keys run in key order with tiles that begin at multiples of {@link PanelCall#TILE}, whatever the thread,
 * the batch or the panel, so the bits of a row depend on the row alone.
 */
final class Prefill {
    private final PanelCall call;
    private final AttentionResult result;
    private final AttentionShape shape;
    private final int panels;

    private Prefill(AttentionInputs inputs, AttentionResult result) {
        this.call = new PanelCall(inputs);
        this.result = result;
        this.shape = call.shape;
        this.panels = Lanes.panels(shape.seqLenQ());
    }

    static void run(AttentionInputs inputs, AttentionResult result, Workers workers) {
        Prefill prefill = new Prefill(inputs, result);
        AttentionShape s = prefill.shape;
        workers.allowedBy(inputs.tensors())
                .allowedBy(result.tensors())
                .run(Math.toIntExact(s.batch() * s.numHeads() * prefill.panels), prefill::panel);
    }

    /** Panels from the last to the first: under a causal mask the longest rows start first. */
    private void panel(int task, Scratch scratch) {
        long heads = shape.batch() * shape.numHeads();
        int panel = panels - 1 - (int) (task / heads);
        long batch = task % heads / shape.numHeads();
        long head = task % shape.numHeads();
        long from = (long) panel * PANEL;
        int queries = (int) Math.min(PANEL, shape.seqLenQ() - from);
        int width = (int) shape.valueHeadDim();
        prepare(call, scratch, batch, head, from, queries);
        scratch.sums = Scratch.atLeast(scratch.sums, width * PANEL);
        Arrays.fill(scratch.sums, 0, width * PANEL, 0);
        readKeys(call, scratch, batch, head, from, queries);
        addSinks(call, scratch, head, width);
        write(scratch, batch, head, from, queries);
        if (Kept.wanted(result)) {
            new Kept(call, result).write(scratch, batch, head, from, queries);
        }
    }

    /** Packs the queries of a panel and clears its statistics. */
    static void prepare(PanelCall call, Scratch scratch, long batch, long head, long from, int queries) {
        int headDim = (int) call.shape.headDim();
        scratch.packed = Scratch.atLeast(scratch.packed, headDim * PANEL);
        scratch.row = Scratch.atLeast(scratch.row, (int) Math.max(call.shape.headDim(), call.shape.valueHeadDim()));
        scratch.tile = Scratch.atLeast(scratch.tile, PanelCall.TILE * PANEL);
        scratch.statistics = Scratch.atLeast(scratch.statistics, 4 * PANEL);
        PanelCall.pack(
                call.inputs.query(), batch, head, from, queries, call.modifier.sign, scratch.row, scratch.packed);
        Arrays.fill(scratch.statistics, 0, PANEL, SoftmaxTile.NOTHING);
        Arrays.fill(scratch.statistics, PANEL, 4 * PANEL, 0);
    }

    /** Reads all keys of a panel into the statistics and their values into the sums. */
    private static void readKeys(PanelCall call, Scratch scratch, long batch, long head, long from, int queries) {
        AttentionShape s = call.shape;
        long first = call.mask.firstKey(batch, head, from, from + queries);
        long end = call.mask.endKey(batch, head, from, from + queries);
        long kvHead = head / s.groupSize();
        for (long j = first / PanelCall.TILE * PanelCall.TILE; j < end; j += PanelCall.TILE) {
            long to = Math.min(j + PanelCall.TILE, end);
            TileCover cover = call.mask.cover(batch, head, from, from + queries, j, to);
            if (cover == TileCover.EMPTY) {
                continue;
            }
            int keys = (int) (to - j);
            boolean hidden = scores(call, scratch, scratch.tile, 0, batch, head, from, queries, j, keys, cover);
            boolean shrinks = SoftmaxTile.read(scratch.tile, keys, call.modifier.factor, hidden, scratch.statistics);
            int width = (int) s.valueHeadDim();
            if (shrinks) {
                shrink(scratch.sums, width, scratch.statistics);
            }
            if (call.options.dropout() > 0) {
                call.drop(scratch.tile, 0, batch, head, from, queries, j, keys);
                hidden = true; // a dropped value is not read either
            }
            Rows values = scratch.values;
            values.load(call.inputs.value(), call.valueArray, batch, kvHead, j, to);
            pool(values, keys, width, scratch.tile, 0, scratch.sums, hidden);
        }
    }

    /** {@code sums [width][query] += rows' tile}; rows of weight 0 are not read where some are hidden. */
    static void pool(Rows rows, int keys, int width, float[] tile, int at, float[] sums, boolean hidden) {
        if (hidden && !finite(rows, keys, width)) {
            poolVisible(rows, keys, width, tile, at, sums);
        } else {
            MicroKernel.accumulate(rows.data, rows.at, 1, rows.step, width, tile, at, PANEL, keys, sums, 0, PANEL);
        }
    }

    /** Fills the tile with the scores of some keys; returns whether some are minus infinity because they are hidden. */
    static boolean scores(
            PanelCall call,
            Scratch scratch,
            float[] tile,
            int at,
            long batch,
            long head,
            long from,
            int queries,
            long keyFrom,
            int keys,
            TileCover cover) {
        AttentionShape s = call.shape;
        Rows rows = scratch.keys;
        rows.load(call.inputs.key(), call.keyArray, batch, head / s.groupSize(), keyFrom, keyFrom + keys);
        MicroKernel.product(
                rows.data, rows.at, rows.step, 1, keys, scratch.packed, 0, PANEL, (int) s.headDim(), tile, at, PANEL);
        if (call.modifier.active) {
            call.modifier.apply(tile, at, batch, head, from, queries, keyFrom, keys);
        }
        if (cover == TileCover.PARTIAL) {
            call.mask.hide(batch, head, from, from + queries, keyFrom, keyFrom + keys, tile, at, PANEL);
        }
        return cover == TileCover.PARTIAL || call.modifier.mayHide();
    }

    private static void shrink(float[] sums, int width, float[] statistics) {
        for (int v = 0; v < PANEL; v += V) {
            FloatVector factor = FloatVector.fromArray(SPECIES, statistics, 2 * PANEL + v);
            for (int d = 0, p = v; d < width; d++, p += PANEL) {
                FloatVector.fromArray(SPECIES, sums, p).mul(factor).intoArray(sums, p);
            }
        }
    }

    static boolean finite(Rows values, int keys, int width) {
        FloatVector spoiled = FloatVector.zero(SPECIES);
        float spoiledTail = 0;
        int whole = SPECIES.loopBound(width);
        for (int j = 0; j < keys; j++) {
            int row = values.at + j * values.step;
            for (int d = 0; d < whole; d += V) {
                spoiled = FloatVector.fromArray(SPECIES, values.data, row + d)
                        .mul(0f)
                        .add(spoiled);
            }
            for (int d = whole; d < width; d++) {
                spoiledTail += values.data[row + d] * 0f;
            }
        }
        return spoiledTail == 0 && spoiled.compare(VectorOperators.EQ, 0f).allTrue();
    }

    /** Weighted sums for a tile in which hidden values are not finite: a weight of exactly 0 leaves its value unread. */
    private static void poolVisible(Rows values, int keys, int width, float[] tile, int at, float[] sums) {
        for (int j = 0; j < keys; j++) {
            for (int v = 0; v < PANEL; v += V) {
                FloatVector weight = FloatVector.fromArray(SPECIES, tile, at + j * PANEL + v);
                var visible = weight.compare(VectorOperators.NE, 0f);
                for (int d = 0; d < width; d++) {
                    FloatVector sum = FloatVector.fromArray(SPECIES, sums, d * PANEL + v);
                    FloatVector value = FloatVector.broadcast(SPECIES, values.data[values.at + j * values.step + d]);
                    sum.blend(weight.fma(value, sum), visible).intoArray(sums, d * PANEL + v);
                }
            }
        }
    }

    /** Lets the sink, which has no value, join the sums of all rows; afterwards the inverse sums are there. */
    static void addSinks(PanelCall call, Scratch scratch, long head, int width) {
        float[] st = scratch.statistics;
        Tensor sink = call.options.sink();
        if (sink != null) {
            double logit = sink.get(head);
            float unit = call.modifier.unit;
            for (int i = 0; i < PANEL && logit != Double.NEGATIVE_INFINITY; i++) {
                double max = st[i] == SoftmaxTile.NOTHING ? Double.NEGATIVE_INFINITY : (double) st[i] * unit;
                double larger = Math.max(max, logit);
                float factor = (float) Math.exp(max - larger);
                st[i] = larger == max ? st[i] : (float) (larger / unit);
                st[PANEL + i] = st[PANEL + i] * factor + (float) Math.exp(logit - larger);
                for (int d = 0; d < width && factor != 1; d++) {
                    scratch.sums[d * PANEL + i] *= factor;
                }
            }
        }
        for (int i = 0; i < PANEL; i++) {
            st[3 * PANEL + i] = st[PANEL + i] == 0 ? 0 : 1 / st[PANEL + i];
        }
    }

    private void write(Scratch scratch, long batch, long head, long from, int queries) {
        int width = (int) shape.valueHeadDim();
        float[] st = scratch.statistics;
        Tensor output = result.output();
        for (int i = 0; i < queries; i++) {
            float inverse = st[3 * PANEL + i];
            float[] row = scratch.row;
            for (int d = 0; d < width; d++) {
                row[d] = inverse == 0 ? 0 : scratch.sums[d * PANEL + i] * inverse;
            }
            Rows.write(row, 0, output, output.position(batch, head, from + i, 0), output.stride(3), width);
            if (result.lse() != null) {
                result.lse().set(lse(call, st, i), batch, head, from + i);
            }
        }
    }

    static double lse(PanelCall call, float[] statistics, int i) {
        float sum = statistics[PANEL + i];
        return sum == 0 ? Double.NEGATIVE_INFINITY : (double) statistics[i] * call.modifier.unit + Math.log(sum);
    }
}
