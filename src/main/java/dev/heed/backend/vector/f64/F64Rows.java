package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.KERNELS;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/** The rows of one head as doubles: read in place if each row is contiguous in a {@code double[]}, else copied. */
public final class F64Rows {
    double[] data = new double[0];
    int at;

    /** The distance between rows, in elements. */
    int step;

    private double[] copy = new double[0];

    /** Drops the reference to the caller's array. */
    void forget() {
        data = copy;
    }

    /** Points at rows {@code [from, to)} of one head; reads {@code array}, if not null, in place. */
    void load(Tensor tensor, double @Nullable [] array, long batch, long head, long from, long to) {
        long position = tensor.position(batch, head, from, 0);
        int width = (int) tensor.size(3);
        if (array != null) {
            data = array;
            at = (int) (tensor.segment().address() / Double.BYTES + position);
            step = (int) tensor.stride(2);
            return;
        }
        copyOf(tensor, batch, head, from, (int) (to - from), width);
    }

    /** Copies {@code count} rows to rows of {@code step} elements, padded with zeros, and points at the copies. */
    void copyOf(Tensor tensor, long batch, long head, long from, int count, int step) {
        int width = (int) tensor.size(3);
        copy = F64Scratch.cleared(copy, count * step);
        long position = tensor.position(batch, head, from, 0);
        for (int j = 0; j < count; j++) {
            read(tensor, position + j * tensor.stride(2), tensor.stride(3), copy, j * step, width);
        }
        data = copy;
        at = 0;
        this.step = step;
    }

    /** Whether all elements of the first {@code count} rows are finite. */
    boolean finite(int count, int width) {
        return KERNELS.finite(data, at, step, count, width);
    }

    /** {@return the array of a tensor whose rows can be read in place, or null} */
    static double @Nullable [] array(Tensor tensor) {
        MemorySegment segment = tensor.segment();
        boolean straight = tensor.type() == DType.F64
                && (tensor.stride(3) == 1 || tensor.size(3) == 1)
                && segment.address() % Double.BYTES == 0;
        return straight && segment.heapBase().orElse(null) instanceof double[] array ? array : null;
    }

    /** Reads {@code count} elements of any type, {@code stride} apart, and converts them to doubles. */
    public static void read(Tensor tensor, long position, long stride, double[] into, int at, int count) {
        if (tensor.type() == DType.F64 && stride == 1) {
            MemorySegment.copy(
                    tensor.segment(), ValueLayout.JAVA_DOUBLE_UNALIGNED, position * Double.BYTES, into, at, count);
            return;
        }
        for (int d = 0; d < count; d++) {
            into[at + d] = tensor.at(position + d * stride);
        }
    }

    /** Writes {@code count} elements, {@code stride} apart, rounded to the tensor's type. */
    public static void write(double[] from, int at, Tensor tensor, long position, long stride, int count) {
        if (tensor.type() == DType.F64 && stride == 1) {
            MemorySegment.copy(
                    from, at, tensor.segment(), ValueLayout.JAVA_DOUBLE_UNALIGNED, position * Double.BYTES, count);
            return;
        }
        for (int d = 0; d < count; d++) {
            tensor.put(position + d * stride, from[at + d]);
        }
    }
}
