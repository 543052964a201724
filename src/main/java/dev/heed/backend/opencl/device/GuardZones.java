package dev.heed.backend.opencl.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.heed.opencl.DeviceBuffer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The buffers of a call, each with a guard zone before it and another after it. No kernel may write to a zone, so a changed zone
 * reveals a write out of bounds.
 */
final class GuardZones {
    private static final long ZONE = 4096; // bytes; a multiple of every device's alignment
    private static final int PATTERN =
            0x7fc0_5eed; // NaN as a float, so that a kernel that reads it gives a visibly wrong result

    private record Guarded(DeviceBuffer whole, long bytes) {}

    private final Engine engine;
    private final List<Guarded> all = new ArrayList<>();

    GuardZones(Engine engine) {
        this.engine = engine;
    }

    /** {@return a buffer of {@code bytes} bytes (a multiple of four) with a zone before it and a zone after it} */
    DeviceBuffer allocate(long bytes) {
        DeviceBuffer whole = engine.allocate(bytes + 2 * ZONE);
        all.add(new Guarded(whole, bytes));
        engine.context.queue().fill(whole, 0, ZONE, PATTERN);
        engine.context.queue().fill(whole, ZONE + bytes, ZONE, PATTERN);
        return whole.slice(ZONE, bytes);
    }

    /**
     * Checks all zones.
     *
     * @throws IllegalStateException if a kernel wrote to a zone
     */
    void check() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment zone = arena.allocate(ZONE, 64);
            for (Guarded guarded : all) {
                for (long at : new long[] {0, ZONE + guarded.bytes()}) {
                    engine.context.queue().read(guarded.whole(), at, zone);
                    for (long n = 0; n < ZONE; n += JAVA_INT.byteSize()) {
                        if (zone.get(JAVA_INT, n) != PATTERN) {
                            throw new IllegalStateException("a kernel wrote " + (at == 0 ? "before" : "after")
                                    + " a buffer of " + guarded.bytes() + " bytes");
                        }
                    }
                }
            }
        }
    }

    void close() {
        all.forEach(guarded -> guarded.whole().close());
        all.clear();
    }
}
