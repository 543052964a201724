package dev.heed.opencl;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a context works on its device.
 *
 * @param memoryBytes what buffers may take, together
 * @param unified whether host memory is used in place; else bytes pass through pinned memory
 * @param polls whether waiting asks from time to time; else the driver blocks
 * @param chunkBytes the most that one transfer or mapping moves
 * @param stagingBytes the size of a piece of pinned memory
 * @param cache the folder of compiled programs, or null for none
 */
record Settings(
        long memoryBytes,
        boolean unified,
        boolean polls,
        long chunkBytes,
        long stagingBytes,
        @Nullable Path cache) {
    /** Property: bytes of device memory, if less than there is. */
    static final String MEMORY = "heed.opencl.memory";

    /** Property: {@code false} treats a device that shares the host's memory as one that does not. */
    static final String UNIFIED = "heed.opencl.unified";

    /** Property: the folder of caches, or {@code none}. */
    static final String CACHE = "heed.cache";

    private static final long CHUNK = 1L << 30;
    private static final long STAGING = 8L << 20;

    static Settings ofProperties(Device device) {
        boolean unified = device.limits().hostUnified() && Boolean.parseBoolean(System.getProperty(UNIFIED, "true"));
        // NVIDIA's driver waits by keeping a core busy.
        return new Settings(
                device.limits().globalBytes(),
                unified,
                device.isNvidia(),
                CHUNK,
                STAGING,
                device.keepsKernels() ? null : cacheFolder().orElse(null));
    }

    Settings withCache(@Nullable Path folder) {
        return new Settings(memoryBytes, unified, polls, chunkBytes, stagingBytes, folder);
    }

    Settings withMemory(long bytes) {
        return new Settings(bytes, unified, polls, chunkBytes, stagingBytes, cache);
    }

    Settings withTransfers(boolean inPlace, long chunk, long staging) {
        return new Settings(memoryBytes, inPlace, polls, chunk, staging, cache);
    }

    Settings withPolling(boolean poll) {
        return new Settings(memoryBytes, unified, poll, chunkBytes, stagingBytes, cache);
    }

    /** {@code heed.cache}, else {@code $XDG_CACHE_HOME/heed}, else {@code ~/.cache/heed}. */
    static Optional<Path> cacheFolder() {
        String asked = System.getProperty(CACHE);
        try {
            if (asked != null) {
                return asked.isEmpty() || asked.equals("none") ? Optional.empty() : Optional.of(Path.of(asked));
            }
            String xdg = System.getenv("XDG_CACHE_HOME");
            if (xdg != null && !xdg.isEmpty() && Path.of(xdg).isAbsolute()) {
                return Optional.of(Path.of(xdg, "heed"));
            }
            String home = System.getProperty("user.home", "");
            return home.isEmpty() || !Path.of(home).isAbsolute()
                    ? Optional.empty()
                    : Optional.of(Path.of(home, ".cache", "heed"));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }
}
