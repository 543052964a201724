package dev.heed.tensor;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The Java arrays of tensors on the heap. A loop over an array is vectorised in every process; a loop over
 * a segment is not if the process has used several kinds of memory. */
final class HeapArrays {
    private HeapArrays() {}

    /** {@return the array of a tensor in memory of its own element type, as made by {@link Tensor#zeros}; else null} */
    static @Nullable Object of(Tensor tensor) {
        MemorySegment segment = tensor.host();
        if (segment.address() % tensor.type().bytes() != 0) { // a segment may begin in the middle of an element
            return null;
        }
        Object array = segment.heapBase().orElse(null);
        boolean own = switch (tensor.type()) {
            case F64 -> array instanceof double[];
            case F32 -> array instanceof float[];
            case F16, BF16 -> array instanceof short[];
            case I64 -> array instanceof long[];
            case I32 -> array instanceof int[];
            case I8, BOOL -> array instanceof byte[];
        };
        return own ? array : null;
    }

    /** {@return the index of position 0 in the array of a tensor} */
    static int base(Tensor tensor) {
        return (int) (tensor.host().address() / tensor.type().bytes());
    }

    /** {@return all of an array of floating-point elements or bytes as a segment} */
    static MemorySegment segment(Object array) {
        if (array instanceof float[] floats) {
            return MemorySegment.ofArray(floats);
        }
        if (array instanceof short[] shorts) {
            return MemorySegment.ofArray(shorts);
        }
        return array instanceof double[] doubles
                ? MemorySegment.ofArray(doubles)
                : MemorySegment.ofArray((byte[]) array);
    }
}
