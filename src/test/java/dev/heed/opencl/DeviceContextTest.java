package dev.heed.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.opencl.calls.ErrorCode;
import dev.heed.opencl.calls.OpenClBuildException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests {@link DeviceContext}: kernels, their arguments, threads, closing. */
@Tag("slow")
class DeviceContextTest {
    static final KernelSource SOURCE = new KernelSource("axpy.cl", """
            #ifndef SCALE
            #define SCALE 1
            #endif
            __kernel void axpy(__global const float *x, __global float *y, float a, int n) {
                int i = get_global_id(0);
                if (i < n) y[i] += SCALE * a * x[i];
            }
            __kernel void reversed(__global const int *from, __global int *to, __local int *tile) {
                int i = get_local_id(0), n = get_local_size(0);
                tile[i] = from[get_global_id(0)];
                barrier(CLK_LOCAL_MEM_FENCE);
                to[get_global_id(0)] = tile[n - 1 - i];
            }
            __kernel void arguments(__global long *out, __global int *none, int a, long b, float c) {
                out[0] = none == 0 ? 1 : 0;
                out[1] = a;
                out[2] = b;
                out[3] = as_int(c);
            }
            """);

    static final int MANY = 10_000;

    @ParameterizedTest
    @MethodSource("dev.heed.opencl.Devices#all")
    void aKernelComputes(Device device) {
        try (DeviceContext context = device.open();
                DeviceBuffer x = context.allocate(12);
                DeviceBuffer y = context.allocate(12);
                Kernel axpy = context.program(SOURCE, "-DSCALE=2").kernel("axpy")) {
            context.queue().write(x, 0, MemorySegment.ofArray(new float[] {1, 2, 3}));
            context.queue().write(y, 0, MemorySegment.ofArray(new float[] {10, 20, 30}));
            context.queue()
                    .launch(axpy.arguments().buffer(x).buffer(y).float32(3).int32(3), WorkSize.covering(3, 8));
            float[] out = new float[3];
            context.queue().read(y, 0, MemorySegment.ofArray(out));
            assertArrayEquals(new float[] {16, 32, 48}, out);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.heed.opencl.Devices#all")
    void localMemoryIsAnArgument(Device device) {
        try (DeviceContext context = device.open();
                DeviceBuffer from = context.allocate(32);
                DeviceBuffer to = context.allocate(32);
                Kernel reversed = context.program(SOURCE, "").kernel("reversed")) {
            context.queue().write(from, 0, MemorySegment.ofArray(new int[] {0, 1, 2, 3, 4, 5, 6, 7}));
            int[] out = new int[8];
            for (int size : new int[] {4, 2, 4}) { // both the work-group and the local memory change size
                context.queue()
                        .launch(reversed.arguments().buffer(from).buffer(to).local(4L * size), WorkSize.of(8, size));
                context.queue().read(to, 0, MemorySegment.ofArray(out));
                for (int i = 0; i < 8; i++) {
                    assertEquals(i / size * size + size - 1 - i % size, out[i]);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.heed.opencl.Devices#all")
    void everyKindOfArgumentArrives(Device device) {
        try (DeviceContext context = device.open();
                DeviceBuffer out = context.allocate(32);
                Kernel kernel = context.program(SOURCE, "").kernel("arguments")) {
            long[] seen = new long[4];
            for (int i = 0; i < 3; i++) {
                kernel.arguments()
                        .buffer(out)
                        .noBuffer()
                        .int32(-i)
                        .int64(1L << (40 + i))
                        .float32(1.5f);
                context.queue().launch(kernel, WorkSize.of(1, 0));
                context.queue().read(out, 0, MemorySegment.ofArray(seen));
                assertArrayEquals(new long[] {1, -i, 1L << (40 + i), Float.floatToIntBits(1.5f)}, seen, "run " + i);
            }
        }
    }

    @Test
    void argumentsThatStayAreNotSetAgain() {
        Device device = Devices.best();
        FaultyCalls calls = FaultyCalls.counting(device);
        try (DeviceContext context = calls.device(device).open();
                DeviceBuffer x = context.allocate(64);
                DeviceBuffer y = context.allocate(64)) {
            for (int i = 0; i < 10; i++) {
                try (Kernel axpy = context.program(SOURCE, "").kernel("axpy")) {
                    context.queue()
                            .launch(
                                    axpy.arguments()
                                            .buffer(x)
                                            .buffer(y)
                                            .float32(i)
                                            .int32(16),
                                    WorkSize.of(16, 8));
                }
            }
            assertEquals(3 + 10, calls.counts().get("setArgument"));
            assertEquals(1, calls.counts().get("createKernel"));
            assertEquals(1, calls.counts().get("buildProgram"));
        }
        assertEquals(List.of(), calls.live());
    }

    /** A new buffer is a different argument, even if it has the handle of a released buffer. */
    @Test
    void aNewBufferIsANewArgument() {
        Device device = Devices.best();
        FaultyCalls calls = FaultyCalls.counting(device);
        try (DeviceContext context = calls.device(device).open();
                DeviceBuffer x = context.allocate(64);
                Kernel axpy = context.program(SOURCE, "").kernel("axpy")) {
            for (int i = 0; i < 4; i++) {
                try (DeviceBuffer y = context.allocate(64)) {
                    axpy.arguments().buffer(x).buffer(y).float32(0).int32(16);
                }
                context.trim();
            }
            assertEquals(4 + 3, calls.counts().get("setArgument"));
        }
    }

    @Test
    void misuseIsSaid() {
        try (DeviceContext context = Devices.best().open();
                DeviceContext other = Devices.best().open();
                DeviceBuffer x = context.allocate(64);
                DeviceBuffer foreign = other.allocate(64)) {
            Program program = context.program(SOURCE, "");
            Kernel axpy = program.kernel("axpy");
            assertSays("axpy.cl takes 4 arguments, 1 were given", () -> {
                axpy.arguments().buffer(x);
                context.queue().launch(axpy, WorkSize.of(1, 1));
            });
            assertSays("another context", () -> axpy.arguments().buffer(foreign));
            assertSays(
                    "takes 4 arguments, a further one",
                    () -> axpy.arguments()
                            .buffer(x)
                            .buffer(x)
                            .float32(1)
                            .int32(1)
                            .int32(1));
            axpy.close();
            assertSays("used after it was closed", axpy::arguments);
            DeviceBuffer gone = context.allocate(64);
            gone.close();
            gone.close();
            assertSays("used after it was closed", () -> context.queue().fill(gone, 0, 64, 0));
            assertSays("Expected a range within 64 bytes", () -> context.queue().fill(x, 32, 64, 0));
            assertSays("at least one byte", () -> context.allocate(0));
            assertSays("heap array", () -> context.queue().writeLater(x, 0, MemorySegment.ofArray(new byte[4])));
            assertSays("CL_INVALID_KERNEL_NAME", () -> program.kernel("nothing"));
        }
    }

    @Test
    void aProgramThatDoesNotCompileSaysWhereAndHow() {
        var wrong = new KernelSource("wrong.cl", "__kernel void k(__global int *a) { a[0] = undeclared; }");
        try (DeviceContext context = Devices.best().open()) {
            int handles = context.handles();
            for (int i = 0; i < 2; i++) {
                var e = assertThrows(OpenClBuildException.class, () -> context.program(wrong, "-DTILE=8"));
                assertEquals(ErrorCode.BUILD_PROGRAM_FAILURE, e.code());
                for (String part : new String[] {
                    "wrong.cl", "-DTILE=8", "undeclared", context.device().name(), "HINT"
                }) {
                    assertTrue(e.getMessage().contains(part), e::toString);
                }
                assertTrue(e.log().contains("undeclared"));
            }
            assertEquals(handles, context.handles());
        }
    }

    @Test
    void aClosedContextSaysSo() {
        Device device = Devices.best();
        FaultyCalls calls = FaultyCalls.counting(device);
        DeviceContext context = calls.device(device).open();
        DeviceBuffer buffer = context.allocate(64);
        DeviceBuffer slice = buffer.slice(0, 32);
        Program program = context.program(SOURCE, "");
        Kernel kernel = program.kernel("axpy");
        Event marker = context.queue().marker();
        context.close();
        context.close();
        for (Callable<?> use : List.<Callable<?>>of(
                () -> context.allocate(64),
                () -> context.program(SOURCE, ""),
                () -> program.kernel("axpy"),
                () -> kernel.arguments().buffer(buffer),
                context::transfers,
                context::profiled,
                () -> buffer.slice(0, 4),
                () -> context.queue().marker())) {
            var e = assertThrows(IllegalStateException.class, use::call);
            assertTrue(e.getMessage().contains("is closed") && e.getMessage().contains("HINT"), e::toString);
        }
        assertThrows(IllegalStateException.class, marker::await);
        assertThrows(IllegalStateException.class, () -> context.queue().await());
        slice.close();
        buffer.close();
        kernel.close();
        marker.close();
        assertEquals(List.of(), calls.live());
        assertEquals(0, context.handles());
        assertEquals(0, context.memory().liveBytes());
    }

    /** After ten thousand launches, half of them followed by a read, there are no more handles than after the first. */
    @ParameterizedTest
    @MethodSource("dev.heed.opencl.Devices#all")
    void tenThousandLaunchesLeaveNothing(Device device) {
        FaultyCalls calls = FaultyCalls.counting(device);
        try (DeviceContext context = calls.device(device).open()) {
            int[] out = new int[16];
            List<String> first = null;
            for (int i = 1; i <= MANY; i++) {
                try (DeviceBuffer buffer = context.allocate(64)) {
                    context.queue().fill(buffer, 0, 64, i);
                    if (i % 2 == 0) {
                        context.queue().read(buffer, 0, MemorySegment.ofArray(out));
                        assertEquals(i, out[15]);
                    } else {
                        context.queue().marker().close();
                    }
                }
                if (i == 1) {
                    first = calls.live();
                }
            }
            assertNotNull(first);
            assertEquals(first, calls.live());
            assertEquals(0, context.memory().liveBuffers());
        }
        assertEquals(List.of(), calls.live());
    }

    @ParameterizedTest
    @MethodSource("dev.heed.opencl.Devices#all")
    void sixteenThreadsShareAContext(Device device) throws Exception {
        for (boolean inPlace : new boolean[] {true, false}) {
            ContextSettings settings = ContextSettings.ofProperties(device).withTransfers(inPlace, 1 << 20, 256);
            try (DeviceContext context = new DeviceContext(device, settings);
                    var threads = Executors.newFixedThreadPool(16)) {
                List<Future<?>> work = new ArrayList<>();
                for (int thread = 0; thread < 16; thread++) {
                    int seed = thread;
                    work.add(threads.submit(() -> sum(context, seed)));
                }
                for (Future<?> one : work) {
                    one.get();
                }
                assertEquals(0, context.memory().liveBuffers());
            }
        }
    }

    private static void sum(DeviceContext context, int seed) {
        int n = 500 + seed;
        for (int round = 0; round < 20; round++) {
            float[] values = new float[n];
            for (int i = 0; i < n; i++) {
                values[i] = seed * 1000 + i;
            }
            try (DeviceBuffer x = context.allocate(4L * n);
                    DeviceBuffer y = context.allocate(4L * n);
                    Kernel axpy = context.program(SOURCE, "-DSCALE=" + (1 + round % 3))
                            .kernel("axpy")) {
                context.queue().write(x, 0, MemorySegment.ofArray(values));
                context.queue().fill(y, 0, 4L * n, 0);
                context.queue()
                        .launch(axpy.arguments().buffer(x).buffer(y).float32(2).int32(n), WorkSize.covering(n, 16));
                float[] out = new float[n];
                context.queue().read(y, 0, MemorySegment.ofArray(out));
                for (int i = 0; i < n; i++) {
                    assertEquals(values[i] * 2 * (1 + round % 3), out[i]);
                }
            }
        }
    }

    /** Closing waits for running calls; later calls throw an exception. */
    @Test
    void closingWhileOthersWork() throws Exception {
        for (int round = 0; round < 5; round++) {
            DeviceContext context = Devices.best().open();
            context.program(SOURCE, "-DSCALE=1");
            try (var threads = Executors.newFixedThreadPool(4)) {
                List<Future<?>> work = new ArrayList<>();
                for (int thread = 0; thread < 4; thread++) {
                    int seed = thread;
                    work.add(threads.submit(() -> {
                        while (true) {
                            sum(context, seed);
                        }
                    }));
                }
                context.close();
                for (Future<?> one : work) {
                    Throwable cause = assertThrows(java.util.concurrent.ExecutionException.class, one::get)
                            .getCause();
                    assertTrue(
                            cause instanceof IllegalStateException
                                    && String.valueOf(cause.getMessage()).contains("is closed"),
                            () -> String.valueOf(cause));
                }
            }
            assertEquals(0, context.handles());
        }
    }

    private static void assertSays(String part, Runnable use) {
        var e = assertThrows(RuntimeException.class, use::run);
        assertTrue(String.valueOf(e.getMessage()).contains(part), e::toString);
    }
}
