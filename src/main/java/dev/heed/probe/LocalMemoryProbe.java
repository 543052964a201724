package dev.heed.probe;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.WorkSize;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Probes of the local memory that a work-group can really use: each word is written by one work-item and read by another. */
final class LocalMemoryProbe {
    static final List<Integer> KILOBYTES = List.of(16, 32, 48, 64, 96, 160, 227);

    static final int GROUP = 64;
    static final int SEED = 12345;

    private LocalMemoryProbe() {}

    static Finding declared(DeviceContext context, int kilobytes) {
        int words = words(kilobytes);
        try (Kernel kernel = context.program(Trials.PLAIN, "-DWORDS=" + words).kernel("local_static");
                DeviceBuffer out = Trials.zeros(context, GROUP * Integer.BYTES)) {
            kernel.arguments().buffer(out).int32(SEED);
            return check(context, kernel, out, words);
        }
    }

    static Finding argument(DeviceContext context, int kilobytes) {
        int words = words(kilobytes);
        try (Kernel kernel = context.program(Trials.PLAIN, "").kernel("local_argument");
                DeviceBuffer out = Trials.zeros(context, GROUP * Integer.BYTES)) {
            kernel.arguments()
                    .buffer(out)
                    .int32(SEED)
                    .local((long) words * Integer.BYTES)
                    .int32(words);
            return check(context, kernel, out, words);
        }
    }

    /**
     * {@return the number of 32-bit words in {@code kilobytes} KB} A driver may fail at exactly its limit, if it uses a few bytes
     * itself.
     */
    static int words(int kilobytes) {
        return kilobytes * 1024 / Integer.BYTES;
    }

    static Finding check(DeviceContext context, Kernel kernel, DeviceBuffer out, int words) {
        context.queue().launch(kernel, WorkSize.of(GROUP, GROUP));
        int[] got = Trials.ints(context, out);
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("bytes", words * Integer.BYTES);
        figures.put("reportedByKernel", kernel.localBytes());
        for (int item = 0; item < GROUP; item++) {
            int sum = 0;
            for (int i = item; i < words; i += GROUP) {
                sum += (words - 1 - i + SEED) * 0x9E3779B1 * (i + 1);
            }
            if (sum != got[item]) {
                return Finding.failed("work-item " + item + " read wrong words", figures);
            }
        }
        return Finding.ok("", figures);
    }
}
