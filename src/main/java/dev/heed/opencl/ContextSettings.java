package dev.heed.opencl;

import dev.heed.settings.Settings;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link DeviceContext}.
 *
 * @param memoryBytes the maximum total size of all buffers in device memory
 * @param unified whether the device accesses host memory directly; if false, bytes are copied through pinned memory
 * @param polls whether the host waits by polling the event's status, with pauses; if false, it waits inside the driver
 * @param chunkBytes the maximum bytes per transfer or mapping if {@code unified}
 * @param stagingBytes the bytes of one piece of pinned memory, and per transfer if not {@code unified}, see {@link Staging}
 * @param cache the folder of compiled programs, or null for none
 */
record ContextSettings(
        long memoryBytes,
        boolean unified,
        boolean polls,
        long chunkBytes,
        long stagingBytes,
        @Nullable Path cache) {
    private static final long CHUNK = 1L << 30;
    private static final long STAGING = 8L << 20;

    static ContextSettings ofProperties(Device device) {
        boolean unified = device.limits().hostUnified() && Settings.OPENCL_UNIFIED.or(true);
        // NVIDIA's driver keeps a core busy while it waits, so the host polls instead.
        return new ContextSettings(
                device.limits().globalBytes(),
                unified,
                device.isNvidia(),
                CHUNK,
                STAGING,
                device.driverCachesKernels() ? null : Settings.cacheFolder().orElse(null));
    }

    ContextSettings withCache(@Nullable Path folder) {
        return new ContextSettings(memoryBytes, unified, polls, chunkBytes, stagingBytes, folder);
    }

    ContextSettings withMemory(long bytes) {
        return new ContextSettings(bytes, unified, polls, chunkBytes, stagingBytes, cache);
    }

    ContextSettings withTransfers(boolean inPlace, long chunk, long staging) {
        return new ContextSettings(memoryBytes, inPlace, polls, chunk, staging, cache);
    }

    ContextSettings withPolling(boolean poll) {
        return new ContextSettings(memoryBytes, unified, poll, chunkBytes, stagingBytes, cache);
    }
}
