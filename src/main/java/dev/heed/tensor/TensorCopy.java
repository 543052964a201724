package dev.heed.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * A copy of a tensor into another tensor of the same shape. Axes that are adjacent in both tensors are copied as one row.
 *
 * <p>Floating-point elements pass through f32 in chunks, with a loop for each type. A loop over {@link DType#load} and
 * {@link DType#store} takes 12 times as long in a process that has copied many types, because its calls are virtual there.
 */
final class TensorCopy {
    /** Elements per chunk: the arrays of a chunk stay in the first-level cache. */
    private static final int CHUNK = 2048;

    private final Tensor from;
    private final Tensor to;

    /** Elements per row. */
    private long length = 1;

    /** The distances between the elements of a row. */
    private long fromStep = 1;

    private long toStep = 1;

    /** The number of axes before the row. */
    private int outer;

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
        if (from.type() == to.type() && from.scales() == null) {
            return fromStep == 1 && toStep == 1 ? contiguous() : strided();
        }
        if (FloatSource.carries(from.type(), to.type())) {
            return converted();
        }
        int bytes = to.type().bytes();
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
        float[] source = HeapArrays.floats(from);
        float[] target = HeapArrays.floats(to);
        if (source != null && target != null) {
            int first = HeapArrays.index(from, 0);
            int second = HeapArrays.index(to, 0);
            int count = (int) length;
            return (here, there, rows, fromRow, toRow) -> {
                int p = first + (int) here;
                int q = second + (int) there;
                for (int row = 0; row < rows; row++) {
                    System.arraycopy(source, p + row * (int) fromRow, target, q + row * (int) toRow, count);
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

    private Plane strided() {
        float[] source = HeapArrays.floats(from);
        float[] target = HeapArrays.floats(to);
        if (source != null && target != null) {
            int first = HeapArrays.index(from, 0);
            int second = HeapArrays.index(to, 0);
            return (here, there, rows, fromRow, toRow) -> {
                for (long row = 0; row < rows; row++) {
                    int p = first + (int) (here + row * fromRow);
                    int q = second + (int) (there + row * toRow);
                    gather(source, p, (int) fromStep, target, q, (int) toStep, (int) length);
                }
            };
        }
        return (here, there, rows, fromRow, toRow) -> {
            for (long row = 0; row < rows; row++) {
                elements(here + row * fromRow, there + row * toRow);
            }
        };
    }

    private static void gather(float[] source, int p, int step, float[] target, int q, int pace, int count) {
        for (int i = 0; i < count; i++) {
            target[q + i * pace] = source[p + i * step];
        }
    }

    private void elements(long here, long there) {
        MemorySegment a = from.host();
        MemorySegment b = to.host();
        switch (from.type().bytes()) {
            case 1 -> {
                for (long i = 0; i < length; i++) {
                    b.set(JAVA_BYTE, there + i * toStep, a.get(JAVA_BYTE, here + i * fromStep));
                }
            }
            case 2 -> {
                for (long i = 0; i < length; i++) {
                    short element = a.get(JAVA_SHORT_UNALIGNED, (here + i * fromStep) * 2);
                    b.set(JAVA_SHORT_UNALIGNED, (there + i * toStep) * 2, element);
                }
            }
            case 4 -> {
                for (long i = 0; i < length; i++) {
                    int element = a.get(JAVA_INT_UNALIGNED, (here + i * fromStep) * 4);
                    b.set(JAVA_INT_UNALIGNED, (there + i * toStep) * 4, element);
                }
            }
            default -> {
                for (long i = 0; i < length; i++) {
                    long element = a.get(JAVA_LONG_UNALIGNED, (here + i * fromStep) * 8);
                    b.set(JAVA_LONG_UNALIGNED, (there + i * toStep) * 8, element);
                }
            }
        }
    }

    /** {@return a copy through f32} An f32 tensor in an array is read or written in place. */
    private Plane converted() {
        int chunk = (int) Math.min(CHUNK, length);
        boolean odd = to.type() == DType.F16 || to.type() == DType.BF16;
        float[] sources = fromStep == 1 ? HeapArrays.floats(from) : null;
        float[] targets = toStep == 1 ? HeapArrays.floats(to) : null;
        int first = sources == null ? 0 : HeapArrays.index(from, 0);
        int second = targets == null ? 0 : HeapArrays.index(to, 0);
        float[] floats = sources == null && targets == null ? new float[chunk] : new float[0];
        var source = new FloatSource(from, fromStep, odd, chunk);
        var target = new FloatTarget(to, toStep, chunk);
        return (here, there, rows, fromRow, toRow) -> {
            for (long row = 0; row < rows; row++) {
                for (long i = 0; i < length; i += chunk) {
                    int count = (int) Math.min(chunk, length - i);
                    long p = here + row * fromRow + i * fromStep;
                    long q = there + row * toRow + i * toStep;
                    if (targets != null) {
                        source.read(p, targets, second + (int) q, count);
                    } else if (sources != null) {
                        target.write(sources, first + (int) p, q, count);
                    } else {
                        source.read(p, floats, 0, count);
                        target.write(floats, 0, q, count);
                    }
                }
            }
        };
    }
}
