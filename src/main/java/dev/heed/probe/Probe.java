package dev.heed.probe;

import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceContext;
import java.util.Map;

/**
 * One thing to try on a device. It may throw: then it failed, and the message is the detail.
 *
 * @param id a short name without spaces
 * @param title what it tries, in a few words
 * @param nvidiaOnly whether other compilers cannot be asked
 * @param trial how it is tried
 */
public record Probe(String id, String title, boolean nvidiaOnly, Trial trial) {
    /** The trying. */
    @FunctionalInterface
    public interface Trial {
        /** {@return what was found} */
        Finding on(DeviceContext context);
    }

    /** {@return what it found} Whatever happens is a finding. */
    public Finding run(Device device) {
        long start = System.nanoTime();
        if (nvidiaOnly && !device.isNvidia()) {
            return Finding.skipped("no NVIDIA compiler").of(this, 0);
        }
        Finding found;
        try (DeviceContext context = device.open()) {
            found = trial.on(context);
        } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
            found = Finding.failed(e.getMessage() == null ? e.toString() : e.getMessage(), Map.of());
        }
        return found.of(this, (System.nanoTime() - start) / 1_000_000);
    }
}
