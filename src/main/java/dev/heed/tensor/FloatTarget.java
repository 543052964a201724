package dev.heed.tensor;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Writes floats to elements of a floating-point tensor, a chunk at a time, with a loop for each type. */
final class FloatTarget {
    private final Tensor tensor;
    private final long step;
    private final MemorySegment segment;
    private final short @Nullable [] array;
    private final double @Nullable [] doubles;

    /** The index of position 0 in the array. */
    private final int base;

    private final short[] halves;
    private final int[] bits;

    /**
     * Creates a writer.
     *
     * @param step the distance between successive elements
     * @param chunk the largest number of elements per call
     */
    FloatTarget(Tensor tensor, long step, int chunk) {
        this.tensor = tensor;
        this.step = step;
        this.segment = tensor.host();
        this.array = step == 1 ? HeapArrays.shorts(tensor) : null;
        this.doubles = step == 1 ? HeapArrays.doubles(tensor) : null;
        this.base = array == null && doubles == null ? 0 : HeapArrays.index(tensor, 0);
        this.halves = new short[tensor.type().bytes() == Short.BYTES && array == null ? chunk : 0];
        this.bits = new int[tensor.type() == DType.BF16 ? chunk : 0];
    }

    void write(float[] from, int at, long position, int count) {
        switch (tensor.type()) {
            case F64 -> toDoubles(from, at, position, count);
            case F32 -> toFloats(from, at, position, count);
            default -> {
                if (array != null) {
                    narrow(from, at, array, base + (int) position, count);
                } else {
                    narrow(from, at, halves, 0, count);
                    store(position, count);
                }
            }
        }
    }

    private void toDoubles(float[] from, int at, long position, int count) {
        if (doubles != null) {
            Conversions.floatsToDoubles(from, at, doubles, base + (int) position, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            segment.set(JAVA_DOUBLE_UNALIGNED, (position + i * step) * 8, from[at + i]);
        }
    }

    private void toFloats(float[] from, int at, long position, int count) {
        if (step == 1) {
            MemorySegment.copy(from, at, segment, JAVA_FLOAT_UNALIGNED, position * 4, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            segment.set(JAVA_FLOAT_UNALIGNED, (position + i * step) * 4, from[at + i]);
        }
    }

    private void narrow(float[] from, int at, short[] into, int first, int count) {
        if (tensor.type() == DType.F16) {
            Conversions.floatsToHalves(from, at, into, first, count);
        } else {
            Conversions.floatsToBfloats(from, at, bits, into, first, count);
        }
    }

    private void store(long position, int count) {
        if (step == 1) {
            MemorySegment.copy(halves, 0, segment, JAVA_SHORT_UNALIGNED, position * 2, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            segment.set(JAVA_SHORT_UNALIGNED, (position + i * step) * 2, halves[i]);
        }
    }
}
