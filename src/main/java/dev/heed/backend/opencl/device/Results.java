package dev.heed.backend.opencl.device;

import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Temporary tensors that gather the results of a call, until {@link #deliver} writes all of them to the caller's tensors. */
public final class Results implements AutoCloseable {
    private static final int ALIGNMENT = 64;

    private final Engine engine;
    private final Arena host = Arena.ofConfined();
    private final OpenClArena device;
    private final Map<Tensor, Tensor> gathered = new LinkedHashMap<>();

    public Results(Engine engine) {
        this.engine = engine;
        this.device = new OpenClArena(engine);
    }

    /**
     * {@return the temporary tensor for a tensor of the caller} It is packed. It is on the device if the caller's tensor is a
     * device tensor, else on the host.
     */
    public Tensor of(Tensor target) {
        return gathered.computeIfAbsent(
                target,
                any -> target.device() == null
                        ? Tensor.allocate(host, target.type(), target.shape())
                        : device.allocate(target.type(), target.shape()));
    }

    public @Nullable Tensor ofNullable(@Nullable Tensor target) {
        return target == null ? null : of(target);
    }

    public @Nullable ScoreFunction ofNullable(@Nullable ScoreFunction target) {
        return target == null ? null : target.map(this::of);
    }

    /** Copies a result on the device to a chunk of a tensor; does nothing if the chunk is null. */
    public static void read(CallScope scope, DeviceTensor computed, @Nullable Tensor chunk) {
        if (chunk == null) {
            return;
        }
        if (chunk.device() != null) {
            scope.copy(computed, scope.resident(chunk));
            return;
        }
        long bytes = computed.bytes();
        if (chunk.isContiguous()) {
            scope.read(
                    computed,
                    chunk.segment().asSlice(chunk.offset() * chunk.type().bytes(), bytes));
            return;
        }
        try (Arena some = Arena.ofConfined()) {
            Tensor packed = Tensor.of(some.allocate(bytes, ALIGNMENT), chunk.type(), chunk.shape());
            scope.read(computed, packed.segment());
            chunk.copyFrom(packed);
        }
    }

    /** Copies elements from the host to a chunk of a tensor. */
    public static void write(CallScope scope, Tensor elements, Tensor chunk) {
        if (chunk.device() == null) {
            chunk.copyFrom(elements);
        } else {
            scope.copy(scope.upload(elements), scope.resident(chunk));
        }
    }

    /** Writes all results to the caller's tensors. */
    public void deliver() {
        try (var scope = new CallScope(engine, false)) {
            gathered.forEach((target, whole) -> {
                if (target.device() == null) {
                    target.copyFrom(whole);
                } else {
                    scope.copy(scope.resident(whole), scope.resident(target));
                }
            });
        }
    }

    @Override
    public void close() {
        host.close();
        device.close();
    }
}
