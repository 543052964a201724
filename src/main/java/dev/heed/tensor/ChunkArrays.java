package dev.heed.tensor;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Scratch arrays of a copy, each of {@link TensorChunk#SIZE} elements and made at its first use. One set is kept for the next copy,
 * because new arrays of a copy of 1,000 elements take longer than its loops.
 */
final class ChunkArrays {
    /** The purpose of an array. */
    enum Use {
        SOURCE,
        TARGET,
        SPAN,
        FLOATS,
        PRODUCTS,
        BITS,
        PAIRS
    }

    private static final int WIDTHS = 4;
    private static final AtomicReference<@Nullable Object @Nullable []> FREE = new AtomicReference<>();

    private @Nullable Object @Nullable [] arrays;

    /** {@return the array for a use and elements of a type} The same array serves types of the same width. */
    Object of(Use use, DType type) {
        if (arrays == null) {
            arrays = FREE.getAndSet(null);
            arrays = arrays == null ? new Object[Use.values().length * WIDTHS] : arrays;
        }
        int index = use.ordinal() * WIDTHS + Integer.numberOfTrailingZeros(type.bytes());
        Object array = arrays[index];
        if (array == null) {
            array = Tensor.zeros(type, TensorChunk.SIZE).segment().heapBase().orElseThrow();
            arrays[index] = array;
        }
        return array;
    }

    /** Keeps the arrays for the next copy. */
    void give() {
        if (arrays != null) {
            FREE.set(arrays);
        }
    }
}
