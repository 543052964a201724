package dev.heed.tensor;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The Java arrays of tensors on the heap. A loop over an array is vectorised in every process; a loop over
 * a segment is not if the process has used several kinds of memory. */
final class HeapArrays {
    private HeapArrays() {}

    /** {@return the array of an f32 tensor; null if its memory is not a {@code float[]}} */
    static float @Nullable [] floats(Tensor tensor) {
        return tensor.type() == DType.F32 && base(tensor) instanceof float[] array ? array : null;
    }

    /** {@return the array of a 16-bit tensor; null if its memory is not a {@code short[]}} */
    static short @Nullable [] shorts(Tensor tensor) {
        return tensor.type().bytes() == Short.BYTES && base(tensor) instanceof short[] array ? array : null;
    }

    /** {@return the array of an f64 tensor; null if its memory is not a {@code double[]}} */
    static double @Nullable [] doubles(Tensor tensor) {
        return tensor.type() == DType.F64 && base(tensor) instanceof double[] array ? array : null;
    }

    /** {@return the index of a position in the array of a tensor} */
    static int index(Tensor tensor, long position) {
        return (int) (tensor.host().address() / tensor.type().bytes() + position);
    }

    private static @Nullable Object base(Tensor tensor) {
        MemorySegment segment = tensor.host();
        boolean aligned =
                segment.address() % tensor.type().bytes() == 0; // a segment may begin in the middle of an element
        return aligned ? segment.heapBase().orElse(null) : null;
    }
}
