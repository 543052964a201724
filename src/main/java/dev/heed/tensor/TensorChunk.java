package dev.heed.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.heed.tensor.ChunkArrays.Use;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Some rows of a tensor as one contiguous part of an array: the tensor's own array if the rows are contiguous in it, else a
 * scratch array. An array of the element type has a loop of its own, which the JIT compiles for this type alone.
 */
final class TensorChunk {
    /** Elements per chunk: the arrays of a chunk stay in the first-level cache. */
    static final int SIZE = 2048;

    /** The largest step whose gaps are copied to an array along with the elements. */
    private static final int NEAR = 16;

    private final Tensor tensor;
    private final int bytes;
    private final long step;
    private final @Nullable Object array;
    private final int base;
    private final Use use;
    private final ChunkArrays arrays;

    private long position;
    private long apart;
    private int rows;
    private int count;

    /** Whether {@link #data} is the array of the tensor. */
    private boolean own;

    /** The index of the first element in {@link #data}. */
    int at;

    /**
     * Creates a chunk.
     *
     * @param step the distance between the elements of a row
     * @param use the use of the scratch array
     */
    TensorChunk(Tensor tensor, long step, Use use, ChunkArrays arrays) {
        this.use = use;
        this.arrays = arrays;
        this.tensor = tensor;
        this.bytes = tensor.type().bytes();
        this.step = step;
        this.array = HeapArrays.of(tensor);
        this.base = array == null ? 0 : HeapArrays.base(tensor);
    }

    /** Whether the tensor's own array has all rows of this distance without gaps. */
    boolean inPlace(long apart, long rows, long count) {
        return array != null && step == 1 && (rows == 1 || apart == count);
    }

    /**
     * Moves to other rows.
     *
     * @param position the position of the first row
     * @param apart the distance between rows
     * @param count elements per row
     */
    void move(long position, long apart, int rows, int count) {
        boolean one = step == 1 && apart == count; // rows without gaps are one row
        this.position = position;
        this.apart = apart;
        this.rows = one ? 1 : rows;
        this.count = one ? rows * count : count;
        this.own = inPlace(apart, rows, count);
        this.at = own ? base + (int) position : 0;
    }

    /** {@return the array of the rows, without their elements if it is a scratch array} */
    Object data() {
        return own && array != null ? array : arrays.of(use, tensor.type());
    }

    /** {@return the array of the rows} */
    Object read() {
        Object data = data();
        if (!own) {
            gather(data, 0);
        }
        return data;
    }

    /** Copies the rows to an array of the element type. */
    void gather(Object into, int first) {
        for (int row = 0, q = first; row < rows; row++, q += count) {
            long p = position + row * apart;
            if (array != null && step == 1) {
                Strides.row(array, base + (int) p, into, q, count);
            } else if (array != null) {
                Strides.gather(array, base + (int) p, (int) step, into, q, count, bytes);
            } else if (step == 1) {
                MemorySegment to = HeapArrays.segment(into);
                MemorySegment.copy(tensor.host(), p * bytes, to, (long) q * bytes, (long) count * bytes);
            } else if (step <= NEAR) {
                near(p, into, q);
            } else {
                elements(tensor.host(), p, step, HeapArrays.segment(into), q, 1, count, bytes);
            }
        }
    }

    private void near(long p, Object into, int q) {
        Object span = arrays.of(Use.SPAN, tensor.type());
        MemorySegment copy = HeapArrays.segment(span);
        int pace = (int) step;
        int most = pace == 0 ? count : SIZE / pace;
        for (int i = 0; i < count; i += most) {
            int part = Math.min(most, count - i);
            long length = (part - 1L) * pace + 1;
            MemorySegment.copy(tensor.host(), (p + (long) i * pace) * bytes, copy, 0, length * bytes);
            Strides.gather(span, 0, pace, into, q + i, part, bytes);
        }
    }

    /** Copies elements of {@link #data} to the rows if it is a scratch array. */
    void write(Object data) {
        if (!own) {
            scatter(data, 0);
        }
    }

    private void scatter(Object from, int first) {
        for (int row = 0, p = first; row < rows; row++, p += count) {
            long q = position + row * apart;
            if (array != null && step == 1) {
                Strides.row(from, p, array, base + (int) q, count);
            } else if (array != null) {
                Strides.scatter(from, p, array, base + (int) q, (int) step, count, bytes);
            } else if (step == 1) {
                MemorySegment source = HeapArrays.segment(from);
                MemorySegment.copy(source, (long) p * bytes, tensor.host(), q * bytes, (long) count * bytes);
            } else {
                elements(HeapArrays.segment(from), p, 1, tensor.host(), q, step, count, bytes);
            }
        }
    }

    /** Converts i8 elements to f32 or f64, multiplied by their scales. */
    void scale(Object into, int first) {
        byte[] data = (byte[]) read();
        ByteScales scales = tensor.scales();
        long block = scales == null ? Long.MAX_VALUE : scales.block();
        MemorySegment numbers = scales == null ? MemorySegment.NULL : scales.numbers();
        float[] floats = numbers.heapBase().orElse(null) instanceof float[] all ? all : null;
        long base = numbers.address();
        for (int row = 0, p = at, q = first; row < rows; row++) {
            long here = position + row * apart;
            long index = here / block;
            long end = (index + 1) * block;
            for (int i = 0, part; i < count; i += part, p += part, q += part, here += part * step) {
                for (; here >= end; index++) {
                    end += block;
                }
                long left = step > 1 ? Math.ceilDiv(end - here, step) : end - here;
                part = (int) (step == 0 ? count : Math.min(count - i, left));
                float scale = 1;
                if (floats != null && base % Float.BYTES == 0) {
                    scale = floats[(int) (base / Float.BYTES + index)];
                } else if (scales != null) {
                    scale = numbers.get(JAVA_FLOAT_UNALIGNED, index * Float.BYTES);
                }
                if (into instanceof float[] target) {
                    Conversions.bytesToFloats(data, p, scale, target, q, part);
                } else {
                    Conversions.bytesToDoubles(data, p, scale, (double[]) into, q, part);
                }
            }
        }
    }

    /** Copies elements one by one between any segments. */
    static void elements(
            MemorySegment a, long p, long step, MemorySegment b, long q, long pace, long count, int bytes) {
        switch (bytes) {
            case 1 -> {
                for (long i = 0; i < count; i++) {
                    b.set(JAVA_BYTE, q + i * pace, a.get(JAVA_BYTE, p + i * step));
                }
            }
            case 2 -> {
                for (long i = 0; i < count; i++) {
                    b.set(JAVA_SHORT_UNALIGNED, (q + i * pace) * 2, a.get(JAVA_SHORT_UNALIGNED, (p + i * step) * 2));
                }
            }
            case 4 -> {
                for (long i = 0; i < count; i++) {
                    b.set(JAVA_INT_UNALIGNED, (q + i * pace) * 4, a.get(JAVA_INT_UNALIGNED, (p + i * step) * 4));
                }
            }
            default -> {
                for (long i = 0; i < count; i++) {
                    b.set(JAVA_LONG_UNALIGNED, (q + i * pace) * 8, a.get(JAVA_LONG_UNALIGNED, (p + i * step) * 8));
                }
            }
        }
    }
}
