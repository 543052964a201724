package dev.heed.tensor;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** An iterator over the rows of a tensor along its last axis, in row-major order. The caller loops over the elements of a row. */
final class RowWalk {
    /** A visitor of one row; {@code position} and {@code stride} are in elements. */
    @FunctionalInterface
    interface Row {
        void at(long position, long stride, int length, int index);
    }

    private final Tensor tensor;
    private final int last;
    private final long[] index;
    private long position;

    private RowWalk(Tensor tensor) {
        this.tensor = tensor;
        this.last = tensor.rank() - 1;
        this.index = new long[Math.max(last, 0)];
        this.position = tensor.offset();
    }

    /**
     * Visits all rows. The index of a row is the number of elements before the row; it is correct for tensors of at most
     * 2^31 elements.
     */
    static void rows(Tensor tensor, Row visitor) {
        long count = tensor.elementCount();
        RowWalk walk = new RowWalk(tensor);
        int length = walk.length();
        for (long i = 0; i < count; i += length) {
            visitor.at(walk.next(), walk.stride(), length, (int) i);
        }
    }

    /** Copies a tensor into another tensor of the same shape. Each element is rounded to the type of the target. */
    static void copy(Tensor from, Tensor to) {
        long count = from.elementCount();
        RowWalk source = new RowWalk(from);
        RowWalk target = new RowWalk(to);
        int length = source.length();
        for (long i = 0; i < count; i += length) {
            source.copyRow(source.next(), target, target.next(), length);
        }
    }

    private int length() {
        return last < 0 ? 1 : Math.toIntExact(tensor.size(last));
    }

    private long stride() {
        return last < 0 ? 1 : tensor.stride(last);
    }

    /** Returns the position of the first element of the current row, then advances to the next row. */
    private long next() {
        long here = position;
        for (int axis = last - 1; axis >= 0; axis--) {
            position += tensor.stride(axis);
            if (++index[axis] < tensor.size(axis)) {
                break;
            }
            position -= index[axis] * tensor.stride(axis);
            index[axis] = 0;
        }
        return here;
    }

    private void copyRow(long here, RowWalk target, long there, int length) {
        MemorySegment from = tensor.host();
        MemorySegment to = target.tensor.host();
        DType type = tensor.type();
        DType wanted = target.tensor.type();
        long step = stride();
        long pace = target.stride();
        if (type == DType.F32 && wanted == DType.F32) {
            for (int i = 0; i < length; i++) {
                float value = from.get(JAVA_FLOAT_UNALIGNED, (here + i * step) * 4);
                to.set(JAVA_FLOAT_UNALIGNED, (there + i * pace) * 4, value);
            }
        } else if (type == DType.F64 && wanted == DType.F32) {
            for (int i = 0; i < length; i++) {
                double value = from.get(JAVA_DOUBLE_UNALIGNED, (here + i * step) * 8);
                to.set(JAVA_FLOAT_UNALIGNED, (there + i * pace) * 4, (float) value);
            }
        } else if (type == DType.I64 && wanted == DType.I64) {
            // a double cannot represent every 64-bit integer
            for (int i = 0; i < length; i++) {
                long value = from.get(JAVA_LONG_UNALIGNED, (here + i * step) * 8);
                to.set(JAVA_LONG_UNALIGNED, (there + i * pace) * 8, value);
            }
        } else if (tensor.scales() != null) {
            for (int i = 0; i < length; i++) {
                wanted.store(to, (there + i * pace) * wanted.bytes(), tensor.at(here + i * step));
            }
        } else {
            for (int i = 0; i < length; i++) {
                wanted.store(
                        to, (there + i * pace) * wanted.bytes(), type.load(from, (here + i * step) * type.bytes()));
            }
        }
    }
}
