package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.backend.vector.kernels.Kernels;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.Tiles;
import dev.heed.backend.vector.storage.Bf16Rows;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.mask.TileCover;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attention for many queries. A task computes a few panels of one head, each of up to PANEL queries (see
 * {@link Panel}). It reads keys and values in tiles, blocks of consecutive keys. Each tile is loaded once for all
 * panels of the task. For each panel and tile, a task computes:
 *
 * <pre>
 * scores  [key][query] = K Q'                   keys broadcast without packing, queries packed
 * weights [key][query] = 2^(...)                each lane has its own maximum and sum
 * output  [valueHeadDim][query] += V' weights   values broadcast without packing
 * </pre>
 *
 * <p>All sums over keys run in key order. They are f32 inside a block of {@link #BLOCK} keys; the sums of the blocks are added in
 * f64. The tiles of a panel depend only on headDim, the mask and the queries of the
 * panel. Therefore the bits of a row do not depend on the thread, the batch or the other panels of the task.
 */
final class Prefill {
    /** The largest rounding error of a maximum that the sum can absorb: {@code e^64} times any sum is a finite f32. */
    private static final double MOST_ROUNDING = 64;

    /**
     * Keys whose exponentials and weighted values are added in f32, a multiple of every tile. With 200,000 keys the error of the
     * output is a tenth of the error of one sum over all keys.
     */
    private static final long BLOCK = 4096;

    private final PanelCall call;
    private final AttentionResult result;
    private final AttentionShape shape;
    private final @Nullable OptionalOutputs optionalOutputs;
    private final Tiles.Prefill tiles;
    private final int panels;
    private final int panelsPerTask;
    private final int tasksPerHead;

    private Prefill(AttentionInputs inputs, AttentionResult result, int threads) {
        this.call = result.onlyOutputAndLse() ? PanelCall.plain(inputs) : new PanelCall(inputs);
        this.result = result;
        this.shape = call.shape;
        this.optionalOutputs = result.onlyOutputAndLse() ? null : new OptionalOutputs(call, result);
        this.tiles = call.tiles;
        this.panels = Lanes.panels(shape.seqLenQ());
        double perThread = (double) shape.batch() * shape.numHeads() * panels / (4.0 * threads);
        this.panelsPerTask = (int) Math.max(1, Math.min(tiles.panels(), perThread)); // does not change the bits
        this.tasksPerHead = (panels + panelsPerTask - 1) / panelsPerTask;
    }

    static void run(AttentionInputs inputs, AttentionResult result, Workers workers) {
        Workers allowed = workers.allowedBy(inputs.tensors()).allowedBy(result.tensors());
        Prefill prefill = new Prefill(inputs, result, allowed.threads());
        AttentionShape s = prefill.shape;
        allowed.run(Math.toIntExact(s.batch() * s.numHeads() * prefill.tasksPerHead), prefill::task);
    }

    /** Computes one task. Tasks with later queries start first, because a causal mask gives later queries more keys. */
    private void task(int task, Scratch scratch) {
        long heads = shape.batch() * shape.numHeads();
        int first = (tasksPerHead - 1 - (int) (task / heads)) * panelsPerTask;
        long batch = task % heads / shape.numHeads();
        long head = task % shape.numHeads();
        int count = Math.min(panelsPerTask, panels - first);
        int width = (int) shape.valueHeadDim();
        List<Panel> all = Panel.of(scratch, count, tiles.tileKeys());
        for (int p = 0; p < count; p++) {
            call.moveTo(all.get(p), batch, head, (long) (first + p) * PANEL);
            all.get(p).makeRoom(width);
        }
        readKeys(scratch, all, count);
        for (int p = 0; p < count; p++) {
            Panel panel = all.get(p);
            if (panel.fresh) {
                panel.clearSums(width);
            }
            panel.endBlocks(width, call.modifier.unit);
            addSinks(panel);
            write(panel);
            if (optionalOutputs != null) {
                optionalOutputs.write(panel, scratch.keys);
            }
        }
    }

    /** Adds the scores of all attended keys to the panels' statistics, and the weighted values to the panels' sums. */
    private void readKeys(Scratch scratch, List<Panel> all, int count) {
        Panel some = all.getFirst();
        long head = some.head;
        long batch = some.batch;
        long kvHead = head / shape.groupSize();
        long first = Long.MAX_VALUE;
        long end = 0;
        for (int p = 0; p < count; p++) {
            first = Math.min(first, all.get(p).firstKey);
            end = Math.max(end, all.get(p).endKey);
        }
        for (long j = first / tiles.tileKeys() * tiles.tileKeys(); j < end; j += tiles.tileKeys()) {
            boolean loaded = false;
            for (int p = 0; p < count; p++) {
                Panel panel = all.get(p);
                long to = Math.min(j + tiles.tileKeys(), panel.endKey);
                TileCover cover = to <= j ? TileCover.EMPTY : cover(panel, j, to);
                if (cover == TileCover.EMPTY) {
                    continue;
                }
                if (!loaded) {
                    long last = Math.min(j + tiles.tileKeys(), end);
                    if (call.bf16) {
                        scratch.bf16.load(call.inputs.key(), call.inputs.value(), batch, kvHead, j, last);
                    } else {
                        scratch.keys.load(call.inputs.key(), call.keyArray, batch, kvHead, j, last);
                        scratch.values.load(call.inputs.value(), call.valueArray, batch, kvHead, j, last);
                    }
                    loaded = true;
                }
                if (cover == TileCover.FULL) {
                    read(panel, scratch, j, (int) (to - j), cover);
                } else {
                    readHalves(panel, scratch, j, to);
                }
            }
            long next = j + tiles.tileKeys();
            for (int p = 0; p < count && next % BLOCK == 0; p++) {
                Panel panel = all.get(p);
                if (!panel.fresh && panel.endKey > next) {
                    panel.endBlock((int) shape.valueHeadDim(), call.modifier.unit);
                }
            }
        }
    }

    private TileCover cover(Panel panel, long from, long to) {
        return call.mask.cover(panel.batch, panel.head, panel.from, panel.to(), from, to);
    }

    private void readHalves(Panel panel, Scratch scratch, long from, long to) {
        for (long j = from; j < to; j += Lanes.TILE) {
            long end = Math.min(j + Lanes.TILE, to);
            TileCover cover = cover(panel, j, end);
            if (cover != TileCover.EMPTY) {
                scratch.keys.skip((int) (j - from));
                scratch.values.skip((int) (j - from));
                read(panel, scratch, j, (int) (end - j), cover);
                scratch.keys.skip((int) (from - j));
                scratch.values.skip((int) (from - j));
            }
        }
    }

    private void read(Panel panel, Scratch scratch, long keyFrom, int keys, TileCover cover) {
        if (call.bf16) {
            readBf16(panel, scratch.bf16, keyFrom, keys, cover);
            return;
        }
        Rows keyRows = scratch.keys;
        Rows values = scratch.values;
        if (RaggedTile.suits(call, panel, keyFrom, keys, cover)) {
            RaggedTile.read(call, panel, keyRows, values, keyFrom, keys, cover);
            return;
        }
        int width = (int) shape.valueHeadDim();
        boolean masked = scores(call, panel, keyRows, panel.tile, 0, keyFrom, keys, cover);
        if (KERNELS.read(panel.tile, keys, call.modifier.factor, panel.statistics) && !panel.fresh) {
            KERNELS.rescale(panel.sums, width, panel.statistics);
        }
        if (call.options.dropout() > 0) {
            call.drop(panel, panel.tile, 0, keyFrom, keys);
            masked = true; // a non-finite value with a dropped weight must add nothing
        }
        if (panel.fresh && !masked) {
            KERNELS.product(
                    values.data, values.at, 1, values.step, width, panel.tile, 0, PANEL, keys, panel.sums, 0, PANEL);
            panel.fresh = false;
            return;
        }
        if (panel.fresh) {
            panel.clearSums(width);
        }
        pool(values, keys, width, panel.tile, 0, panel.sums, masked);
    }

    /** Reads a tile like {@link #read}, with native bf16 products. */
    private void readBf16(Panel panel, Bf16Rows rows, long keyFrom, int keys, TileCover cover) {
        float[] tile = panel.tile;
        int width = (int) shape.valueHeadDim();
        rows.dots(panel.pairs, (int) shape.headDim(), 2 * tiles.depth(), tile, keyFrom, keys);
        boolean masked = call.modify(panel, tile, 0, keyFrom, keys, cover);
        if (KERNELS.read(tile, keys, call.modifier.factor, panel.statistics) && !panel.fresh) {
            KERNELS.rescale(panel.sums, width, panel.statistics);
        }
        if (call.options.dropout() > 0) {
            call.drop(panel, tile, 0, keyFrom, keys);
            masked = true; // a non-finite value with a dropped weight must add nothing
        }
        rows.pool(tile, keyFrom, keys, panel.sums, !panel.fresh, masked);
        panel.fresh = false;
    }

    /**
     * Computes {@code sums [width][query] += rows' tile}; if {@code masked}, a row with weight 0 adds nothing, even if it is
     * non-finite.
     */
    static void pool(Rows rows, int keys, int width, float[] tile, int at, float[] sums, boolean masked) {
        if (masked && !rows.finite(keys, width)) {
            KERNELS.poolAttended(rows.data, rows.at, rows.step, keys, width, tile, at, sums);
        } else {
            KERNELS.accumulate(rows.data, rows.at, 1, rows.step, width, tile, at, PANEL, keys, sums, 0, PANEL);
        }
    }

    /**
     * Fills a tile with the modified scores of {@code keys} keys; returns whether any score may be minus infinity
     * because it is masked.
     */
    static boolean scores(
            PanelCall call, Panel panel, Rows rows, float[] tile, int at, long keyFrom, int keys, TileCover cover) {
        if (call.meeting == null) {
            dots(call, panel, rows, tile, at, keys);
        } else {
            Arrays.fill(tile, at, at + keys * PANEL, 0);
            if (cover == TileCover.PARTIAL) {
                call.maskScores(panel, tile, at, keyFrom, keys);
            }
            call.meeting.scores(panel, rows, keys, tile, at);
        }
        return call.modify(panel, tile, at, keyFrom, keys, cover);
    }

    private static void dots(PanelCall call, Panel panel, Rows rows, float[] tile, int at, int keys) {
        int headDim = (int) call.shape.headDim();
        int maxDepth = call.tiles.depth();
        int depth = Math.min(headDim, maxDepth);
        KERNELS.product(rows.data, rows.at, rows.step, 1, keys, panel.packed, 0, PANEL, depth, tile, at, PANEL);
        for (int d = depth; d < headDim; d += maxDepth) {
            depth = Math.min(headDim - d, maxDepth);
            KERNELS.accumulate(
                    rows.data, rows.at + d, rows.step, 1, keys, panel.packed, d * PANEL, PANEL, depth, tile, at, PANEL);
        }
    }

    /** Adds the sink, a logit without a value, to the maxima and sums of the rows; then computes the inverse sums. */
    private void addSinks(Panel panel) {
        float[] st = panel.statistics;
        Tensor sink = call.options.sink();
        if (sink != null) {
            double logit = sink.get(panel.head);
            float unit = call.modifier.unit;
            int width = (int) shape.valueHeadDim();
            for (int i = 0; i < PANEL && logit != Double.NEGATIVE_INFINITY; i++) {
                double max = st[i] == Kernels.NOTHING ? Double.NEGATIVE_INFINITY : (double) st[i] * unit;
                double larger = Math.max(max, logit);
                st[i] = larger == max ? st[i] : (float) (larger / unit);
                double stored = (double) st[i] * unit; // rounded; the sums belong to the stored maximum
                double base = Math.abs(stored - larger) < MOST_ROUNDING ? stored : larger;
                float factor = (float) Math.exp(max - base);
                st[PANEL + i] = st[PANEL + i] * factor + (float) Math.exp(logit - base);
                for (int d = 0; d < width && factor != 1; d++) {
                    panel.sums[d * PANEL + i] *= factor;
                }
            }
        }
        for (int i = 0; i < PANEL; i++) {
            st[3 * PANEL + i] = st[PANEL + i] == 0 ? 0 : 1 / st[PANEL + i];
        }
    }

    private void write(Panel panel) {
        float[] st = panel.statistics;
        panel.write(result.output(), st, 3 * PANEL);
        for (int i = 0; i < panel.queries; i++) {
            double max = (double) st[i] * call.modifier.unit;
            result.setRowStatistics(max, st[PANEL + i], panel.batch, panel.head, panel.from + i);
        }
    }
}
