package dev.heed.tensor;

import dev.heed.tensor.ChunkArrays.Use;
import java.lang.foreign.MemorySegment;

/**
 * A copy of a tensor into another tensor of the same shape. Axes that are adjacent in both tensors are copied as one row.
 *
 * <p>Elements are gathered in a {@link TensorChunk}, converted through f32 and scattered, with a loop for each type. A loop over
 * {@link DType#load} and {@link DType#store} takes 12 times as long in a process that has copied many types, because its
 * calls are virtual there.
 */
final class TensorCopy {
    private final Tensor from;
    private final Tensor to;

    /** Elements per row. */
    private long length = 1;

    /** The distances between the elements of a row. */
    private long fromStep = 1;

    private long toStep = 1;

    /** The number of axes before the row. */
    private int outer;

    private final ChunkArrays arrays = new ChunkArrays();

    private TensorCopy(Tensor from, Tensor to) {
        this.from = from;
        this.to = to;
        for (outer = from.rank(); outer > 0; outer--) {
            int axis = outer - 1;
            long size = from.size(axis);
            if (size == 1) {
                continue;
            }
            if (length == 1) {
                fromStep = from.stride(axis);
                toStep = to.stride(axis);
            } else if (from.stride(axis) != fromStep * length || to.stride(axis) != toStep * length) {
                break;
            }
            length *= size;
        }
    }

    /** Copies all elements. Each is rounded once, to the type of the target. */
    static void copy(Tensor from, Tensor to) {
        new TensorCopy(from, to).run();
    }

    private void run() {
        Plane plane = plane();
        int last = outer - 1;
        long rows = last < 0 ? 1 : from.size(last);
        long fromRow = last < 0 ? 0 : from.stride(last);
        long toRow = last < 0 ? 0 : to.stride(last);
        long[] index = new long[Math.max(0, last)];
        long here = from.offset();
        long there = to.offset();
        for (int axis = last; axis >= -1; ) {
            plane.copy(here, there, rows, fromRow, toRow);
            for (axis = last - 1; axis >= 0; axis--) {
                here += from.stride(axis);
                there += to.stride(axis);
                if (++index[axis] < from.size(axis)) {
                    break;
                }
                here -= index[axis] * from.stride(axis);
                there -= index[axis] * to.stride(axis);
                index[axis] = 0;
            }
            axis = axis < 0 ? -2 : axis;
        }
        arrays.give();
    }

    /** The copy of some rows. */
    private interface Plane {
        /**
         * Copies rows.
         *
         * @param here the position of the first row in the source
         * @param there the position of the first row in the target
         * @param fromRow the distance between rows in the source
         * @param toRow the distance between rows in the target
         */
        void copy(long here, long there, long rows, long fromRow, long toRow);
    }

    private Plane plane() {
        boolean same = from.type() == to.type() && from.scales() == null;
        if (same && fromStep == 1 && toStep == 1) {
            return contiguous();
        }
        int bytes = to.type().bytes();
        if (same && from.type().isInteger()) {
            return (here, there, rows, fromRow, toRow) -> {
                for (long row = 0; row < rows; row++) {
                    long p = here + row * fromRow;
                    long q = there + row * toRow;
                    TensorChunk.elements(from.host(), p, fromStep, to.host(), q, toStep, length, bytes);
                }
            };
        }
        if (same || to.type().isFloating() && (from.type().isFloating() || from.type() == DType.I8)) {
            return chunks(same);
        }
        return (here, there, rows, fromRow, toRow) -> {
            for (long n = 0; n < rows * length; n++) {
                long row = n / length;
                long i = n % length;
                double element = from.at(here + row * fromRow + i * fromStep);
                to.type().store(to.host(), (there + row * toRow + i * toStep) * bytes, element);
            }
        };
    }

    private Plane contiguous() {
        Object source = HeapArrays.of(from);
        Object target = HeapArrays.of(to);
        if (source != null && target != null) {
            int first = HeapArrays.base(from);
            int second = HeapArrays.base(to);
            int count = (int) length;
            return (here, there, rows, fromRow, toRow) -> {
                int p = first + (int) here;
                int q = second + (int) there;
                for (int row = 0; row < rows; row++) {
                    Strides.row(source, p + row * (int) fromRow, target, q + row * (int) toRow, count);
                }
            };
        }
        int bytes = from.type().bytes();
        MemorySegment a = from.host();
        MemorySegment b = to.host();
        return (here, there, rows, fromRow, toRow) -> {
            for (long row = 0; row < rows; row++) {
                long p = here + row * fromRow;
                long q = there + row * toRow;
                MemorySegment.copy(a, p * bytes, b, q * bytes, length * bytes);
            }
        };
    }

    private Plane chunks(boolean same) {
        var source = new TensorChunk(from, fromStep, Use.SOURCE, arrays);
        var target = new TensorChunk(to, toStep, Use.TARGET, arrays);
        var conversion = new ChunkConversion(from.type(), to.type(), arrays);
        return (here, there, rows, fromRow, toRow) -> {
            boolean whole =
                    source.inPlace(fromRow, rows, length) && target.inPlace(toRow, rows, length) && conversion.direct();
            long most = whole ? Integer.MAX_VALUE : TensorChunk.SIZE;
            long group = Math.max(1, most / length);
            for (long row = 0; row < rows; row += group) {
                int many = (int) Math.min(group, rows - row);
                for (long i = 0; i < length; i += most) {
                    int count = (int) Math.min(most, length - i);
                    source.move(here + row * fromRow + i * fromStep, fromRow, many, count);
                    target.move(there + row * toRow + i * toStep, toRow, many, count);
                    Object data = target.data();
                    if (same) {
                        source.gather(data, target.at);
                    } else {
                        conversion.run(source, data, target.at, many * count);
                    }
                    target.write(data);
                }
            }
        };
    }
}
