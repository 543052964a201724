package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.opencl.Device;
import dev.heed.opencl.OpenCl;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that closing the arena of an input or an output during a call gives a right result or an exception, never a crash. */
@Tag("slow")
class OpenClClosedArenaTest {

    @ParameterizedTest
    @CsvSource({
        "inputs, enqueueKernel, direct",
        "inputs, enqueueKernel, jocl",
        "inputs, map, direct",
        "inputs, map, jocl",
        "output, enqueueKernel, direct",
        "output, map, direct",
        "output, map, jocl"
    })
    void aCloseDuringTheCallIsNoCrash(String tensors, String call, String way) throws Exception {
        Device device = OpenCl.selected().device().orElse(null);
        assumeTrue(device != null, () -> OpenCl.selected().reasons().toString());
        assumeTrue(
                !call.equals("map") || (device != null && device.limits().hostUnified()),
                "the device has memory of its own, which is not mapped");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:-CreateCoredumpOnCrash",
                        "-XX:ErrorFile=/dev/null",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CloseDuringCall.class.getName(),
                        tensors,
                        call,
                        way)
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), said);
        assertEquals(0, process.exitValue(), said);
        List<String> lines = said.lines().toList();
        assertTrue(lines.contains("CLOSED"), said);
        assertTrue(lines.contains("RIGHT") || (said.contains("THROWN") && said.contains("losed")), said);
    }
}
