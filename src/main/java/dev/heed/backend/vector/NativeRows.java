package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.PANEL;

import dev.heed.ffi.NativeFeature;
import dev.heed.ffi.NativeKernels;
import dev.heed.ffi.NativeKernels.Runs;
import dev.heed.ffi.NativeLibrary;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Decode's two loops by native kernels, on keys and values as they are stored: a bf16 or f16 row is half the bytes of an f32 row,
 * and bytes are what decode waits for. Weights stay f32.
 */
final class NativeRows {
    private final Tensor key;
    private final Tensor value;
    private final boolean bf16;
    private final int headDim;
    private final int valueDim;

    private NativeRows(PanelCall call) {
        key = call.inputs.key();
        value = call.inputs.value();
        bf16 = key.type() == DType.BF16;
        headDim = (int) call.shape.headDim();
        valueDim = (int) call.shape.valueHeadDim();
    }

    /** {@return the loops for a call, or null where the Vector API's serve} */
    static @Nullable NativeRows of(PanelCall call) {
        Tensor key = call.inputs.key();
        DType type = key.type();
        boolean serve = (type == DType.BF16 || type == DType.F16)
                && call.meeting == null
                && !Lanes.SCALAR
                && Tiles.nativeKernels(type).decode()
                && NativeLibrary.has(type == DType.BF16 ? NativeFeature.BF16_ROWS : NativeFeature.F16_ROWS);
        return serve ? new NativeRows(call) : null;
    }

    /** Takes the packed queries of a task. */
    void queries(Scratch scratch, int rows) {
        if (bf16) { // they were bf16 and become so again
            int length = rows * headDim;
            scratch.narrow = scratch.narrow.length >= length ? scratch.narrow : new short[length];
            NativeKernels.bf16Narrow(
                    MemorySegment.ofArray(scratch.packed), 0, length, MemorySegment.ofArray(scratch.narrow), 0);
        }
    }

    /** The scores of all query rows, {@code step} apart in the scratch's tile. */
    void scores(
            Scratch scratch, int rows, int step, long batch, long kvHead, long from, long apart, int runs, int count) {
        Runs k = scratch.stored
                .load(key, batch, kvHead, from, apart, runs, count)
                .runs(runs, count);
        MemorySegment tile = MemorySegment.ofArray(scratch.tile);
        if (bf16) {
            MemorySegment queries = MemorySegment.ofArray(scratch.narrow);
            NativeKernels.bf16Dots(queries, 0, headDim, rows, k, headDim, tile, 0, step);
        } else {
            MemorySegment queries = MemorySegment.ofArray(scratch.packed);
            NativeKernels.f16Dots(queries, 0, headDim, rows, k, headDim, tile, 0, step);
        }
    }

    /** Adds the weighted values; those of weight 0 are not read where some are hidden. */
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
            boolean hidden) {
        Runs v = scratch.stored
                .load(value, batch, kvHead, from, apart, runs, count)
                .runs(runs, count);
        MemorySegment weights = MemorySegment.ofArray(scratch.tile);
        MemorySegment to = MemorySegment.ofArray(sums);
        int row = Lanes.panels(valueDim) * PANEL;
        if (bf16) {
            NativeKernels.bf16Pool(weights, 0, step, rows, v, valueDim, to, at, row, hidden);
        } else {
            NativeKernels.f16Pool(weights, 0, step, rows, v, valueDim, to, at, row, hidden);
        }
    }
}
