package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionBackend;
import dev.heed.backend.vector.kernels.Species;
import dev.heed.tensor.Tensor;
import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Tests that the interpreter and both compilers give the same bits. A program starts interpreted and is compiled while it
 * runs, so repeated calls agree only if all three agree.
 */
@Tag("slow")
class CompiledPromiseTest {
    private static final int REPEATS = 3000;

    /** Maximum seconds for all repeats of a computation. */
    private static final long SECONDS = 1;

    /**
     * The program of the separate JVM. Its class path has only the classes of Heed and of its tests, so it must not use
     * a test library.
     */
    static final class Program {
        private Program() {}

        /**
         * Prints the distinct hashes of the results of each small computation: one hash if all repeats agree, else several.
         */
        public static void main(String[] arguments) {
            int repeats = Integer.parseInt(arguments[0]);
            try (AttentionBackend backend = new VectorBackend(1)) {
                for (PromisedWork work : PromisedWork.small()) {
                    List<Integer> seen = new ArrayList<>();
                    long end = System.nanoTime() + SECONDS * 1_000_000_000L;
                    for (int n = 0; n < repeats && System.nanoTime() < end; n++) {
                        int bits = bits(work.on(backend));
                        if (!seen.contains(bits)) {
                            seen.add(bits);
                        }
                    }
                    System.out.println(work + " -> " + seen);
                }
            }
        }

        private static int bits(List<Tensor> written) {
            int bits = 1;
            for (Tensor tensor : written) {
                bits = 31 * bits + Arrays.hashCode(tensor.toDoubleArray());
            }
            return bits;
        }
    }

    @Test
    void interpretedAndCompiledBitsAreTheSame() throws Exception {
        String interpreted = program("-Xint", 1);
        assertTrue(interpreted.lines().count() >= PromisedWork.small().size(), interpreted);
        assertEquals(interpreted, program("-XX:TieredStopAtLevel=1", 20), "interpreter and first compiler");
        assertEquals(interpreted, program("-XX:+TieredCompilation", REPEATS), "interpreter and second compiler");
    }

    private static String program(String mode, int repeats) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(mode, "--add-modules=jdk.incubator.vector", "-Xmx512m"));
        command.add("-Dheed.vector.bits=" + Species.SPECIES.vectorBitSize());
        command.addAll(List.of("-cp", place(VectorBackend.class) + File.pathSeparator + place(Program.class)));
        command.addAll(List.of(Program.class.getName(), String.valueOf(repeats)));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), () -> command + " did not end");
        assertEquals(0, process.exitValue(), () -> String.join(" ", command) + "\n" + said);
        return said;
    }

    private static String place(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI())
                .toString();
    }
}
