package dev.heed.verify;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;

/** The memory layout of a case's tensors. Gaps between elements contain NaN, and the backend must not overwrite the gaps. */
public enum Placement {
    /** Contiguous on the Java heap, head before sequence. */
    BHSD {
        @Override
        Tensor place(Arena arena, DType type, long... shape) {
            return Tensor.zeros(type, shape);
        }
    },
    /** Sequence before head: axes 1 and 2 of rank-4 tensors are exchanged in memory. */
    BSHD {
        @Override
        Tensor place(Arena arena, DType type, long... shape) {
            if (shape.length != 4) {
                return Tensor.zeros(type, shape);
            }
            return Tensor.zeros(type, shape[0], shape[2], shape[1], shape[3]).transpose(1, 2);
        }

        @Override
        Tensor bytes(Arena arena, Tensor numbers) {
            return numbers.transpose(1, 2).quantized().transpose(1, 2);
        }
    },
    /** A window of a larger tensor: gaps before and after every row and every matrix, and an unaligned start. */
    PADDED {
        @Override
        Tensor place(Arena arena, DType type, long... shape) {
            return inside(Tensor.zeros(type, larger(shape)), shape);
        }

        @Override
        Tensor bytes(Arena arena, Tensor numbers) {
            return window(cache(numbers), numbers.shape());
        }
    },
    /** A window of a larger tensor in native memory. */
    NATIVE {
        @Override
        Tensor place(Arena arena, DType type, long... shape) {
            return inside(Tensor.allocate(arena, type, larger(shape)), shape);
        }

        @Override
        Tensor bytes(Arena arena, Tensor numbers) {
            Tensor cache = cache(numbers);
            MemorySegment scales = Objects.requireNonNull(cache.scales()).numbers();
            return window(
                    Tensor.ofBytes(copy(arena, cache.segment()), copy(arena, scales), cache.shape()), numbers.shape());
        }
    };

    private static final int GAP = 3;

    /** {@return a tensor of zeros with the shape; gaps contain NaN (integers: -7, bool: false)} */
    abstract Tensor place(Arena arena, DType type, long... shape);

    /** {@return a tensor {@code [batch, heads, rows, width]} quantised to i8 with one scale per row, in this layout} */
    Tensor bytes(Arena arena, Tensor numbers) {
        return numbers.quantized();
    }

    /**
     * {@return a larger i8 tensor that contains {@code numbers}; it is quantised from gap rows of NaN and gap columns
     * of 1}
     */
    private static Tensor cache(Tensor numbers) {
        Tensor whole = Tensor.zeros(DType.F32, larger(numbers.shape())).fill(Double.NaN);
        int rows = whole.rank() - 2;
        whole.slice(rows, 1, 1 + numbers.size(rows)).fill(1);
        window(whole, numbers.shape()).copyFrom(numbers);
        return whole.quantized();
    }

    private static MemorySegment copy(Arena arena, MemorySegment heap) {
        return arena.allocate(heap.byteSize(), Float.BYTES).copyFrom(heap);
    }

    private static long[] larger(long[] shape) {
        long[] sizes = shape.clone();
        for (int axis = Math.max(0, shape.length - 2); axis < shape.length; axis++) {
            sizes[axis] += GAP;
        }
        return sizes;
    }

    private static Tensor inside(Tensor whole, long[] shape) {
        whole.fill(gap(whole.type()));
        return window(whole, shape).fill(0);
    }

    private static Tensor window(Tensor whole, long[] shape) {
        Tensor window = whole;
        for (int axis = Math.max(0, shape.length - 2); axis < shape.length; axis++) {
            window = window.slice(axis, 1, 1 + shape[axis]);
        }
        return window;
    }

    private static double gap(DType type) {
        return type.isFloating() ? Double.NaN : type == DType.BOOL ? 0 : -7;
    }

    /** {@return the number of overwritten gap elements around a placed tensor} */
    long strayWrites(Tensor placed) {
        if (this == BHSD
                || this == BSHD
                || placed.offset() == 0) { // a tensor made by PADDED or NATIVE starts after a gap
            return 0;
        }
        long[] shape = placed.shape();
        Tensor whole = Tensor.of(placed.segment(), placed.type(), larger(shape));
        Tensor filled = whole.copy();
        window(filled, shape).fill(gap(placed.type()));
        double expected = gap(placed.type());
        return Arrays.stream(filled.toDoubleArray())
                .filter(value -> Double.compare(value, expected) != 0)
                .count();
    }
}
