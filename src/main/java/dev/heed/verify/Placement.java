package dev.heed.verify;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;

/** The memory layout of a case's tensors. Gaps between elements contain NaN, and the backend must not overwrite the gaps. */
public enum Placement {
    /** Contiguous on the Java heap, head before sequence. */
    BHSD {
        @Override
        Tensor place(Random layouts, Arena arena, DType type, long... shape) {
            return Tensor.zeros(type, shape);
        }
    },
    /** Sequence before head: axes 1 and 2 of rank-4 tensors are exchanged in memory. */
    BSHD {
        @Override
        Tensor place(Random layouts, Arena arena, DType type, long... shape) {
            if (shape.length != 4) {
                return Tensor.zeros(type, shape);
            }
            return Tensor.zeros(type, shape[0], shape[2], shape[1], shape[3]).transpose(1, 2);
        }

        @Override
        Tensor bytes(Random layouts, Arena arena, Tensor numbers) {
            return numbers.transpose(1, 2).quantized().transpose(1, 2);
        }
    },
    /** A window of a larger tensor: gaps before and after every row and every matrix, and an unaligned start. */
    PADDED {
        @Override
        Tensor place(Random layouts, Arena arena, DType type, long... shape) {
            return inside(Tensor.zeros(type, larger(shape)), shape);
        }

        @Override
        Tensor bytes(Random layouts, Arena arena, Tensor numbers) {
            return window(cache(numbers), numbers.shape());
        }
    },
    /** A window of a larger tensor in native memory. */
    NATIVE {
        @Override
        Tensor place(Random layouts, Arena arena, DType type, long... shape) {
            return inside(Tensor.allocate(arena, type, larger(shape)), shape);
        }

        @Override
        Tensor bytes(Random layouts, Arena arena, Tensor numbers) {
            Tensor cache = cache(numbers);
            MemorySegment scales = Objects.requireNonNull(cache.scales()).numbers();
            return window(
                    Tensor.ofBytes(copy(arena, cache.segment()), copy(arena, scales), cache.shape()), numbers.shape());
        }
    },
    /** Each tensor has its own layout: one of the others, or a {@link RandomLayout}. */
    MIXED {
        @Override
        Tensor place(Random layouts, Arena arena, DType type, long... shape) {
            return layouts.nextInt(3) > 0
                    ? RandomLayout.place(layouts, arena, type, shape)
                    : single(layouts).place(layouts, arena, type, shape);
        }

        @Override
        Tensor bytes(Random layouts, Arena arena, Tensor numbers) {
            return single(layouts).bytes(layouts, arena, numbers);
        }

        private static Placement single(Random layouts) {
            return SINGLE.get(layouts.nextInt(SINGLE.size()));
        }
    };

    /** The layouts other than {@link #MIXED}. */
    static final List<Placement> SINGLE = List.of(BHSD, BSHD, PADDED, NATIVE);

    private static final int GAP = 3;

    /** {@return a tensor of zeros with the shape; gaps contain NaN (integers: -7, bool: false). MIXED draws the layout} */
    abstract Tensor place(Random layouts, Arena arena, DType type, long... shape);

    /** {@return a tensor {@code [batch, heads, rows, width]} quantised to i8 with one scale per row, in this layout} */
    Tensor bytes(Random layouts, Arena arena, Tensor numbers) {
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

    static double gap(DType type) {
        return type.isFloating() ? Double.NaN : type == DType.BOOL ? 0 : -7;
    }

    /** {@return the number of overwritten gap elements between and around the elements of a placed tensor} */
    static long strayWrites(Tensor placed) {
        long count = placed.segment().byteSize() / placed.type().bytes();
        if (placed.elementCount() == count) {
            return 0;
        }
        var addressed = new BitSet(Math.toIntExact(count));
        address(placed, addressed, 0, placed.offset());
        Tensor whole = Tensor.of(placed.segment(), placed.type(), count);
        double expected = gap(placed.type());
        return IntStream.range(0, Math.toIntExact(count))
                .filter(i -> !addressed.get(i) && Double.compare(whole.get(i), expected) != 0)
                .count();
    }

    private static void address(Tensor tensor, BitSet addressed, int axis, long position) {
        if (axis == tensor.rank()) {
            addressed.set(Math.toIntExact(position));
            return;
        }
        for (long i = 0; i < tensor.size(axis); i++) {
            address(tensor, addressed, axis + 1, position + i * tensor.stride(axis));
        }
    }
}
