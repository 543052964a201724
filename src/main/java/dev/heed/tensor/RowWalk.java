package dev.heed.tensor;

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
}
