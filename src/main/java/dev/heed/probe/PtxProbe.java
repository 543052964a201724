package dev.heed.probe;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.KernelSource;
import dev.heed.opencl.WorkSize;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/**
 * Probes of instructions in inline PTX: whether the compiler accepts an instruction, and whether it gives the right result on one
 * warp or a few.
 */
final class PtxProbe {
    static final KernelSource SOURCE = Trials.source("ptx.cl");
    static final int MARKED = 8;

    private static final int WARP = 32;
    private static final int WORDS = 128;

    private PtxProbe() {}

    private static Kernel kernel(DeviceContext context, int probe, String name) {
        return context.program(SOURCE, "-DPROBE=" + probe).kernel(name);
    }

    private static Finding compare(int[] got, int count, IntUnaryOperator expected) {
        for (int i = 0; i < count; i++) {
            if (got[i] != expected.applyAsInt(i)) {
                return Finding.failed("word " + i + " is " + got[i] + ", expected " + expected.applyAsInt(i), Map.of());
            }
        }
        return Finding.ok("", Map.of());
    }

    static Finding laneid(DeviceContext context) {
        try (Kernel kernel = kernel(context, 1, "laneid");
                DeviceBuffer out = Trials.zeros(context, 2 * WARP * Integer.BYTES)) {
            context.queue().launch(kernel.arguments().buffer(out), WorkSize.of(2 * WARP, WARP));
            return compare(Trials.ints(context, out), 2 * WARP, i -> i % WARP);
        }
    }

    /** Multiplies small integers: they are exact in f16 and bf16, and the sums of their products are exact in f32. */
    static Finding mma(DeviceContext context, String type) {
        int rows = 16;
        int columns = 8;
        int depth = 16;
        short[] a = new short[rows * depth];
        short[] b = new short[depth * columns];
        for (int i = 0; i < a.length; i++) {
            a[i] = narrow(i * 7 % 13 - 6, type);
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = narrow(i * 5 % 11 - 5, type);
        }
        try (Kernel kernel = context.program(SOURCE, "-DPROBE=2 -DTYPE=" + type).kernel("mma");
                DeviceBuffer left = Trials.upload(context, MemorySegment.ofArray(a));
                DeviceBuffer right = Trials.upload(context, MemorySegment.ofArray(b));
                DeviceBuffer out = Trials.zeros(context, (long) rows * columns * Float.BYTES)) {
            kernel.arguments().buffer(left).buffer(right).buffer(out);
            context.queue().launch(kernel, WorkSize.of(WARP, WARP));
            float[] got = Trials.floats(context, out);
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    int sum = 0;
                    for (int k = 0; k < depth; k++) {
                        sum += ((row * depth + k) * 7 % 13 - 6) * ((k * columns + column) * 5 % 11 - 5);
                    }
                    if (got[row * columns + column] != sum) {
                        return Finding.failed(
                                "[" + row + "][" + column + "] is " + got[row * columns + column] + ", expected " + sum,
                                Map.of());
                    }
                }
            }
            return Finding.ok("", Map.of());
        }
    }

    private static short narrow(int value, String type) {
        return type.equals("bf16") ? (short) (Float.floatToRawIntBits(value) >>> 16) : Float.floatToFloat16(value);
    }

    static Finding ldmatrix(DeviceContext context) {
        short[] tile = new short[256];
        for (int i = 0; i < tile.length; i++) {
            tile[i] = (short) i;
        }
        try (Kernel kernel = kernel(context, 3, "ldmatrix");
                DeviceBuffer in = Trials.upload(context, MemorySegment.ofArray(tile));
                DeviceBuffer out = Trials.zeros(context, 4 * WARP * Integer.BYTES)) {
            context.queue().launch(kernel.arguments().buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            return compare(Trials.ints(context, out), 4 * WARP, i -> {
                int lane = i / 4;
                int matrix = i % 4; // top left, bottom left, top right, bottom right
                int row = lane / 4 + matrix % 2 * 8;
                int first = row * 16 + lane % 4 * 2 + matrix / 2 * 8;
                return first | (first + 1) << 16;
            });
        }
    }

    static Finding copyAsync(DeviceContext context) {
        try (Kernel kernel = kernel(context, 4, "cp_async");
                DeviceBuffer in = Trials.upload(context, MemorySegment.ofArray(numbers()));
                DeviceBuffer out = Trials.zeros(context, WORDS * Integer.BYTES)) {
            context.queue().launch(kernel.arguments().buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            return compare(Trials.ints(context, out), WORDS, i -> number(WORDS - 1 - i));
        }
    }

    static Finding bulk(DeviceContext context) {
        try (Kernel kernel = kernel(context, 7, "bulk");
                DeviceBuffer in = Trials.upload(context, MemorySegment.ofArray(numbers()));
                DeviceBuffer out = Trials.zeros(context, (WORDS + 1) * Integer.BYTES)) {
            context.queue().launch(kernel.arguments().buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            int[] got = Trials.ints(context, out);
            return got[WORDS] == 1
                    ? compare(got, WORDS, i -> number(WORDS - 1 - i))
                    : Finding.failed("the end of the copy was never signalled", Map.of());
        }
    }

    private static int[] numbers() {
        int[] numbers = new int[WORDS];
        for (int i = 0; i < WORDS; i++) {
            numbers[i] = number(i);
        }
        return numbers;
    }

    private static int number(int i) {
        return (i + 1) * 0x9E3779B1;
    }

    static Finding exponential(DeviceContext context) {
        float[] x = new float[WARP];
        for (int i = 0; i < WARP; i++) {
            x[i] = -20 + i * 1.25f;
        }
        try (Kernel kernel = kernel(context, 5, "ex2");
                DeviceBuffer in = Trials.upload(context, MemorySegment.ofArray(x));
                DeviceBuffer out = Trials.zeros(context, WARP * Float.BYTES)) {
            context.queue().launch(kernel.arguments().buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            float[] got = Trials.floats(context, out);
            double worst = 0;
            for (int i = 0; i < WARP; i++) {
                worst = Math.max(worst, Math.abs(got[i] / Math.pow(2, x[i]) - 1));
            }
            Map<String, Object> figures = Map.of("largestRelativeError", worst);
            return worst < 1e-6 ? Finding.ok("", figures) : Finding.failed("not a power of two", figures);
        }
    }

    static Finding exponentialPair(DeviceContext context) {
        int[] pairs = new int[WARP];
        for (int i = 0; i < WARP; i++) {
            pairs[i] = half(-i / 4f) | half(i / 8f - 2) << 16;
        }
        try (Kernel kernel = kernel(context, 6, "ex2_pair");
                DeviceBuffer in = Trials.upload(context, MemorySegment.ofArray(pairs));
                DeviceBuffer out = Trials.zeros(context, WARP * Integer.BYTES)) {
            context.queue().launch(kernel.arguments().buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            int[] got = Trials.ints(context, out);
            double worst = 0;
            for (int i = 0; i < WARP; i++) {
                worst = Math.max(worst, error(got[i], -i / 4f));
                worst = Math.max(worst, error(got[i] >>> 16, i / 8f - 2));
            }
            Map<String, Object> figures = Map.of("largestRelativeError", worst);
            return worst < 2e-3 ? Finding.ok("", figures) : Finding.failed("not a power of two", figures);
        }
    }

    private static int half(float value) {
        return Float.floatToFloat16(value) & 0xFFFF;
    }

    private static double error(int half, float exponent) {
        return Math.abs(Float.float16ToFloat((short) half) / Math.pow(2, exponent) - 1);
    }

    static Finding wgmma(DeviceContext context, String option) {
        try (Kernel kernel =
                context.program(SOURCE, ("-DPROBE=9 " + option).strip()).kernel("wgmma")) {
            return tripled(context, kernel);
        }
    }

    /** Runs a kernel whose work-item i writes 3 i to element i of its only buffer, and checks the result. */
    static Finding tripled(DeviceContext context, Kernel kernel) {
        try (DeviceBuffer out = Trials.zeros(context, WORDS * Integer.BYTES)) {
            context.queue().launch(kernel.arguments().buffer(out), WorkSize.of(WORDS, WORDS));
            return compare(Trials.ints(context, out), WORDS, i -> 3 * i);
        }
    }
}
