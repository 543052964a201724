package dev.heed.probe;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.Program;
import dev.heed.opencl.WorkSize;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Probes of ways ("doors") to use more than 48 KB of local memory, or the matrix units of sm_90a: local memory passed as an
 * argument, compiler options, and Heed's own PTX as a program binary. Each finding has the figures {@code open} (yes or no) and
 * {@code evidence}.
 */
final class DoorProbe {
    static final List<Integer> KILOBYTES = List.of(64, 96, 160, 227);

    private static final String ARCHITECTURE = "-cl-nv-arch sm_90a";
    private static final int EVIDENCE_LINES = 6;

    private static final int ROWS = 64;
    private static final int COLUMNS = 8;
    private static final int DEPTH = 16;
    private static final int CORE = 8; // rows and columns of a core matrix: 8 rows of 16 bytes, contiguous
    private static final int CORE_BYTES = 128;

    private DoorProbe() {}

    private interface Door {
        Finding enter(Map<String, Object> figures);
    }

    /** Tries a door and reports whether it is open, with the driver's message if it is not. */
    private static Finding door(Door door) {
        Map<String, Object> figures = new LinkedHashMap<>();
        Finding found;
        try {
            found = door.enter(figures);
        } catch (RuntimeException e) {
            found = Finding.failed(String.valueOf(e.getMessage()), Map.of());
        }
        boolean open = found.status() == Finding.Status.OK;
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("open", open ? "yes" : "no");
        all.put("evidence", open ? "right answer" : Trials.begin(found.detail(), EVIDENCE_LINES));
        all.putAll(figures);
        all.putAll(found.figures());
        return open ? Finding.ok("open", all) : Finding.failed("shut: " + found.detail(), all);
    }

    /** Passes local memory as an argument, in OpenCL C. */
    static Finding localArgument(DeviceContext context, int kilobytes) {
        return door(figures -> LocalMemoryProbe.argument(context, kilobytes));
    }

    // ---------------------------------------------------------------- the compiler's option

    /** Compiles OpenCL C for sm_90a: reports the driver's target, and whether a kernel can declare that much local memory. */
    static Finding architecture(DeviceContext context, int kilobytes) {
        return door(figures -> {
            String options = ARCHITECTURE + " -DWORDS=" + LocalMemoryProbe.words(kilobytes);
            Program program = context.program(Trials.PLAIN, options);
            String text = new String(program.binary(), StandardCharsets.US_ASCII);
            figures.put(
                    "target",
                    text.lines()
                            .filter(line -> line.startsWith(".target"))
                            .findFirst()
                            .orElse("not text"));
            try (Kernel kernel = program.kernel("local_static");
                    DeviceBuffer out = Trials.zeros(context, LocalMemoryProbe.GROUP * Integer.BYTES)) {
                kernel.arguments().buffer(out).int32(LocalMemoryProbe.SEED);
                return LocalMemoryProbe.check(context, kernel, out, LocalMemoryProbe.words(kilobytes));
            }
        });
    }

    // ---------------------------------------------------------------- Heed's own PTX

    /** {@return the text of a PTX file, with its target replaced; its version becomes 8.0 if the target ends in "a"} */
    static String text(String file, String target) {
        String text = Trials.source(file).text().replaceFirst("(?m)^\\.target .*$", ".target " + target);
        return target.endsWith("a") ? text.replaceFirst("(?m)^\\.version .*$", ".version 8.0") : text;
    }

    /** Loads a PTX text; if the driver rejects it, adds {@code texmode_independent} to the target, as older compilers do. */
    private static Program load(DeviceContext context, String file, String text, Map<String, Object> figures) {
        try {
            Program program = binary(context, file, text);
            figures.put("form", "plain");
            return program;
        } catch (RuntimeException e) {
            figures.put("plainRefused", Trials.begin(String.valueOf(e.getMessage()), EVIDENCE_LINES));
            Program program =
                    binary(context, file, text.replaceFirst("(?m)^(\\.target .*)$", "$1, texmode_independent"));
            figures.put("form", "texmode_independent");
            return program;
        }
    }

    private static Program binary(DeviceContext context, String file, String text) {
        return context.binaryProgram(file, text.getBytes(StandardCharsets.US_ASCII), "");
    }

    static Finding loaded(DeviceContext context, String target) {
        return door(figures -> {
            Program program = load(context, "text.ptx", text("text.ptx", target), figures);
            try (Kernel kernel = program.kernel("tripled")) {
                return PtxProbe.tripled(context, kernel);
            }
        });
    }

    static Finding argument(DeviceContext context, String target, int kilobytes) {
        return door(figures -> {
            Program program = load(context, "text.ptx", text("text.ptx", target), figures);
            int words = LocalMemoryProbe.words(kilobytes);
            try (Kernel kernel = program.kernel("local_argument");
                    DeviceBuffer out = Trials.zeros(context, LocalMemoryProbe.GROUP * Integer.BYTES)) {
                kernel.arguments()
                        .buffer(out)
                        .int32(LocalMemoryProbe.SEED)
                        .local((long) words * Integer.BYTES)
                        .int32(words);
                return LocalMemoryProbe.check(context, kernel, out, words);
            }
        });
    }

    /** {@return the PTX text whose kernel declares {@code kilobytes} KB of local memory} */
    static String declaring(int kilobytes) {
        return text("declared.ptx", "sm_90a").replace("BYTES", String.valueOf(kilobytes * 1024));
    }

    static Finding declared(DeviceContext context, int kilobytes) {
        return door(figures -> {
            Program program = load(context, "declared.ptx", declaring(kilobytes), figures);
            try (Kernel kernel = program.kernel("local_static");
                    DeviceBuffer out = Trials.zeros(context, LocalMemoryProbe.GROUP * Integer.BYTES)) {
                kernel.arguments().buffer(out).int32(LocalMemoryProbe.SEED);
                return LocalMemoryProbe.check(context, kernel, out, LocalMemoryProbe.words(kilobytes));
            }
        });
    }

    // ---------------------------------------------------------------- wgmma

    /**
     * Computes a product by wgmma, with its factors at the end of {@code kilobytes} KB of local memory. A matrix descriptor has
     * two strides; their two orders are tried until one gives the product.
     */
    static Finding wgmma(DeviceContext context, int kilobytes) {
        return door(figures -> {
            Program program = load(context, "wgmma.ptx", text("wgmma.ptx", "sm_90a"), figures);
            int factors = (ROWS + COLUMNS) * DEPTH * Short.BYTES;
            int at = kilobytes * 1024 - factors & -CORE_BYTES;
            Finding last = Finding.failed("nothing was tried", Map.of());
            for (int[] steps : new int[][] {{CORE_BYTES, 2 * CORE_BYTES}, {2 * CORE_BYTES, CORE_BYTES}}) {
                last = product(context, program, kilobytes * 1024, at, steps[0], steps[1]);
                if (last.status() == Finding.Status.OK) {
                    figures.put("stepAlongDepth", steps[0]);
                    figures.put("stepAcross", steps[1]);
                    return last;
                }
            }
            return last;
        });
    }

    private static Finding product(DeviceContext context, Program program, int bytes, int at, int near, int far) {
        short[] factors = new short[(ROWS + COLUMNS) * DEPTH];
        for (int k = 0; k < DEPTH; k++) {
            for (int row = 0; row < ROWS; row++) {
                factors[place(row, k)] = Float.floatToFloat16(left(row, k));
            }
            for (int column = 0; column < COLUMNS; column++) {
                factors[ROWS * DEPTH + place(column, k)] = Float.floatToFloat16(right(k, column));
            }
        }
        try (Kernel kernel = program.kernel("wgmma_product");
                DeviceBuffer in = Trials.upload(context, MemorySegment.ofArray(factors));
                DeviceBuffer out = Trials.zeros(context, (long) ROWS * COLUMNS * Float.BYTES)) {
            kernel.arguments()
                    .buffer(in)
                    .buffer(out)
                    .local(bytes)
                    .int32(at)
                    .int32(near)
                    .int32(far);
            context.queue().launch(kernel, WorkSize.of(2 * ROWS, 2 * ROWS));
            float[] got = Trials.floats(context, out);
            for (int x = 0; x < got.length; x++) {
                int sum = 0;
                for (int k = 0; k < DEPTH; k++) {
                    sum += left(x / COLUMNS, k) * right(k, x % COLUMNS);
                }
                if (got[x] != sum) {
                    return Finding.failed(
                            "[" + x / COLUMNS + "][" + x % COLUMNS + "] is " + got[x] + ", expected " + sum, Map.of());
                }
            }
            return Finding.ok("", Map.of());
        }
    }

    /** {@return an element of the left factor: a small integer, exact in f16; the sums of products are exact in f32} */
    private static int left(int row, int k) {
        return (row * DEPTH + k) * 7 % 13 - 6;
    }

    private static int right(int k, int column) {
        return (k * COLUMNS + column) * 5 % 11 - 5;
    }

    /** {@return the index of an element in a factor, which is stored as 8 x 8 matrices in row-major order} */
    private static int place(int row, int k) {
        int matrix = row / CORE * (DEPTH / CORE) + k / CORE;
        return matrix * CORE * CORE + row % CORE * CORE + k % CORE;
    }
}
