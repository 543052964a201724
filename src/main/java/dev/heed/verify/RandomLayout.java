package dev.heed.verify;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/**
 * A random memory layout of one tensor: its axes in any order, with steps between the elements and gaps before and after each
 * axis, in a Java array of its type, in bytes of the Java heap or in native memory, aligned or not.
 */
final class RandomLayout {
    /** Alignment of aligned native memory in bytes; devices that share memory read it in place, unless its arena is shared. */
    private static final long ALIGNED = 4096;

    private RandomLayout() {}

    /** {@return a tensor of zeros with the shape; its gaps contain the gap value of {@link Placement}} */
    static Tensor place(Random random, Arena arena, DType type, long... shape) {
        int rank = shape.length;
        int[] order = shuffled(random, rank);
        long[] sizes = new long[rank];
        long[] steps = new long[rank];
        long[] before = new long[rank];
        for (int at = 0; at < rank; at++) {
            long size = shape[order[at]];
            steps[at] = random.nextInt(4) == 0 ? 2 + random.nextInt(2) : 1;
            before[at] = random.nextInt(3) == 0 ? 1 + random.nextInt(3) : 0;
            long after = random.nextInt(3) == 0 ? 1 + random.nextInt(3) : 0;
            sizes[at] = before[at] + size * steps[at] + after;
        }
        Tensor view = Tensor.of(memory(random, arena, type, sizes), type, sizes).fill(Placement.gap(type));
        for (int at = 0; at < rank; at++) {
            long size = shape[order[at]];
            view = view.slice(at, before[at], before[at] + size * steps[at]);
            view = steps[at] == 1 ? view : view.split(at, size).select(at + 1, 0);
        }
        for (int axis = 0; axis < rank; axis++) { // exchanges axes until each is where the shape has it
            while (order[axis] != axis) {
                int target = order[axis];
                view = view.transpose(axis, target);
                order[axis] = order[target];
                order[target] = target;
            }
        }
        return view.fill(0);
    }

    private static MemorySegment memory(Random random, Arena arena, DType type, long[] sizes) {
        long bytes = type.bytes();
        for (long size : sizes) {
            bytes *= size;
        }
        return switch (random.nextInt(4)) {
            case 0 -> Tensor.zeros(type, sizes).segment();
            case 1 ->
                MemorySegment.ofArray(new byte[Math.toIntExact(bytes + 1)]).asSlice(1, bytes);
            case 2 -> arena.allocate(bytes + 1).asSlice(1, bytes);
            default -> Arena.ofAuto().allocate(bytes, ALIGNED);
        };
    }

    private static int[] shuffled(Random random, int rank) {
        int[] order = new int[rank];
        for (int at = 0; at < rank; at++) {
            int other = random.nextInt(at + 1);
            order[at] = order[other];
            order[other] = at;
        }
        return order;
    }
}
