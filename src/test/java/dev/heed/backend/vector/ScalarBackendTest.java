package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Problem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** Tests plain loops in processes without the Vector API, with {@code heed.scalar}, or with vectors of 64 bits. */
@Tag("slow")
class ScalarBackendTest {
    /** Minimum number of tests that succeed; fewer would mean that the contract was not found or was skipped. */
    private static final long FEWEST_TESTS = 450;

    /** Runs the test class named by its argument, then prints the failures and the number of successes. */
    static final class Program {
        private Program() {}

        public static void main(String[] arguments) {
            LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                    .selectors(DiscoverySelectors.selectClass(arguments[0]))
                    .build();
            var listener = new SummaryGeneratingListener();
            Launcher launcher = LauncherFactory.create();
            launcher.execute(request, listener);
            TestExecutionSummary summary = listener.getSummary();
            summary.getFailures()
                    .forEach(failure -> System.out.println(
                            failure.getTestIdentifier().getDisplayName() + ": " + failure.getException()));
            System.out.println("failed " + summary.getTotalFailureCount());
            System.out.println("succeeded " + summary.getTestsSucceededCount());
            System.exit(0); // libraries such as jqwik may leave threads running
        }
    }

    @Test
    void theContractHoldsWhereTheVectorApiIsAbsent() throws Exception {
        holds(ScalarContract.class);
    }

    @Test
    void theContractHoldsWhereTheVectorApiIsThereAndNotWanted() throws Exception {
        holds(ScalarContract.class, "--add-modules=jdk.incubator.vector", "-Dheed.scalar=true");
    }

    /** Simulates a JVM whose compiler has no vector instructions: Debian's Zero, OpenJ9, RISC-V without V. */
    @Test
    void theContractHoldsWhereVectorsHave64Bits() throws Exception {
        holds(ScalarContract.class, "--add-modules=jdk.incubator.vector", "-XX:MaxVectorSize=8");
    }

    @Test
    void besideVectorsItIsNotReadyAndSaysWhy() {
        try (ScalarBackend backend = new ScalarBackend(1)) {
            List<String> reasons = backend.notReadyReasons();
            assertEquals(1, reasons.size());
            assertTrue(reasons.getFirst().contains("-Dheed.scalar=true"), reasons::toString);
            assertEquals(List.of(), backend.devices());
            assertEquals(List.of(), backend.notSupportedReasons(Problem.parse("softmax 2x3 f64")));
            assertEquals(List.of(), backend.notSupportedReasons(Problem.parse("softmax 2x3 bf16")));
        }
    }

    /** Runs a contract in a separate JVM with these options; fails if one of its tests fails or too few tests succeed. */
    static void holds(Class<?> contract, String... options) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of(
                "-Xmx1g", "-cp", System.getProperty("java.class.path"), Program.class.getName(), contract.getName()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(3, TimeUnit.MINUTES), () -> command + " did not end");
        assertTrue(said.contains("failed 0\n"), said);
        long succeeded = Long.parseLong(said.replaceAll("(?s).*succeeded (\\d+)\\s*$", "$1"));
        assertTrue(succeeded >= FEWEST_TESTS, said);
    }
}
