package dev.heed.backend.vector.storage;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;

import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.tensor.ByteScales;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one head as floats: read in place if each row is contiguous in a {@code float[]}, else copied to scratch
 * memory and converted to f32.
 */
public final class Rows {
    public float[] data = new float[0];
    public int at;

    /** The distance between rows, in elements. */
    public int step;

    /**
     * The distance between the starts of successive runs, in elements, set by {@link #loadFour}. A run is a range of
     * consecutive rows.
     */
    public int runStride;

    private float[] copy = new float[0];

    /** Drops the reference to the caller's array. */
    void forget() {
        data = copy;
    }

    /** Points at rows {@code [from, to)} of one head; reads {@code array}, if not null, in place. */
    public void load(Tensor tensor, float @Nullable [] array, long batch, long head, long from, long to) {
        long position = tensor.position(batch, head, from, 0);
        int width = (int) tensor.size(3);
        if (array != null) {
            data = array;
            at = (int) (tensor.segment().address() / Float.BYTES + position);
            step = (int) tensor.stride(2);
            return;
        }
        int rows = (int) (to - from);
        copy = ArrayGrowth.atLeast(copy, rows * width);
        for (int j = 0; j < rows; j++) {
            read(tensor, position + j * tensor.stride(2), tensor.stride(3), copy, j * width, width);
        }
        data = copy;
        at = 0;
        step = width;
    }

    /** Moves the start forward by {@code rows} rows, or back if {@code rows} is negative. */
    public void skip(int rows) {
        at += rows * step;
    }

    /**
     * Points at four runs of {@code count} rows of one head; the first run begins with row {@code from}. Successive runs
     * begin {@code apart} rows apart in the tensor, and {@link #runStride} elements apart in {@link #data}.
     */
    public void loadFour(
            Tensor tensor, float @Nullable [] array, long batch, long head, long from, long apart, int count) {
        if (array != null) {
            load(tensor, array, batch, head, from, from + count);
            runStride = (int) (apart * tensor.stride(2));
            return;
        }
        int width = (int) tensor.size(3);
        runStride = count * width;
        copy = ArrayGrowth.atLeast(copy, 4 * runStride);
        for (int run = 0; run < 4; run++) {
            long position = tensor.position(batch, head, from + run * apart, 0);
            for (int j = 0; j < count; j++) {
                read(
                        tensor,
                        position + j * tensor.stride(2),
                        tensor.stride(3),
                        copy,
                        run * runStride + j * width,
                        width);
            }
        }
        data = copy;
        at = 0;
        step = width;
    }

    /** Whether all elements of the first {@code rows} rows are finite. */
    public boolean finite(int rows, int width) {
        return KERNELS.finite(data, at, step, rows, width);
    }

    /** {@return the array of a tensor, or null if its rows cannot be read in place} */
    public static float @Nullable [] array(Tensor tensor) {
        boolean straight = tensor.type() == DType.F32
                && (tensor.stride(-1) == 1 || tensor.size(-1) == 1)
                && tensor.segment().address() % Float.BYTES == 0; // a segment may begin in the middle of an element
        return straight && tensor.segment().heapBase().orElse(null) instanceof float[] array ? array : null;
    }

    /** Reads {@code count} elements, {@code stride} elements apart, and converts them to f32. */
    public static void read(Tensor tensor, long position, long stride, float[] into, int at, int count) {
        MemorySegment segment = tensor.segment();
        if (stride == 1 && Widths.serve(tensor.type(), segment, count)) {
            Widths.widen(tensor.type(), segment, position, into, at, count);
            return;
        }
        switch (tensor.type()) {
            case F32 -> {
                if (stride == 1) {
                    MemorySegment.copy(
                            segment, ValueLayout.JAVA_FLOAT_UNALIGNED, position * Float.BYTES, into, at, count);
                    return;
                }
                for (int d = 0; d < count; d++) {
                    into[at + d] = segment.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (position + d * stride) * Float.BYTES);
                }
            }
            case I8 -> {
                ByteScales scales = tensor.scales();
                boolean one = scales != null
                        && stride == 1
                        && position / scales.block() == (position + count - 1) / scales.block();
                float scale = one ? Objects.requireNonNull(scales).of(position) : 1;
                if (one && Widths.serveBytes(count)) {
                    Widths.widenBytes(segment, position, scale, into, at, count);
                    return;
                }
                for (int d = 0; d < count; d++) {
                    long there = position + d * stride;
                    into[at + d] = one ? segment.get(ValueLayout.JAVA_BYTE, there) * scale : (float) tensor.at(there);
                }
            }
            case F16 -> {
                for (int d = 0; d < count; d++) {
                    into[at + d] = Float.float16ToFloat(
                            segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, (position + d * stride) * Short.BYTES));
                }
            }
            case BF16 -> {
                for (int d = 0; d < count; d++) {
                    into[at + d] = Float.intBitsToFloat(
                            segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, (position + d * stride) * Short.BYTES) << 16);
                }
            }
            default -> {
                for (int d = 0; d < count; d++) {
                    into[at + d] = (float) tensor.at(position + d * stride);
                }
            }
        }
    }

    /** Writes {@code count} elements, {@code stride} elements apart, rounded to the tensor's type. */
    public static void write(float[] from, int at, Tensor tensor, long position, long stride, int count) {
        if (tensor.type() == DType.F32 && stride == 1) {
            MemorySegment.copy(
                    from, at, tensor.segment(), ValueLayout.JAVA_FLOAT_UNALIGNED, position * Float.BYTES, count);
            return;
        }
        if (stride == 1 && Widths.serve(tensor.type(), tensor.segment(), count)) {
            Widths.narrow(tensor.type(), from, at, tensor.segment(), position, count);
            return;
        }
        for (int d = 0; d < count; d++) {
            tensor.put(position + d * stride, from[at + d]);
        }
    }

    /**
     * Writes {@code rows} rows of {@code count} elements, rounded to the tensor's type. The rows are contiguous in {@code from}
     * and {@code rowStride} elements apart in the tensor.
     */
    public static void write(
            float[] from, Tensor tensor, long position, long rowStride, long stride, int rows, int count) {
        if (stride == 1 && tensor.type() == DType.BF16 && Widths.serve(tensor.type(), tensor.segment(), count)) {
            Widths.narrow(from, tensor.segment(), position, rowStride, rows, count);
            return;
        }
        for (int r = 0; r < rows; r++) {
            write(from, r * count, tensor, position + r * rowStride, stride, count);
        }
    }
}
