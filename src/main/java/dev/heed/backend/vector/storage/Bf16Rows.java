package dev.heed.backend.vector.storage;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.ffi.NativeKernels;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * A tile of bf16 keys and their values, prepared by one thread for native products. Rows {@code 2t} and {@code 2t + 1} of
 * the values are interleaved into one row of pairs.
 */
public final class Bf16Rows {
    private static final int INFINITE = 0x7f80;

    private final StoredRows keys = new StoredRows();
    private final StoredRows rows = new StoredRows();

    private long from;
    private int width;
    private boolean finite;
    private boolean cleaned;
    private short[] values = new short[0];
    private short[] clean = new short[0];
    private short[] weights = new short[0];

    /** Drops the references to the caller's memory. */
    void forget() {
        keys.forget();
        rows.forget();
    }

    /** Points at keys {@code [from, to)} of one head and interleaves their values. */
    public void load(Tensor key, Tensor value, long batch, long head, long from, long to) {
        int count = (int) (to - from);
        this.from = from;
        keys.load(key, batch, head, from, count);
        rows.load(value, batch, head, from, count);
        width = (int) value.size(3);
        values = atLeast(values, (count + 1) / 2 * 2 * width);
        finite = NativeKernels.bf16Interleave(
                rows.data, rows.at, rows.row, count, width, MemorySegment.ofArray(values), 0, 2L * width);
        cleaned = false;
    }

    /**
     * Computes the dot products {@code tile [key][query] = K Q'} of {@code count} keys, beginning with key {@code keyFrom},
     * and the queries packed in {@code pairs}. Each native call covers at most {@code maxDepth} elements of depth, which
     * must be even.
     */
    public void dots(short[] pairs, int headDim, int maxDepth, float[] tile, long keyFrom, int count) {
        MemorySegment q = MemorySegment.ofArray(pairs);
        MemorySegment scores = MemorySegment.ofArray(tile);
        long at = keys.at + (keyFrom - from) * keys.row;
        for (int d = 0; d < headDim; d += maxDepth) {
            int depth = Math.min(headDim - d, maxDepth);
            NativeKernels.bf16Product(
                    keys.data, at + d, keys.row, 2, count, q, (long) d * PANEL, PANEL, depth, scores, 0, PANEL, d > 0);
        }
    }

    /**
     * Computes {@code sums [width][query] = V' W} with the weights {@code W} of a tile rounded to bf16; adds to the sums if
     * {@code onto}. If {@code masked}, a non-finite value is added only to the sums of queries whose weight for its key is
     * not 0.
     */
    public void pool(float[] tile, long keyFrom, int count, float[] sums, boolean onto, boolean masked) {
        weights = atLeast(weights, (count + 1) / 2 * 2 * PANEL);
        MemorySegment pairs = MemorySegment.ofArray(weights);
        NativeKernels.bf16Pairs(MemorySegment.ofArray(tile), 0, PANEL, count, pairs, 0, PANEL);
        boolean unsafe = masked && !finite;
        if (unsafe) {
            clean();
        }
        int first = (int) (keyFrom - from); // a multiple of the tile size, so even
        long at = (long) first * width;
        NativeKernels.bf16Product(
                MemorySegment.ofArray(unsafe ? clean : values),
                at,
                2,
                2L * width,
                width,
                pairs,
                0,
                PANEL,
                count,
                MemorySegment.ofArray(sums),
                0,
                PANEL,
                onto);
        for (int j = 0; unsafe && j < count; j++) {
            addInfinite(j, first + j, sums);
        }
    }

    private int place(int key, int d) {
        return key / 2 * 2 * width + 2 * d + key % 2;
    }

    private static boolean infinite(short value) {
        return (value & INFINITE) == INFINITE;
    }

    private void clean() {
        if (cleaned) {
            return;
        }
        clean = atLeast(clean, values.length);
        for (int i = 0; i < values.length; i++) {
            clean[i] = infinite(values[i]) ? 0 : values[i];
        }
        cleaned = true;
    }

    private void addInfinite(int weight, int key, float[] sums) {
        for (int d = 0; d < width; d++) {
            short value = values[place(key, d)];
            for (int i = 0; infinite(value) && i < PANEL; i++) {
                float w = toFloat(weights[(weight / 2 * PANEL + i) * 2 + weight % 2]);
                if (w != 0) {
                    sums[d * PANEL + i] += w * toFloat(value);
                }
            }
        }
    }

    private static float toFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    private static short[] atLeast(short[] array, int length) {
        return array.length >= length ? array : new short[length];
    }
}
