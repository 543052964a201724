package dev.heed.backend.vector;

import dev.heed.backend.vector.storage.Workers;
import dev.heed.machine.Machine;
import dev.heed.settings.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The CPU backend for processes that cannot use the Vector API: the drivers of {@link VectorBackend} with plain Java
 * loops, which the JIT vectorises as well as it can. It computes f32, f16 and bf16 in f32, and f64 in f64. A process has
 * only one kind of loops, so this backend is ready if the Vector API cannot be used or {@code heed.scalar} forces plain
 * loops; otherwise {@link VectorBackend} is ready.
 */
public final class ScalarBackend extends CpuBackend {

    /** Creates the backend with {@code heed.threads} threads, or one thread per processor if that is not set. */
    public ScalarBackend() {
        this(defaultThreads());
    }

    /**
     * Creates the backend with its own thread pool, which starts with the first call.
     *
     * @param threads number of threads that compute one call, including the calling thread; at least 1
     */
    public ScalarBackend(int threads) {
        this(threads, null);
    }

    /**
     * Creates the backend with an executor supplied by the caller.
     *
     * @param threads number of threads that compute one call, including the calling thread; at least 1
     * @param executor supplies the other threads; null for the backend's own pool
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
        if (!notReadyReasons().isEmpty()) {
            return List.of();
        }
        List<String> missing = Machine.current().vectorReasons();
        String why = missing.isEmpty() ? Settings.SCALAR.to(true) + " forces plain loops" : String.join("; ", missing);
        List<String> lines = new ArrayList<>();
        lines.add("CPU, plain loops, " + Workers.describe(threads) + ", several times slower than vectors: " + why);
        Machine.slowReason().ifPresent(lines::add);
        return lines;
    }

    @Override
    List<String> loopReasons() {
        return Machine.current().vectorReasons().isEmpty() && !Settings.SCALAR.or(false)
                ? List.of("the Vector API is available and faster: " + Settings.SCALAR.to(true) + " forces plain loops")
                : List.of();
    }
}
