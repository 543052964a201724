package dev.heed.opencl;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Tests transfers of heap and native memory, directly and through pinned memory, in one piece and in many. */
class TransferTest {
    private static final long[] SIZES = {1, 3, 63, 64, 65, 1000, 4096, 4097, 100_000};

    @TestFactory
    Stream<DynamicTest> bytesComeBackAsTheyWent() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Device device : Devices.present()) {
            for (boolean inPlace : new boolean[] {true, false}) {
                for (long chunk : new long[] {64, 1000, 1L << 30}) {
                    ContextSettings settings = ContextSettings.ofProperties(device)
                            .withTransfers(inPlace, chunk, Math.min(chunk, 1 << 20))
                            .withPolling(!inPlace);
                    String name = device.name() + (inPlace ? ", in place" : ", staged") + ", pieces of " + chunk;
                    tests.add(dynamicTest(name, () -> roundTrips(device, settings)));
                }
            }
        }
        return tests.stream();
    }

    private static void roundTrips(Device device, ContextSettings settings) {
        var random = new Random(7);
        try (DeviceContext context = new DeviceContext(device, settings);
                Arena arena = Arena.ofConfined()) {
            for (long size : SIZES) {
                if (settings.chunkBytes() == 64 && size > 5000) {
                    continue; // thousands of mappings test no more than a hundred
                }
                byte[] bytes = new byte[(int) size];
                random.nextBytes(bytes);
                MemorySegment heap = MemorySegment.ofArray(bytes);
                MemorySegment plain = arena.allocate(size, 1).copyFrom(heap);
                MemorySegment aligned = arena.allocate(size, 64).copyFrom(heap);
                MemorySegment doubles = MemorySegment.ofArray(new double[(int) (size / 8 + 2)]);
                for (MemorySegment from : new MemorySegment[] {heap, plain, aligned, plain.asReadOnly()}) {
                    try (DeviceBuffer buffer = context.allocate(size + 16)) {
                        context.queue().write(buffer, 7, from);
                        MemorySegment backOnHeap = doubles.asSlice(3, size);
                        context.queue().read(buffer, 7, backOnHeap);
                        assertEquals(-1, backOnHeap.mismatch(heap));
                        MemorySegment back = arena.allocate(size, 1);
                        context.queue().read(buffer, 7, back);
                        assertEquals(-1, back.mismatch(heap));
                    }
                }
            }
            context.queue().write(context.allocate(8), 3, MemorySegment.ofArray(new byte[0]));
        }
    }

    @TestFactory
    Stream<DynamicTest> sharedMemoryIsTheSameMemory() {
        return Devices.all()
                .map(device -> dynamicTest(device.name(), () -> {
                    try (DeviceContext context = device.open();
                            Arena arena = Arena.ofConfined()) {
                        MemorySegment host = arena.allocate(4096, 64);
                        assumeTrue(device.limits().hostUnified(), "the device has memory of its own");
                        DeviceBuffer buffer = context.share(host).orElseThrow();
                        assertTrue(buffer.isShared());
                        host.fill((byte) 1);
                        context.queue().write(buffer, 0, host);
                        context.queue().fill(buffer, 1024, 1024, 0x02020202);
                        context.queue().read(buffer, 0, host);
                        for (long i = 0; i < 4096; i++) {
                            assertEquals(i / 1024 == 1 ? 2 : 1, host.get(JAVA_BYTE, i));
                        }
                        context.queue().fill(buffer, 0, 4096, 9); // closing waits for this fill
                        buffer.close();
                        assertEquals(9, host.getAtIndex(JAVA_INT, 1023));
                        assertEquals(0, context.memory().liveBuffers());
                    }
                }));
    }

    @Test
    void whatCannotBeSharedIsNot() {
        Device device = Devices.best();
        try (DeviceContext context = device.open();
                Arena arena = Arena.ofConfined()) {
            assertFalse(context.share(MemorySegment.ofArray(new float[64])).isPresent());
            assertFalse(context.share(arena.allocate(128, 64).asSlice(4)).isPresent());
            assertFalse(context.share(arena.allocate(64, 64).asSlice(0, 0)).isPresent());
        }
        try (DeviceContext context = device.open();
                Arena arena = Arena.ofShared()) {
            MemorySegment closeable = arena.allocate(128, 64);
            assertFalse(context.share(closeable).isPresent());
            MemorySegment sameMemory = MemorySegment.ofBuffer(closeable.asByteBuffer());
            assertFalse(context.share(sameMemory).isPresent());
        }
        ContextSettings own = ContextSettings.ofProperties(device).withTransfers(false, 1 << 20, 1 << 20);
        try (DeviceContext context = new DeviceContext(device, own);
                Arena arena = Arena.ofConfined()) {
            assertFalse(context.share(arena.allocate(128, 64)).isPresent());
        }
    }

    /** Memory that no other thread can close during a call: of the automatic arena, of the global arena, and of a direct buffer. */
    @Test
    void whatNobodyCanCloseIsShared() {
        Device device = Devices.best();
        assumeTrue(device.limits().hostUnified(), "the device has memory of its own");
        try (DeviceContext context = device.open()) {
            for (MemorySegment host : List.of(
                    Arena.ofAuto().allocate(4096, 64).asReadOnly(),
                    Arena.global().allocate(4096, 64),
                    MemorySegment.ofBuffer(ByteBuffer.allocateDirect(4160).alignedSlice(64)))) {
                try (DeviceBuffer buffer = context.share(host).orElseThrow()) {
                    assertTrue(buffer.isShared());
                }
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> rangesAndCopiesWithinTheDevice() {
        return Devices.all()
                .map(device -> dynamicTest(device.name(), () -> {
                    try (DeviceContext context = device.open()) {
                        int step = (int) Math.max(4, device.limits().baseAlignment());
                        DeviceBuffer whole = context.allocate(4L * step);
                        context.queue().fill(whole, 0, 4L * step, 1);
                        DeviceBuffer second = whole.slice(step, 2L * step);
                        DeviceBuffer third = second.slice(step, step);
                        context.queue().fill(third, 0, step, 3);
                        context.queue().copy(third, 0, whole, 0, 4);
                        int[] out = new int[step];
                        context.queue().read(whole, 0, MemorySegment.ofArray(out));
                        for (int i = 0; i < out.length; i++) {
                            assertEquals(i == 0 || i * 4 / step == 2 ? 3 : 1, out[i], "word " + i);
                        }
                        whole.close();
                        second.close();
                        assertEquals(1, context.memory().liveBuffers()); // the range `third` is still open
                        third.close();
                        assertEquals(0, context.memory().liveBuffers());
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> laterCopiesKeepTheirMemory() {
        return Devices.all()
                .map(device -> dynamicTest(device.name(), () -> {
                    try (DeviceContext context = device.open();
                            DeviceBuffer buffer = context.allocate(1 << 20)) {
                        MemorySegment from = Arena.ofAuto().allocate(1 << 20);
                        from.fill((byte) 5);
                        MemorySegment to = Arena.ofAuto().allocate(1 << 20);
                        CommandQueue second = context.transfers();
                        try (Event written = second.writeLater(buffer, 0, from)) {
                            context.queue().waitFor(written);
                            try (Event marker = context.queue().marker()) {
                                second.waitFor(marker);
                            }
                        }
                        Event read = second.readLater(buffer, 0, to);
                        read.await();
                        assertTrue(read.isDone());
                        read.close();
                        read.close();
                        assertEquals(-1, from.mismatch(to));
                    }
                }));
    }

    /** A transfer of more bytes than a ByteBuffer can hold; uses five gigabytes of memory. */
    @Test
    void moreThanTwoGigabytes() {
        assumeTrue(Boolean.getBoolean("heed.full"), "five gigabytes: -Dheed.full=true");
        Device device = Devices.best();
        long bytes = (5L << 29) + 12;
        assumeTrue(device.limits().maxAllocationBytes() >= bytes, "the device has no buffers of that size");
        try (DeviceContext context = device.open();
                Arena arena = Arena.ofShared();
                DeviceBuffer buffer = context.allocate(bytes)) {
            MemorySegment host = arena.allocate(bytes, 4096);
            for (long at = 0; at < bytes; at += 4) {
                host.set(JAVA_INT, at, (int) (at / 4 * 0x9E3779B1L));
            }
            context.queue().write(buffer, 0, host);
            context.queue().fill(buffer, bytes - 8, 4, 42);
            host.fill((byte) 0);
            context.queue().read(buffer, 0, host);
            for (long at = 0; at < bytes; at += 4) {
                int expected = at == bytes - 8 ? 42 : (int) (at / 4 * 0x9E3779B1L);
                if (host.get(JAVA_INT, at) != expected) {
                    assertEquals(expected, host.get(JAVA_INT, at), "at " + at);
                }
            }
        }
    }
}
