package dev.heed.probe;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.Program;
import dev.heed.opencl.WorkSize;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Probes of program binaries: the binaries that a driver returns (PTX text on NVIDIA), and the binaries that it accepts. */
final class BinaryProbe {
    private static final int HEAD_LINES = 40;
    private static final int HEAD_BYTES = 64;

    private BinaryProbe() {}

    static Finding head(DeviceContext context) {
        byte[] binary = context.program(Trials.PLAIN, "").binary();
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("bytes", binary.length);
        if (isText(binary)) {
            String text = new String(binary, StandardCharsets.US_ASCII);
            figures.put("head", text.lines().limit(HEAD_LINES).toList());
            return Finding.ok("text", figures);
        }
        byte[] first = java.util.Arrays.copyOf(binary, Math.min(HEAD_BYTES, binary.length));
        figures.put("head", List.of(HexFormat.of().formatHex(first)));
        return Finding.ok("not text", figures);
    }

    private static boolean isText(byte[] binary) {
        int checked = Math.min(binary.length, 1000);
        for (int i = 0; i < checked; i++) {
            if (binary[i] < ' ' && binary[i] != '\n' && binary[i] != '\r' && binary[i] != '\t') {
                return false;
            }
        }
        return checked > 0;
    }

    static Finding reload(DeviceContext context) {
        Program again = context.binaryProgram(
                "plain.cl, loaded back", context.program(Trials.PLAIN, "").binary(), "");
        int words = 4096;
        try (Kernel kernel = again.kernel("local_argument");
                DeviceBuffer out = Trials.zeros(context, Integer.BYTES)) {
            kernel.arguments().buffer(out).int32(0).local(words * 4L).int32(words);
            context.queue().launch(kernel, WorkSize.of(1, 1));
            int sum = 0;
            for (int i = 0; i < words; i++) {
                sum += (words - 1 - i) * 0x9E3779B1 * (i + 1);
            }
            return Trials.ints(context, out)[0] == sum
                    ? Finding.ok("", Map.of())
                    : Finding.failed("the program that was loaded back gives a wrong result", Map.of());
        }
    }

    /** {@return the PTX of the kernel {@code marked}, which contains the comment {@code HEED_MARKER}} */
    private static String marked(DeviceContext context) {
        byte[] binary =
                context.program(PtxProbe.SOURCE, "-DPROBE=" + PtxProbe.MARKED).binary();
        String text = new String(binary, StandardCharsets.US_ASCII);
        int end = text.indexOf('\0');
        return end < 0 ? text : text.substring(0, end);
    }

    private static Finding run(DeviceContext context, String ptx) {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put(
                "head",
                ptx.lines().filter(line -> line.startsWith(".")).limit(3).toList());
        Program program = context.binaryProgram("edited PTX", ptx.getBytes(StandardCharsets.US_ASCII), "");
        try (Kernel kernel = program.kernel("marked")) {
            Finding found = PtxProbe.tripled(context, kernel);
            return new Finding("", "", found.status(), found.detail(), figures, 0);
        }
    }

    /** Runs the PTX with its marker replaced by an instruction that does not change the result. */
    static Finding edited(DeviceContext context) {
        return run(context, replaced(marked(context), "// HEED_MARKER", "membar.cta;"));
    }

    static Finding plainParameters(DeviceContext context) {
        String text = marked(context);
        String plain = text.replaceAll("\\.param \\.u64 \\.ptr( \\.global)?( \\.align \\d+)? ", ".param .u64 ");
        if (plain.equals(text)) {
            return Finding.ok("the driver's own PTX has plain parameters", Map.of());
        }
        return run(context, plain);
    }

    static Finding target(DeviceContext context) {
        return run(context, retargeted(marked(context)));
    }

    static Finding targetWithWgmma(DeviceContext context) {
        return run(context, replaced(retargeted(marked(context)), "// HEED_MARKER", "wgmma.fence.sync.aligned;"));
    }

    private static String retargeted(String ptx) {
        return replaced(ptx, "(?m)^\\.target\\s+sm_90\\b", ".target sm_90a");
    }

    private static String replaced(String ptx, String pattern, String by) {
        String edited = ptx.replaceFirst(pattern, by);
        if (edited.equals(ptx)) {
            throw new IllegalStateException("the PTX has no \"" + pattern + "\": " + Trials.begin(ptx, 12));
        }
        return edited;
    }
}
