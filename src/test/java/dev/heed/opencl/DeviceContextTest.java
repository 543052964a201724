package dev.heed.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A device in use: kernels, copies, memory, on every device there is. */
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
            """);

    static MemorySegment floats(float... values) {
        return MemorySegment.ofArray(values);
    }

    @ParameterizedTest
    @MethodSource("dev.heed.opencl.Devices#all")
    void aKernelComputes(Device device) {
        try (DeviceContext context = device.open();
                DeviceBuffer x = context.allocate(12);
                DeviceBuffer y = context.allocate(12);
                Kernel axpy = context.program(SOURCE, "-DSCALE=2").kernel("axpy")) {
            context.queue().write(x, 0, floats(1, 2, 3));
            context.queue().write(y, 0, floats(10, 20, 30));
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
            context.queue().launch(reversed.arguments().buffer(from).buffer(to).local(16), WorkSize.of(8, 4));
            int[] out = new int[8];
            context.queue().read(to, 0, MemorySegment.ofArray(out));
            assertArrayEquals(new int[] {3, 2, 1, 0, 7, 6, 5, 4}, out);
        }
    }
}
