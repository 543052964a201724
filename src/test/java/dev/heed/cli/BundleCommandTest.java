package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.cli.console.HeedCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests errors of the bundle command, and its script; {@code .ci/run} creates and runs a complete bundle. */
class BundleCommandTest {
    @TempDir
    Path dir;

    @Test
    void aFolderWithSomethingInItIsLeftAlone() throws Exception {
        Files.writeString(dir.resolve("mine"), "mine");
        Heed.run("bundle", dir.toString()).failedWith(HeedCommand.MISUSED, "new or empty", dir.toString(), "HINT");
        Heed.run("bundle", dir.resolve("mine").toString()).failedWith(HeedCommand.MISUSED, "new or empty");
        try (var files = Files.list(dir)) {
            assertEquals(List.of(dir.resolve("mine")), files.toList());
        }
        Heed.run("bundle").failedWith(HeedCommand.MISUSED, "DIR");
    }

    private static void copy(String name, Path folder) throws IOException {
        try (var in = BundleCommandTest.class.getResourceAsStream("/bundle/" + name)) {
            Files.copy(Objects.requireNonNull(in), folder.resolve(name));
        }
    }

    /** Runs the script with a fake runtime that only prints its arguments. */
    @Test
    void theScriptPassesArgumentsOn() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "a bundle is for Linux");
        Path here = Files.createDirectories(dir.resolve("a b"));
        copy("run", here);
        copy("launch.sh", here);
        Path java = Files.createDirectories(here.resolve("runtime/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\nfor word; do echo \"[$word]\"; done\nexit 7\n");
        assertTrue(java.toFile().setExecutable(true)
                && here.resolve("run").toFile().setExecutable(true));

        String verify = run(here, 7, "verify", "--filter", "a b");
        assertTrue(verify.contains("[" + here + "/lib/*]\n[dev.heed.cli.Main]\n[verify]\n[--filter]\n[a b]\n"), verify);
        String probe = run(here, 7, "probe", "--json", "my file.json");
        assertTrue(probe.contains("[devices]\n[--probe]\n[--json]\n[my file.json]\n"), probe);
        String kernels = run(here, 7, "bench", "--json", "my file.json");
        assertTrue(kernels.contains("[dev.heed.cli.Main]\n[bench]\n[--json]\n[my file.json]\n"), kernels);
        assertTrue(run(here, 1, "jmh").contains("no JMH benchmarks"));

        Files.createDirectory(here.resolve("bench"));
        String bench = run(here, 7, "jmh", "--json", "my file.json", "-f", "1");
        assertTrue(
                bench.contains(
                        "[Prefill|Decode|Softmax|MultiHead]\n[-rf]\n[json]\n[-rff]\n[my file.json]\n[-f]\n[1]\n"),
                bench);
        assertTrue(bench.contains("[backend=vector,opencl]\n"), bench);
        String one = run(here, 7, "jmh", "Decode", "-p", "backend=opencl", "-p", "threads=3");
        assertTrue(one.contains("[Decode]\n[-p]\n[backend=opencl]\n[-p]\n[threads=3]\n"), one);
    }

    /**
     * The script's command {@code sitting}, which runs all checks and measurements, continues when a step fails and
     * reports the step.
     */
    @Test
    void aSittingDoesEverything() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "a bundle is for Linux");
        Path here = Files.createDirectories(dir.resolve("bundle"));
        copy("run", here);
        copy("launch.sh", here);
        Path java = Files.createDirectories(here.resolve("runtime/bin")).resolve("java");
        Files.writeString(java, """
                #!/bin/sh
                case "$*" in
                    *verify*) echo "1 failed"; exit 1 ;;
                    *) echo "did ${*##*Main }" ;;
                esac
                """);
        assertTrue(java.toFile().setExecutable(true)
                && here.resolve("run").toFile().setExecutable(true));
        assertTrue(run(here, 2, "sitting").contains("expected a folder"));
        Path out = dir.resolve("my results");
        String said = run(here, 1, "sitting", out.toString(), "--scale", "128");
        assertTrue(said.contains("ok      devices  did devices\n"), said);
        assertTrue(said.contains("ok      probe    did devices --probe --json " + out + "/probes.json\n"), said);
        assertTrue(said.contains("FAILED  verify   1 failed\n"), said);
        assertTrue(said.contains("ok      bench    did bench --scale 128 --json " + out + "/heed.json\n"), said);
        assertTrue(said.contains("FAILED  torch    "), said);
        assertTrue(said.contains("ok      table    did bench --read " + out + "/heed.json\n"), said);
        assertEquals("did devices\n", Files.readString(out.resolve("devices.txt")));
    }

    private String run(Path here, int code, String... arguments) throws Exception {
        var command = new java.util.ArrayList<>(List.of(here.resolve("run").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        assertEquals(code, process.exitValue(), said);
        return said;
    }
}
