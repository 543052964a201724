package dev.heed.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.opencl.calls.OpenClException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tests that the pool measures and reuses device memory, and that all buffers together never exceed the limit. */
class BufferPoolTest {
    private static final long LIMIT = 1 << 20;

    private static DeviceContext limited(Device device) {
        return new DeviceContext(device, ContextSettings.ofProperties(device).withMemory(LIMIT));
    }

    @Test
    void aBufferThatWasClosedIsUsedAgain() {
        Device device = Devices.best();
        FaultyCalls calls = FaultyCalls.counting(device);
        try (DeviceContext context = limited(calls.device(device))) {
            for (int i = 0; i < 100; i++) {
                context.allocate(10_000 + i % 5).close();
            }
            assertEquals(1, calls.counts().get("createBuffer"));
            assertTrue(context.memory().pooledBytes() >= 10_000);
            context.trim();
            assertEquals(0, context.memory().pooledBytes());
            assertEquals(1, calls.counts().get("releaseBuffer"));
        }
    }

    @Test
    void whatDoesNotFitSaysHowMuchThereIs() {
        try (DeviceContext context = limited(Devices.best())) {
            assertEquals(LIMIT, context.limits().globalBytes());
            DeviceBuffer most = context.allocate(LIMIT / 4 * 3);
            var e = assertThrows(OpenClException.class, () -> context.allocate(LIMIT / 2));
            assertTrue(e.isOutOfMemory());
            assertTrue(
                    e.getMessage().contains("524288 bytes are needed, 262144 of " + LIMIT + " bytes are available"),
                    e::toString);
            context.allocate(LIMIT / 4 - 7).close(); // rounded up, this size fits exactly
            most.close();
            context.allocate(LIMIT).close();
            var large = assertThrows(OpenClException.class, () -> context.allocate(LIMIT + 1));
            assertTrue(large.getMessage().contains("the largest buffer"), large::toString);
        }
    }

    /** Waiting buffers are freed when memory is needed, and never use more than a quarter of the limit. */
    @Test
    void theLimitHolds() {
        var random = new Random(3);
        try (DeviceContext context = limited(Devices.best())) {
            List<DeviceBuffer> live = new ArrayList<>();
            long asked = 0;
            for (int i = 0; i < 3000; i++) {
                if (random.nextInt(3) > 0) {
                    long bytes = 1 + random.nextInt(60_000);
                    if (asked + bytes <= LIMIT / 2) { // half the limit: sizes are rounded up by as much as an eighth
                        live.add(context.allocate(bytes));
                        asked += bytes;
                    }
                } else if (!live.isEmpty()) {
                    DeviceBuffer buffer = live.remove(random.nextInt(live.size()));
                    asked -= buffer.bytes();
                    buffer.close();
                }
                MemoryUse use = context.memory();
                assertEquals(live.size(), use.liveBuffers());
                assertTrue(use.liveBytes() >= asked && use.liveBytes() + use.pooledBytes() <= LIMIT, use::toString);
                assertTrue(use.pooledBytes() <= LIMIT / 4 && use.peakBytes() <= LIMIT, use::toString);
            }
            live.forEach(DeviceBuffer::close);
            assertEquals(0, context.memory().liveBytes());
        }
    }

    @Test
    void sizesAreRoundedByAnEighthAtMost() {
        for (long bytes = 1; bytes < 1L << 40; bytes = bytes * 5 / 4 + 1) {
            long rounded = BufferPool.rounded(bytes);
            assertTrue(
                    rounded >= bytes && (rounded <= 2048 || rounded <= bytes + bytes / 8 + 1), bytes + " " + rounded);
            assertEquals(rounded, BufferPool.rounded(rounded));
        }
    }
}
