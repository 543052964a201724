package dev.heed.opencl;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.opencl.calls.ErrorCode;
import dev.heed.opencl.calls.OpenClCalls;
import dev.heed.opencl.calls.OpenClException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests upload, build, launch and download if one of the OpenCL calls fails: the result must be right, or an
 * {@link OpenClException} must be thrown, and every handle must be released.
 */
@Tag("slow")
class FaultTest {
    private static final int N = 40;
    private static final UnaryOperator<ContextSettings> IN_PLACE =
            settings -> settings.withCache(null).withTransfers(true, 64, 32).withPolling(false);
    private static final UnaryOperator<ContextSettings> STAGED =
            settings -> settings.withCache(null).withTransfers(false, 64, 32).withPolling(true);

    @TempDir
    Path cache;

    /** Uses the host layer as a backend does. Over all settings, it makes every OpenCL call except the calls of discovery. */
    private static void work(Device device, ContextSettings settings) {
        try (DeviceContext context = new DeviceContext(device, settings);
                Arena arena = Arena.ofConfined()) {
            MemorySegment shared = arena.allocate(N * Integer.BYTES, 64);
            MemorySegment plain = arena.allocateFrom(JAVA_FLOAT, 1, 2, 3, 4);
            float[] heap = new float[N];
            Arrays.fill(heap, 1);
            try (DeviceBuffer x = context.allocate(N * 4);
                    DeviceBuffer y = context.allocate(N * 4);
                    Kernel axpy = context.program(DeviceContextTest.SOURCE, "-DSCALE=2")
                            .kernel("axpy")) {
                CommandQueue queue = context.queue();
                queue.write(x, 0, MemorySegment.ofArray(heap));
                queue.write(x, 0, plain);
                queue.fill(y, 0, N * 4, Float.floatToRawIntBits(5));
                queue.launch(axpy.arguments().buffer(x).buffer(y).float32(3).int32(N), WorkSize.covering(N, 8));
                try (Event marker = queue.marker()) {
                    context.transfers().waitFor(marker);
                }
                try (Event late = context.transfers().writeLater(x, 16, plain)) {
                    queue.waitFor(late);
                    late.await();
                }
                queue.flush();
                float[] out = new float[N];
                queue.read(y, 0, MemorySegment.ofArray(out));
                float[] expected = new float[N];
                Arrays.fill(expected, 11);
                expected[1] = 17;
                expected[2] = 23;
                expected[3] = 29;
                assertArrayEquals(expected, out);
                queue.read(y, 0, plain);
                assertEquals(17, plain.getAtIndex(JAVA_FLOAT, 1));
                try (DeviceBuffer half = x.slice(0, 64);
                        Event timed = context.profiled()
                                .launchWithEvent(
                                        axpy.arguments()
                                                .buffer(half)
                                                .buffer(half)
                                                .float32(0)
                                                .int32(4),
                                        WorkSize.of(8, 8))) {
                    assertTrue(timed.nanos() >= 0);
                    queue.copy(half, 0, y, 0, 16);
                    queue.await();
                }
                context.share(shared).ifPresent(buffer -> {
                    try (buffer) {
                        queue.fill(buffer, 0, N * 4, 7);
                        queue.read(buffer, 0, shared);
                        assertEquals(7, shared.getAtIndex(JAVA_INT, N - 1));
                    }
                });
                context.program(DeviceContextTest.SOURCE, "-DSCALE=2").buildLog();
                assertTrue(axpy.maxWorkGroupSize() > 0);
                context.trim();
            }
        }
    }

    @Test
    void everyCallThatALaunchedProgramCanMakeIsMade() {
        Device device = Devices.best();
        Set<String> made = new TreeSet<>();
        for (UnaryOperator<ContextSettings> settings : List.of(IN_PLACE, STAGED)) {
            FaultyCalls calls = FaultyCalls.counting(device);
            work(calls.device(device), settings.apply(ContextSettings.ofProperties(device)));
            assertEquals(List.of(), calls.live());
            made.addAll(calls.counts().keySet());
        }
        FaultyCalls calls = FaultyCalls.counting(device);
        for (int i = 0; i < 2; i++) {
            work(calls.device(device), ContextSettings.ofProperties(device).withCache(cache));
        }
        made.addAll(calls.counts().keySet());
        Set<String> all = Arrays.stream(OpenClCalls.class.getDeclaredMethods())
                .map(Method::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        all.removeAll(Set.of("platforms", "platformText", "devices", "deviceInfo")); // used only by discovery
        assertEquals(all, made);
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCall() {
        Device device = Devices.best();
        return Stream.of("in place", "staged", "from disk").flatMap(way -> {
            ContextSettings settings = settings(way, device);
            work(device, settings); // so that binaries are in the cache, if the settings have one
            FaultyCalls counted = FaultyCalls.counting(device);
            work(counted.device(device), settings);
            List<Integer> codes = FaultyCalls.codes();
            return Stream.iterate(1, n -> n <= counted.calls(), n -> n + 1).map(n -> {
                int code = codes.get(n % codes.size());
                return dynamicTest(
                        way + ", call " + n + ", " + ErrorCode.name(code), () -> failAt(device, settings, n, code));
            });
        });
    }

    private ContextSettings settings(String way, Device device) {
        ContextSettings settings = ContextSettings.ofProperties(device);
        return switch (way) {
            case "in place" -> IN_PLACE.apply(settings);
            case "staged" -> STAGED.apply(settings).withCache(cache);
            default -> IN_PLACE.apply(settings).withCache(cache);
        };
    }

    private static void failAt(Device device, ContextSettings settings, int n, int code) {
        FaultyCalls calls = FaultyCalls.failingAt(device, n, code);
        try {
            work(calls.device(device), settings);
        } catch (OpenClException e) {
            assertEquals(code, e.code(), e::toString);
            assertTrue(e.getMessage().contains("HINT: "), e::toString);
        }
        assertTrue(!calls.failed().isEmpty(), "no call failed");
        assertEquals(List.of(), calls.live(), calls.failed());
    }

    @Test
    void everyCodeHasAName() {
        for (int code : FaultyCalls.codes()) {
            var e = new OpenClException("clCall", code);
            assertTrue(e.getMessage().contains(e.codeName()) && e.getMessage().contains("HINT"), e::toString);
        }
        assertEquals("error -12345", new OpenClException("clCall", -12345).codeName());
    }
}
