package dev.heed.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Reads elements of a floating-point or i8 tensor as f32, a chunk at a time, with a loop for each type.
 */
final class FloatSource {
    private final Tensor tensor;
    private final long step;

    /** Whether values that f32 cannot hold are rounded to odd, because the target rounds them again, see {@link Narrowing}. */
    private final boolean odd;

    private final MemorySegment segment;
    private final short @Nullable [] array;

    /** The index of position 0 in the array. */
    private final int base;

    private final short[] halves;
    private final int[] bits;
    private final byte[] bytes;

    /**
     * Creates a reader.
     *
     * @param step the distance between successive elements
     * @param chunk the largest number of elements per call
     */
    FloatSource(Tensor tensor, long step, boolean odd, int chunk) {
        this.tensor = tensor;
        this.step = step;
        this.odd = odd;
        this.segment = tensor.host();
        this.array = step == 1 ? HeapArrays.shorts(tensor) : null;
        this.base = array == null ? 0 : HeapArrays.index(tensor, 0);
        DType type = tensor.type();
        this.halves = new short[type.bytes() == Short.BYTES && array == null ? chunk : 0];
        this.bits = new int[type == DType.BF16 ? chunk : 0];
        this.bytes = new byte[type == DType.I8 ? chunk : 0];
    }

    /**
     * {@return whether elements of one type can pass through f32 to another} Scaled bytes have 32 significant bits, so f64 cannot
     * get them through f32.
     */
    static boolean carries(DType from, DType to) {
        return to.isFloating() && (from.isFloating() || from == DType.I8 && to != DType.F64);
    }

    void read(long position, float[] into, int at, int count) {
        switch (tensor.type()) {
            case F32 -> floats(position, into, at, count);
            case F64 -> doubles(position, into, at, count);
            case F16 -> {
                int first = array == null ? 0 : base + (int) position;
                Conversions.halvesToFloats(halves(position, count), first, into, at, count);
            }
            case BF16 -> {
                int first = array == null ? 0 : base + (int) position;
                Conversions.bfloatsToFloats(halves(position, count), first, bits, into, at, count);
            }
            default -> bytes(position, into, at, count);
        }
    }

    private void floats(long position, float[] into, int at, int count) {
        if (step == 1) {
            MemorySegment.copy(segment, JAVA_FLOAT_UNALIGNED, position * 4, into, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[at + i] = segment.get(JAVA_FLOAT_UNALIGNED, (position + i * step) * 4);
        }
    }

    private void doubles(long position, float[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            double value = segment.get(JAVA_DOUBLE_UNALIGNED, (position + i * step) * 8);
            into[at + i] = odd ? Narrowing.toOddFloat(value) : (float) value;
        }
    }

    /** {@return the tensor's own array, or a copy of the elements} */
    private short[] halves(long position, int count) {
        if (array != null) {
            return array;
        }
        if (step == 1) {
            MemorySegment.copy(segment, JAVA_SHORT_UNALIGNED, position * 2, halves, 0, count);
            return halves;
        }
        for (int i = 0; i < count; i++) {
            halves[i] = segment.get(JAVA_SHORT_UNALIGNED, (position + i * step) * 2);
        }
        return halves;
    }

    private void bytes(long position, float[] into, int at, int count) {
        ByteScales scales = tensor.scales();
        if (scales == null || step != 1 || odd) {
            for (int i = 0; i < count; i++) {
                double value = tensor.at(position + i * step);
                into[at + i] = odd ? Narrowing.toOddFloat(value) : (float) value;
            }
            return;
        }
        MemorySegment.copy(segment, JAVA_BYTE, position, bytes, 0, count);
        Conversions.bytesToFloats(bytes, into, at, count);
        long block = scales.block();
        int end = (int) Math.min(count, block - position % block);
        for (int i = 0; i < count; i = end, end = (int) Math.min(count, end + block)) {
            Conversions.multiply(into, at + i, at + end, scales.of(position + i));
        }
    }
}
