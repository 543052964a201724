package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.Tiles;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.StoredRows;
import dev.heed.ffi.NativeFeature;
import dev.heed.ffi.NativeKernels;
import dev.heed.ffi.NativeKernels.Runs;
import dev.heed.ffi.NativeKernels.Scales;
import dev.heed.ffi.NativeLibrary;
import dev.heed.tensor.ByteScales;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The two loops of decode (scores, weighted values) in native kernels, on keys and values as stored. Memory bandwidth
 * limits decode; a bf16 or f16 row has half the bytes of an f32 row, and an i8 row a quarter. Weights stay f32.
 *
 * <p>If keys are i8, each query element is written as an integer of three bytes times a unit, one unit per row.
 * Products of these integers with i8 elements are exact. The rounding error of a query element is at most about 2^-24 times
 * the largest magnitude in its row.
 */
final class NativeRows {
    private static final int LIMBS = NativeKernels.LIMBS;

    /** The largest integer that three balanced base-256 digits can hold. */
    private static final int LARGEST_QUANTUM = 127 * (1 << 16) + 127 * (1 << 8) + 127;

    private final Tensor key;
    private final Tensor value;
    private final DType type;
    private final int headDim;
    private final int valueDim;

    private NativeRows(PanelCall call) {
        key = call.inputs.key();
        value = call.inputs.value();
        type = key.type();
        headDim = (int) call.shape.headDim();
        valueDim = (int) call.shape.valueHeadDim();
    }

    /** {@return the native loops for a call, or null if the Java loops compute it} */
    static @Nullable NativeRows of(PanelCall call) {
        Tensor key = call.inputs.key();
        DType type = key.type();
        NativeFeature needed = switch (type) {
            case BF16 -> NativeFeature.BF16_ROWS;
            case F16 -> NativeFeature.F16_ROWS;
            case I8 -> NativeFeature.I8_ROWS;
            default -> null;
        };
        boolean serve = needed != null
                && call.inputs.value().type() == type
                && (type == DType.I8 || call.inputs.query().type() == type) // so their f32 copies narrow exactly
                && call.meeting == null
                && !Lanes.SCALAR
                && Tiles.nativeKernels(type).decode()
                && (type != DType.I8 || (oneScale(key) && oneScale(call.inputs.value())))
                && NativeLibrary.has(needed);
        return serve ? new NativeRows(call) : null;
    }

    /**
     * Whether every i8 row can be read without a copy, is short enough for the native kernels, and has a single scale,
     * because it is inside one block of the scales.
     */
    private static boolean oneScale(Tensor rows) {
        ByteScales scales = rows.scales();
        long width = rows.size(3);
        if (scales == null) {
            return false;
        }
        boolean even = StoredRows.inPlace(rows)
                && width <= NativeKernels.MOST_BYTES
                && rows.offset() % scales.block() + width <= scales.block();
        for (int axis = 0; even && axis < 3; axis++) {
            even = rows.size(axis) == 1 || rows.stride(axis) % scales.block() == 0;
        }
        return even;
    }

    /** Converts the packed queries of a task to the representation that the native kernel reads; f16 kernels read f32. */
    void queries(Scratch scratch, int rows) {
        if (type == DType.I8) {
            quantise(scratch, rows);
        }
        if (type == DType.BF16) { // exact, because the queries are stored as bf16
            int length = rows * headDim;
            scratch.narrow = scratch.narrow.length >= length ? scratch.narrow : new short[length];
            NativeKernels.bf16Narrow(
                    MemorySegment.ofArray(scratch.packed),
                    0,
                    headDim,
                    rows,
                    headDim,
                    MemorySegment.ofArray(scratch.narrow),
                    0,
                    headDim);
        }
    }

    /**
     * Writes the queries as balanced base-256 digits, from -128 to 127, lowest digit first; a row with a non-finite element
     * gets the unit NaN.
     */
    private void quantise(Scratch scratch, int rows) {
        int length = rows * headDim;
        scratch.units = ArrayGrowth.atLeast(scratch.units, rows);
        scratch.limbs = scratch.limbs.length >= LIMBS * length ? scratch.limbs : new byte[LIMBS * length];
        for (int r = 0; r < rows; r++) {
            float largest = 0;
            float spoiled = 0;
            for (int d = r * headDim; d < (r + 1) * headDim; d++) {
                largest = Math.max(largest, Math.abs(scratch.packed[d]));
                spoiled += scratch.packed[d] * 0;
            }
            double unit = (double) largest / LARGEST_QUANTUM;
            scratch.units[r] = spoiled == 0 ? (float) unit : Float.NaN;
            double inverse = scratch.units[r] > 0 ? 1.0 / scratch.units[r] : 0;
            for (int d = 0; d < headDim; d++) {
                int rest = (int) Math.clamp(
                        Math.rint(scratch.packed[r * headDim + d] * inverse), -LARGEST_QUANTUM, LARGEST_QUANTUM);
                for (int limb = 0; limb < LIMBS; limb++) {
                    byte digit = (byte) rest;
                    scratch.limbs[(r * LIMBS + limb) * headDim + d] = digit;
                    rest = (rest - digit) >> Byte.SIZE;
                }
            }
        }
    }

    private static Scales scales(Tensor tensor, StoredRows rows, long apart) {
        ByteScales scales = Objects.requireNonNull(tensor.scales());
        long step = rows.row / scales.block();
        return new Scales(scales.numbers(), rows.at / scales.block(), step, apart * step);
    }

    /**
     * Computes the scores of all query rows; successive rows begin {@code step} elements apart in {@code scratch.tile}.
     */
    void scores(
            Scratch scratch, int rows, int step, long batch, long kvHead, long from, long apart, int runs, int count) {
        Runs k = scratch.stored
                .load(key, batch, kvHead, from, apart, runs, count)
                .runs(runs, count);
        MemorySegment tile = MemorySegment.ofArray(scratch.tile);
        if (type == DType.I8) {
            MemorySegment limbs = MemorySegment.ofArray(scratch.limbs);
            MemorySegment units = MemorySegment.ofArray(scratch.units);
            Scales scales = scales(key, scratch.stored, apart);
            NativeKernels.i8Dots(limbs, 0, units, rows, k, headDim, scales, tile, 0, step);
        } else if (type == DType.BF16) {
            MemorySegment queries = MemorySegment.ofArray(scratch.narrow);
            NativeKernels.bf16Dots(queries, 0, headDim, rows, k, headDim, tile, 0, step);
        } else {
            MemorySegment queries = MemorySegment.ofArray(scratch.packed);
            NativeKernels.f16Dots(queries, 0, headDim, rows, k, headDim, tile, 0, step);
        }
    }

    /** Adds the weighted values to {@code sums}; if {@code masked}, values of weight 0 are not read. */
    void pool(
            Scratch scratch,
            int rows,
            int step,
            long batch,
            long kvHead,
            long from,
            long apart,
            int runs,
            int count,
            float[] sums,
            int at,
            boolean masked) {
        Runs v = scratch.stored
                .load(value, batch, kvHead, from, apart, runs, count)
                .runs(runs, count);
        MemorySegment weights = MemorySegment.ofArray(scratch.tile);
        MemorySegment to = MemorySegment.ofArray(sums);
        int row = Lanes.panels(valueDim) * PANEL;
        if (type == DType.I8) {
            Scales scales = scales(value, scratch.stored, apart);
            NativeKernels.i8Pool(weights, 0, step, rows, v, valueDim, scales, to, at, row, masked);
        } else if (type == DType.BF16) {
            NativeKernels.bf16Pool(weights, 0, step, rows, v, valueDim, to, at, row, masked);
        } else {
            NativeKernels.f16Pool(weights, 0, step, rows, v, valueDim, to, at, row, masked);
        }
    }
}
