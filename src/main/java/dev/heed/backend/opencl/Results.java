package dev.heed.backend.opencl;

import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a call has computed so far, beside the caller's tensors: they are written when all of it is there, or not at all. */
final class Results implements AutoCloseable {
    private static final int ALIGNMENT = 64;

    private final Arena arena = Arena.ofShared();
    private final Map<Tensor, Tensor> whole = new LinkedHashMap<>();

    /** {@return where results for a tensor of the caller are gathered, packed} */
    Tensor of(Tensor target) {
        return whole.computeIfAbsent(target, any -> Tensor.allocate(arena, target.type(), target.shape()));
    }

    /** Reads what the device computed for a part of a gathered tensor. */
    static void read(Work work, Placed computed, @Nullable Tensor part) {
        if (part == null) {
            return;
        }
        long bytes = computed.bytes();
        if (part.isContiguous()) {
            work.read(computed, part.segment().asSlice(part.offset() * part.type().bytes(), bytes));
            return;
        }
        try (Arena some = Arena.ofShared()) {
            Tensor packed = Tensor.of(some.allocate(Math.max(1, bytes), ALIGNMENT), part.type(), part.shape());
            work.read(computed, packed.segment().asSlice(0, bytes));
            part.copyFrom(packed);
        }
    }

    /** Writes everything to the caller's tensors. */
    void deliver() {
        whole.forEach(Tensor::copyFrom);
    }

    @Override
    public void close() {
        arena.close();
    }
}
