package dev.heed.backend.vector;

import dev.heed.backend.vector.kernels.MeasuredTiles;
import dev.heed.backend.vector.storage.Bf16Panels;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.machine.Machine;
import dev.heed.settings.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The CPU backend: fused attention on the Vector API. It computes f32, f16 and bf16 in f32, and f64 in f64. Results have
 * the same bits for any number of threads, any batch composition and every repeat.
 *
 * <p>A call uses all processors by default. {@code heed.threads} or the constructor sets another number of threads; with
 * 1, a call is computed on the caller's thread. Any number of threads, including virtual threads, may call the backend at
 * the same time.
 *
 * <p>This class imports nothing from the module {@code jdk.incubator.vector}; if the module is absent,
 * {@link #notReadyReasons} reports it.
 */
public final class VectorBackend extends CpuBackend {

    /** Creates the backend with {@code heed.threads} threads, or one thread per processor if that is not set. */
    public VectorBackend() {
        this(defaultThreads());
    }

    /**
     * Creates the backend with its own thread pool, which starts with the first call.
     *
     * @param threads number of threads that compute one call, including the calling thread; at least 1
     */
    public VectorBackend(int threads) {
        this(threads, null);
    }

    /**
     * Creates the backend with an executor supplied by the caller.
     *
     * @param threads number of threads that compute one call, including the calling thread; at least 1
     * @param executor supplies the other threads; null for the backend's own pool
     */
    public VectorBackend(int threads, @Nullable Executor executor) {
        super(threads, executor);
    }

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public int priority() {
        return 50;
    }

    @Override
    public List<String> devices() {
        if (!notReadyReasons().isEmpty()) {
            return List.of();
        }
        OptionalInt bits = Machine.current().vectorBits();
        int forced = Settings.VECTOR_BITS.or(0);
        int width = forced == 0 ? bits.orElse(0) : forced;
        List<String> lines = new ArrayList<>();
        lines.add("CPU, " + width + "-bit vectors, " + Workers.describe(threads));
        Machine.slowReason().ifPresent(lines::add);
        Bf16Panels.notServing().ifPresent(lines::add);
        List<Path> measured = MeasuredTiles.files();
        String set = Settings.VECTOR_TILES.value().isPresent() ? Settings.VECTOR_TILES.name() + ", else " : "";
        lines.add("tile sizes: " + set + (measured.isEmpty() ? "built in" : "measured on this machine"));
        measured.forEach(file -> lines.add("   measured: " + file));
        return lines;
    }

    @Override
    List<String> loopReasons() {
        List<String> reasons = new ArrayList<>(Machine.current().vectorReasons());
        if (reasons.isEmpty() && Settings.SCALAR.or(false)) {
            reasons.add(Settings.SCALAR.to(true) + " forces plain loops: remove it");
        }
        return reasons;
    }
}
