package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Attention;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that a JVM without an instruction for fused multiply-add is reported: by {@code heed devices}, and by one warning. */
@Tag("slow")
class WithoutFmaTest {
    private static final String REASON = "this JVM has no instruction for fused multiply-add";
    private static final String VECTOR = "--add-modules=jdk.incubator.vector";

    /** Lists the devices of the CPU backends, then computes twice with two instances of each that is ready. */
    static final class Program {
        private Program() {}

        public static void main(String[] args) {
            Tensor x = Tensor.zeros(DType.F32, 2, 3);
            for (int instance = 0; instance < 2; instance++) {
                for (CpuBackend backend : List.of(new VectorBackend(1), new ScalarBackend(1))) {
                    try (backend) {
                        backend.devices().forEach(line -> System.out.println("DEVICE " + line));
                        if (backend.notReadyReasons().isEmpty()) {
                            Attention.softmax(x, 1);
                            backend.plan(dev.heed.SoftmaxProblem.of(x.shape(), 1, DType.F32, false))
                                    .forward(x, Tensor.zeros(DType.F32, 2, 3));
                        }
                    }
                }
            }
            System.out.println("DONE");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {VECTOR, "-Dheed.scalar=false"})
    void itIsSaidOnce(String option) throws Exception {
        List<String> said = run("-XX:-UseFMA", option);
        assertEquals(
                2,
                said.stream()
                        .filter(line -> line.startsWith("DEVICE " + REASON))
                        .count(),
                said::toString);
        assertEquals(
                1,
                said.stream()
                        .filter(line -> line.startsWith("WARNING: attention runs on") && line.contains(REASON))
                        .count(),
                said::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {VECTOR, "-Dheed.scalar=false"})
    void otherwiseNothingIsSaid(String option) throws Exception {
        List<String> said = run(option);
        assertFalse(said.toString().contains("multiply-add"), said::toString);
    }

    /** In a runtime that jlink trimmed, the flag cannot be read, and everything else works. */
    @ParameterizedTest
    @ValueSource(strings = {"-XX:-UseFMA", "-XX:+UseFMA"})
    void withoutTheModuleNothingIsKnown(String flag) throws Exception {
        List<String> said = run(flag, "--limit-modules=java.base,jdk.incubator.vector", VECTOR);
        assertFalse(said.toString().contains("multiply-add"), said::toString);
    }

    private static List<String> run(String... options) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), said);
        assertTrue(said.lines().toList().contains("DONE"), said);
        return said.lines().toList();
    }
}
