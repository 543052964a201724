package dev.heed.backend.vector;

import dev.heed.backend.vector.storage.Bf16Panels;
import dev.heed.machine.Machine;
import dev.heed.settings.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The CPU backend: fused attention on the Vector API, in f32 for f32, f16 and bf16, in f64 for f64. The same bits for any
 * number of threads, any batch composition and every repeat.
 *
 * <p>Threads: all processors by default, {@code heed.threads} or the constructor for another number; 1 computes on the
 * caller's thread. Calls may come from many threads at once, virtual ones too.
 *
 * <p>This class imports nothing from the incubator module: where it is absent, that is one more reason.
 */
public final class VectorBackend extends CpuBackend {

    /** Creates the backend with {@code heed.threads} threads, or one for every processor. */
    public VectorBackend() {
        this(defaultThreads());
    }

    /**
     * Creates the backend with a pool of its own, started with the first call.
     *
     * @param threads how many threads compute one call, the caller's included; at least 1
     */
    public VectorBackend(int threads) {
        this(threads, null);
    }

    /**
     * Creates the backend on threads of the caller.
     *
     * @param threads how many threads compute one call, the caller's included; at least 1
     * @param executor where the other threads come from, or null for a pool of the backend's own
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
        lines.add("CPU, " + width + "-bit vectors, " + threads + (threads == 1 ? " thread" : " threads"));
        Bf16Panels.notServing().ifPresent(lines::add);
        return lines;
    }

    @Override
    List<String> loopReasons() {
        List<String> reasons = new ArrayList<>(Machine.current().vectorReasons());
        if (reasons.isEmpty() && Settings.SCALAR.or(false)) {
            reasons.add(Settings.SCALAR.to(true) + " asks for plain loops: leave it out");
        }
        return reasons;
    }
}
