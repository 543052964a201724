package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.cli.console.HeedCommand;
import dev.heed.opencl.Devices;
import dev.heed.opencl.KernelSource;
import dev.heed.settings.Settings;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests tuning with some wrong candidates: the class path of the processes that try candidates has kernels that are
 * wrong for some tile sizes.
 */
@Tag("slow")
class TuneCommandTest {
    private static final String CASE = "q1x2x20x16 kv1x24 f32 backward";
    private static final String GOOD = "4,4,2,2,4";
    private static final String WRITES_TOO_FAR = "4,8,2,2,4";
    private static final String LEAVES_OUT = "8,4,2,2,4";
    private static final String IMPOSSIBLE = "4,4,2,2,3";

    private final Map<String, String> before = new HashMap<>();

    @TempDir
    Path dir;

    private Path cache;

    @BeforeEach
    void candidatesHaveACacheAndKernelsOfTheirOwn() throws IOException {
        Devices.present();
        cache = dir.resolve("cache");
        set("heed.cache", cache.toString());
        set("heed.opencl.selfcheck", "false"); // the self-check would find the errors before the trial does
        set("java.class.path", dir.resolve("broken") + File.pathSeparator + System.getProperty("java.class.path"));
    }

    private void set(String property, String value) {
        before.putIfAbsent(property, System.getProperty(property, ""));
        System.setProperty(property, value);
    }

    @AfterEach
    void putThePropertiesBack() {
        before.forEach((property, value) -> {
            if (value.isEmpty()) {
                System.clearProperty(property);
            } else {
                System.setProperty(property, value);
            }
        });
    }

    /** Writes kernels of the backward pass with an extra first line in the kernel of the query gradient. */
    private void breakKernels(String line) throws IOException {
        String text = KernelSource.resource("backward.cl").text();
        int kernel = text.indexOf("void query_gradient(");
        int body = text.indexOf("{\n", kernel) + 2;
        assertTrue(kernel > 0 && body > kernel, "backward.cl has no query_gradient");
        Path file = Files.createDirectories(dir.resolve("broken/kernels")).resolve("backward.cl");
        Files.writeString(file, text.substring(0, body) + line + "\n" + text.substring(body));
    }

    private List<Path> kept() throws IOException {
        Path folder = cache.resolve("tuning");
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static String line(Heed run, String start) {
        return run.out()
                .lines()
                .filter(line -> line.startsWith(start + " "))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no line of " + start + " in " + run.out()));
    }

    @Test
    void onlyWhatIsRightIsKeptAndItIsReadAfterwards() throws IOException {
        // The current tiles are large, and kernels for large tiles take long to compile on a CPU.
        set(Settings.OPENCL_TILES.name(), GOOD);
        breakKernels("  if (TX == 4 && TY == 8 && get_global_id(0) == 0) {"
                + " to[c.batches * c.heads * c.queries * c.headDim] = 0; }"
                + " if (TX == 8 && TY == 4) { return; }");
        Heed run = Heed.run(
                        "tune",
                        "--case",
                        CASE,
                        "--tiles",
                        WRITES_TOO_FAR,
                        "--tiles",
                        LEAVES_OUT,
                        "--tiles",
                        IMPOSSIBLE,
                        "--tiles",
                        GOOD)
                .succeeded();
        assertTrue(line(run, WRITES_TOO_FAR).contains("a kernel wrote after a buffer"), run.out());
        assertTrue(line(run, LEAVES_OUT).contains("query gradient"), run.out());
        assertTrue(line(run, IMPOSSIBLE).contains("Tiles of these sizes are not possible"), run.out());
        for (String wrong : List.of(WRITES_TOO_FAR, LEAVES_OUT, IMPOSSIBLE)) {
            assertFalse(line(run, wrong).contains(" ms "), run.out());
        }
        assertTrue(line(run, GOOD).matches(".* \\d+\\.\\d+ ms .*"), run.out());
        String row = "backward\t<=16\t|\t" + GOOD.replace(',', '\t');
        assertEquals(1, kept().size());
        assertTrue(Files.readAllLines(kept().getFirst()).contains(row), () -> run.out());
        assertTrue(run.out().contains("kept in  " + kept().getFirst()), run.out());
        assertTrue(run.lastLine().endsWith("\t" + row), run.out());

        System.clearProperty(Settings.OPENCL_TILES.name());
        String devices = Heed.run("devices").succeeded().out();
        assertTrue(devices.contains("measured: " + kept().getFirst()), devices);
        // These kernels compile only with the tile sizes that are stored in the cache.
        breakKernels("\n#if TX != 4 || TY != 4\n#error other tiles\n#endif\n");
        assertEquals("", trial(cache.toString()));
        assertTrue(trial("none").contains("other tiles"), "tiles without a cache");
    }

    private static String trial(String cache) {
        ForkedCommand.Answer answer =
                ForkedCommand.run(List.of("-Dheed.cache=" + cache), List.of("tune", "--trial", CASE));
        return Objects.requireNonNull(answer.json(), answer.trouble())
                .get("message")
                .getAsString();
    }

    @Test
    void nothingIsKeptWhereNoCandidatePasses() throws IOException {
        set(Settings.OPENCL_TILES.name(), IMPOSSIBLE);
        Heed run = Heed.run("tune", "--case", CASE, "--tiles", IMPOSSIBLE);
        assertEquals(HeedCommand.FAILED, run.code(), run::toString);
        assertTrue(run.err().startsWith("error: No candidate passed. HINT: "), run.err());
        assertEquals(List.of(), kept());
    }

    @Test
    void casesWithoutTiles() {
        Heed run = Heed.run("tune", "--case", "softmax 3x4 axis=1 f32");
        assertEquals(HeedCommand.MISUSED, run.code(), run::toString);
        assertTrue(run.err().contains("an attention, mha or linear case"), run.err());
    }
}
