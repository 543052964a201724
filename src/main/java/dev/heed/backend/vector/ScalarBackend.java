package dev.heed.backend.vector;

import dev.heed.machine.Machine;
import dev.heed.settings.Settings;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The CPU backend where the Vector API is absent: the same drivers over plain Java loops that the JIT vectorises as well as it
 * can, in f32 for f32, f16 and bf16, in f64 for f64. A process has one kind of loops, so this backend is ready where
 * {@link VectorBackend} is not, or where {@code heed.scalar} asks for it.
 */
public final class ScalarBackend extends CpuBackend {

    /** Creates the backend with {@code heed.threads} threads, or one for every processor. */
    public ScalarBackend() {
        this(defaultThreads());
    }

    /**
     * Creates the backend with a pool of its own, started with the first call.
     *
     * @param threads how many threads compute one call, the caller's included; at least 1
     */
    public ScalarBackend(int threads) {
        this(threads, null);
    }

    /**
     * Creates the backend on threads of the caller.
     *
     * @param threads how many threads compute one call, the caller's included; at least 1
     * @param executor where the other threads come from, or null for a pool of the backend's own
     */
    public ScalarBackend(int threads, @Nullable Executor executor) {
        super(threads, executor);
    }

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public int priority() {
        return 25;
    }

    @Override
    public List<String> devices() {
        List<String> missing = Machine.current().vectorReasons();
        String why = missing.isEmpty() ? Settings.SCALAR.to(true) + " asks for them" : String.join("; ", missing);
        return notReadyReasons().isEmpty()
                ? List.of("CPU, plain loops, " + threads + (threads == 1 ? " thread" : " threads")
                        + ", several times slower than vectors: " + why)
                : List.of();
    }

    @Override
    List<String> loopReasons() {
        return Machine.current().vectorReasons().isEmpty() && !Settings.SCALAR.or(false)
                ? List.of("the Vector API is there, and faster: " + Settings.SCALAR.to(true) + " does without it")
                : List.of();
    }
}
