package dev.heed.probe;

import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceContext;
import java.util.Map;

/**
 * A test of one capability of a device. If it throws an exception, it has failed, and the message is the detail of its finding.
 *
 * @param id a short name without spaces
 * @param title the purpose, in a few words
 * @param nvidiaOnly whether it needs NVIDIA's compiler
 * @param trial the code of the test
 */
public record Probe(String id, String title, boolean nvidiaOnly, Trial trial) {
    /** The code of a probe. */
    @FunctionalInterface
    public interface Trial {
        /** {@return the finding on the device of a context} */
        Finding on(DeviceContext context);
    }

    /** {@return the finding of a run of the probe on a device, even if the probe throws an exception} */
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
