package dev.heed.backend.vector.storage;

import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.ffi.NativeFeature;
import dev.heed.ffi.NativeKernels;
import dev.heed.ffi.NativeLibrary;
import dev.heed.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * Conversions of contiguous bf16 and f16 elements to and from f32, and of int8 elements to f32, by native kernels. The bits
 * are the same as in element-wise conversions.
 */
final class Widths {
    /** Minimum number of elements for a native call; fewer elements are converted faster in Java. */
    private static final int FEWEST = 16;

    private Widths() {}

    static boolean serve(DType type, MemorySegment segment, int count) {
        return count >= FEWEST
                && (type == DType.BF16 || type == DType.F16)
                && !Lanes.SCALAR
                && segment.address() % Short.BYTES == 0
                && NativeLibrary.has(NativeFeature.WIDTHS);
    }

    static boolean serveBytes(int count) {
        return count >= FEWEST && !Lanes.SCALAR && NativeLibrary.has(NativeFeature.WIDTHS);
    }

    static void widenBytes(MemorySegment from, long position, float scale, float[] into, int at, int count) {
        NativeKernels.i8Widen(from, position, count, scale, MemorySegment.ofArray(into), at);
    }

    static void widen(DType type, MemorySegment from, long position, float[] into, int at, int count) {
        MemorySegment to = MemorySegment.ofArray(into);
        if (type == DType.BF16) {
            NativeKernels.bf16Widen(from, position, count, to, at);
        } else {
            NativeKernels.f16Widen(from, position, count, to, at);
        }
    }

    static void narrow(DType type, float[] from, int at, MemorySegment into, long position, int count) {
        MemorySegment numbers = MemorySegment.ofArray(from);
        if (type == DType.BF16) {
            NativeKernels.bf16Narrow(numbers, at, count, 1, count, into, position, count);
        } else {
            NativeKernels.f16Narrow(numbers, at, count, into, position);
        }
    }

    /** Rounds contiguous rows of floats to bf16 rows that are {@code rowStride} elements apart. */
    static void narrow(float[] from, MemorySegment into, long position, long rowStride, int rows, int count) {
        NativeKernels.bf16Narrow(MemorySegment.ofArray(from), 0, count, rows, count, into, position, rowStride);
    }
}
