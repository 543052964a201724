package dev.heed.probe;

import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.Program;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Probes of the compiler: the registers that a kernel uses, and the values that it spills to memory. */
final class CompilerProbe {
    private static final int LINES = 60;

    private CompilerProbe() {}

    /** Reports the build logs for several register limits. The driver writes no log for a program in its own cache. */
    static Finding log(DeviceContext context) {
        Map<String, Object> figures = new LinkedHashMap<>();
        boolean said = false;
        for (int registers : List.of(32, 128, 255)) {
            Program program = context.program(
                    Trials.PLAIN, "-cl-nv-verbose -cl-nv-maxrregcount=" + registers + " -DREGISTERS=96");
            List<String> lines = program.buildLog().lines().limit(LINES).toList();
            figures.put("atMost" + registers, lines);
            said |= lines.stream().anyMatch(line -> line.contains("registers"));
        }
        return said
                ? Finding.ok("", figures)
                : Finding.failed("the log does not mention registers (CUDA_CACHE_DISABLE=1 may help)", figures);
    }

    static Finding kernel(DeviceContext context) {
        Map<String, Object> figures = new LinkedHashMap<>();
        for (int registers : List.of(16, 96, 300)) {
            try (Kernel kernel =
                    context.program(Trials.PLAIN, "-DREGISTERS=" + registers).kernel("registers")) {
                figures.put("maxWorkGroupSize" + registers, kernel.maxWorkGroupSize());
                figures.put("privateBytes" + registers, kernel.privateBytes());
                figures.put("groupMultiple" + registers, kernel.groupMultiple());
            }
        }
        return Finding.ok("", figures);
    }
}
