package dev.heed.backend.opencl.device;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** A probe of the instructions in {@code mma.h}: compiles each of them as PTX or as an emulation, and runs it on one warp. */
public final class MatrixProbe {
    private static final int WARP = 32;
    private static final int ELEMENTS = 256;
    private static final DType[] TYPES = {DType.F16, DType.BF16};

    private final DeviceContext context;
    private final boolean ptx;
    private final List<String> reasons = new ArrayList<>();

    public MatrixProbe(DeviceContext context, boolean ptx) {
        this.context = context;
        this.ptx = ptx;
    }

    @FunctionalInterface
    private interface Trial {
        void run(Kernel kernel);
    }

    /** {@return one text that names the first instruction that fails on the device and the reason; empty if none fails} */
    public List<String> reasons() {
        attempt("cp.async", 1, "copies", DType.F16, this::copies);
        attempt("ldmatrix", 2, "matrices", DType.F16, kernel -> matrices(kernel, false));
        attempt("ldmatrix.trans", 3, "matrices", DType.F16, kernel -> matrices(kernel, true));
        for (DType type : TYPES) {
            attempt("mma.sync " + type.label(), 4, "product", type, kernel -> product(kernel, type));
        }
        attempt("shfl.sync", 5, "lanes", DType.F16, this::lanes);
        attempt("ex2.approx", 6, "powers", DType.F16, this::powers);
        for (DType type : TYPES) {
            attempt("cvt.rn " + type.label(), 7, "packed", type, kernel -> packed(kernel, type));
        }
        attempt("cp.async.wait_group", 8, "groups", DType.F16, this::groups);
        return List.copyOf(reasons);
    }

    /** {@return the reason why the tf32 instruction fails on the device, or an empty list} */
    public List<String> tf32Reasons() {
        attempt("mma.sync tf32", 16, "product_tf32", DType.F32, this::productTf32);
        return List.copyOf(reasons);
    }

    /** Tries one instruction. After a failure, further instructions are not tried: one reason is enough. */
    private void attempt(String instruction, int number, String name, DType type, Trial trial) {
        if (!reasons.isEmpty()) {
            return;
        }
        String options = "-cl-std=CL1.2 -DTRY=" + number + " -DSTORAGE=" + StorageCode.of(type)
                + (ptx ? " -DGPU=1 -DPTX=1" : "");
        try (Kernel kernel = context.program(KernelFile.named("nvidia/instructions"), options)
                .kernel(name)) {
            trial.run(kernel.arguments());
        } catch (RuntimeException e) {
            reasons.add(instruction + ": " + FirstLine.of(e));
        }
    }

    private void copies(Kernel kernel) {
        try (DeviceBuffer in = upload(MemorySegment.ofArray(counted()));
                DeviceBuffer out = context.allocate(ELEMENTS * Short.BYTES)) {
            context.queue().launch(kernel.buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            short[] got = new short[ELEMENTS];
            context.queue().read(out, 0, MemorySegment.ofArray(got));
            for (int x = 0; x < ELEMENTS; x++) {
                int from = ELEMENTS - 1 - x;
                expect(x, got[x], from / 8 == 5 && from % 8 >= 3 ? 0 : from);
            }
        }
    }

    /**
     * Expects the first half with its elements in reverse order, and the second half with its blocks of eight elements in reverse
     * order.
     */
    private void groups(Kernel kernel) {
        try (DeviceBuffer in = upload(MemorySegment.ofArray(counted()));
                DeviceBuffer out = context.allocate(ELEMENTS * Short.BYTES)) {
            context.queue().launch(kernel.buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            short[] got = new short[ELEMENTS];
            context.queue().read(out, 0, MemorySegment.ofArray(got));
            int half = ELEMENTS / 2;
            for (int x = 0; x < half; x++) {
                expect(x, got[x], half - 1 - x);
                expect(half + x, got[half + x], half + (15 - x / 8) * 8 + x % 8);
            }
        }
    }

    private void matrices(Kernel kernel, boolean transposed) {
        try (DeviceBuffer in = upload(MemorySegment.ofArray(counted()));
                DeviceBuffer out = context.allocate(4L * WARP * Integer.BYTES)) {
            context.queue().launch(kernel.buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            expectInts(out, 4 * WARP, x -> {
                int lane = x / 4;
                int matrix = x % 4 * 64;
                int low = transposed ? lane % 4 * 16 + lane / 4 : lane / 4 * 8 + lane % 4 * 2;
                int high = low + (transposed ? 8 : 1);
                return matrix + low | matrix + high << 16;
            });
        }
    }

    /** Multiplies small integers: both types represent them exactly, and f32 represents the sums of their products exactly. */
    private void product(Kernel kernel, DType type) {
        int depth = 16;
        int columns = 8;
        short[] a = new short[depth * depth];
        short[] b = new short[depth * columns];
        for (int x = 0; x < a.length; x++) {
            a[x] = bits(x * 7 % 13 - 6, type);
        }
        for (int x = 0; x < b.length; x++) {
            b[x] = bits(x * 5 % 11 - 5, type);
        }
        try (DeviceBuffer left = upload(MemorySegment.ofArray(a));
                DeviceBuffer right = upload(MemorySegment.ofArray(b));
                DeviceBuffer out = context.allocate((long) b.length * Float.BYTES)) {
            context.queue().launch(kernel.buffer(left).buffer(right).buffer(out), WorkSize.of(WARP, WARP));
            expectInts(out, b.length, x -> {
                int sum = 1;
                for (int k = 0; k < depth; k++) {
                    sum += ((x / columns * depth + k) * 7 % 13 - 6) * ((k * columns + x % columns) * 5 % 11 - 5);
                }
                return Float.floatToRawIntBits(sum);
            });
        }
    }

    /** Multiplies factors that must be rounded to tf32; f32 represents the sums of products of the rounded factors exactly. */
    private void productTf32(Kernel kernel) {
        int depth = 8;
        int columns = 8;
        float[] a = new float[16 * depth];
        float[] b = new float[depth * columns];
        for (int x = 0; x < a.length; x++) {
            a[x] = x * 7 % 13 - 6 + x % 3 * 0x1p-11f;
        }
        for (int x = 0; x < b.length; x++) {
            b[x] = x * 5 % 11 - 5;
        }
        try (DeviceBuffer left = upload(MemorySegment.ofArray(a));
                DeviceBuffer right = upload(MemorySegment.ofArray(b));
                DeviceBuffer out = context.allocate(16L * columns * Float.BYTES)) {
            context.queue().launch(kernel.buffer(left).buffer(right).buffer(out), WorkSize.of(WARP, WARP));
            expectInts(out, 16 * columns, x -> {
                float sum = 1;
                for (int k = 0; k < depth; k++) {
                    sum += tf32(a[x / columns * depth + k]) * b[k * columns + x % columns];
                }
                return Float.floatToRawIntBits(sum);
            });
        }
    }

    /** {@return the nearest tf32 value; ties are rounded away from zero, as by {@code cvt.rna}} */
    public static float tf32(float x) {
        return Float.isFinite(x) ? Float.intBitsToFloat((Float.floatToRawIntBits(x) + 0x1000) & ~0x1fff) : x;
    }

    private void lanes(Kernel kernel) {
        try (DeviceBuffer out = context.allocate(WARP * Float.BYTES)) {
            context.queue().launch(kernel.buffer(out), WorkSize.of(WARP, WARP));
            expectInts(out, WARP, lane -> Float.floatToRawIntBits(lane ^ 3));
        }
    }

    private void powers(Kernel kernel) {
        float[] x = new float[WARP];
        for (int n = 0; n < WARP; n++) {
            x[n] = n == 0 ? Float.NEGATIVE_INFINITY : -n * 1.37f;
        }
        try (DeviceBuffer in = upload(MemorySegment.ofArray(x));
                DeviceBuffer out = context.allocate(WARP * Float.BYTES)) {
            context.queue().launch(kernel.buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            float[] got = new float[WARP];
            context.queue().read(out, 0, MemorySegment.ofArray(got));
            for (int n = 0; n < WARP; n++) {
                double expected = Math.pow(2, x[n]);
                if (!(Math.abs(got[n] - expected) <= 1e-6 * expected)) {
                    throw new IllegalStateException("2^" + x[n] + " is " + got[n]);
                }
            }
        }
    }

    private void packed(Kernel kernel, DType type) {
        float[] x = new float[2 * WARP];
        for (int n = 0; n < x.length; n++) {
            x[n] = (float) Math.sin(n * 1.7 + 1) * (n % 3 == 0 ? 1e-6f : 300);
        }
        try (DeviceBuffer in = upload(MemorySegment.ofArray(x));
                DeviceBuffer out = context.allocate(WARP * Integer.BYTES)) {
            context.queue().launch(kernel.buffer(in).buffer(out), WorkSize.of(WARP, WARP));
            expectInts(out, WARP, n -> bits(x[2 * n], type) & 0xFFFF | bits(x[2 * n + 1], type) << 16);
        }
    }

    private static short bits(float value, DType type) {
        return type == DType.F16
                ? Float.floatToFloat16(value)
                : (short) (Float.floatToRawIntBits((float) DType.BF16.round(value)) >>> 16);
    }

    private static short[] counted() {
        short[] elements = new short[ELEMENTS];
        for (int x = 0; x < ELEMENTS; x++) {
            elements[x] = (short) x;
        }
        return elements;
    }

    private DeviceBuffer upload(MemorySegment content) {
        DeviceBuffer buffer = context.allocate(content.byteSize());
        context.queue().write(buffer, 0, content);
        return buffer;
    }

    private void expectInts(DeviceBuffer out, int count, IntUnaryOperator expected) {
        int[] got = new int[count];
        context.queue().read(out, 0, MemorySegment.ofArray(got));
        for (int x = 0; x < count; x++) {
            expect(x, got[x], expected.applyAsInt(x));
        }
    }

    private static void expect(int at, int got, int expected) {
        if (got != expected) {
            throw new IllegalStateException("word " + at + " is " + got + ", expected " + expected);
        }
    }
}
