package dev.heed.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import dev.heed.cli.Heed;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.opencl.Devices;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests kernel times of a grid small enough for any device, and the table that shows another program's report too. */
@Tag("slow")
class BenchCommandTest {
    @TempDir
    Path dir;

    @Test
    void theGridHasTheRowsOfThePapersAndNoneTwice() {
        List<String> rows =
                KernelGrid.rows(1).stream().map(KernelGrid.Row::text).toList();
        assertEquals(rows.size(), new HashSet<>(rows).size());
        assertTrue(rows.contains("q1x16x16384x128 kv16x16384 bf16 mask=causal:br backward"), rows::toString);
        assertTrue(rows.contains("q32x32x512x64 kv32x512 f16"), rows::toString);
        assertTrue(rows.contains("q8x32x1x128 kv8x32768 bf16"), rows::toString);
        assertTrue(rows.contains("q1x16x16384x128 kv16x16384 f32 tf32"), rows::toString);
        for (String row : rows) {
            assertEquals(row, new KernelGrid.Row("", row).parsed().toString());
        }
        for (KernelGrid.Row row : KernelGrid.rows(1)) {
            if (row.group().equals("flash")) {
                var s = ((dev.heed.AttentionProblem) row.parsed().problem()).shape();
                assertEquals(16384, s.batch() * s.seqLenQ());
                assertEquals(2048, s.numHeads() * s.headDim());
            }
        }
        assertEquals(rows.size(), KernelGrid.rows(128).size());
    }

    @Test
    void timesKernelsThatAreRight() throws IOException {
        Devices.present();
        Path file = dir.resolve("heed.json");
        Heed.run("bench", "--scale", "128", "--repeats", "2", "--filter", "q1x8x128x256", "--json", file.toString())
                .succeeded();
        JsonObject json = new Gson().fromJson(Files.readString(file), JsonObject.class);
        assertEquals("kernel times 1", json.get("format").getAsString());
        assertTrue(json.getAsJsonObject("device").has("driver"));
        var rows = json.getAsJsonArray("rows");
        assertEquals(8, rows.size()); // two masks, two types, forward and backward
        for (var element : rows) {
            JsonObject row = element.getAsJsonObject();
            assertEquals(2, row.getAsJsonArray("nanos").size(), row::toString);
            assertTrue(row.get("teraflops").getAsDouble() > 0, row::toString);
            assertTrue(row.getAsJsonObject("kernels").size() > 0, row::toString);
            assertEquals("portable", row.get("family").getAsString(), row::toString);
            assertTrue(!row.get("reason").getAsString().isEmpty(), row::toString);
        }
    }

    /** Runs on the emulation of matrix units: its kernels compute f32 with tf32 allowed, but not plain f32. */
    @Test
    void saysWhichKernelsComputed() throws IOException {
        Devices.present();
        Path file = dir.resolve("heed.json");
        System.setProperty("heed.opencl.kernels", "mma");
        try {
            Heed.run(
                    "bench",
                    "--scale",
                    "64",
                    "--repeats",
                    "1",
                    "--filter",
                    "q8x32x32x64 kv32x32 f32",
                    "--json",
                    file.toString());
        } finally {
            System.clearProperty("heed.opencl.kernels");
        }
        var rows = new Gson().fromJson(Files.readString(file), JsonObject.class).getAsJsonArray("rows");
        assertEquals(4, rows.size());
        for (var element : rows) {
            JsonObject row = element.getAsJsonObject();
            boolean allowed = row.get("case").getAsString().endsWith(" tf32");
            assertEquals(allowed ? "mma" : "portable", row.get("family").getAsString(), row::toString);
            assertEquals(allowed, row.getAsJsonObject("kernels").has("prefill_mma"), row::toString);
            assertEquals(allowed, row.get("reason").getAsString().isEmpty(), row::toString);
        }
    }

    @Test
    void decodeIsCountedInBytes() throws IOException {
        Devices.present();
        Path file = dir.resolve("heed.json");
        Heed.run("bench", "--scale", "256", "--repeats", "1", "--filter", "decode q1x", "--json", file.toString())
                .succeeded();
        JsonObject row = new Gson()
                .fromJson(Files.readString(file), JsonObject.class)
                .getAsJsonArray("rows")
                .get(0)
                .getAsJsonObject();
        double bytes = 2.0 * 8 * 128 * 128 * 2;
        assertEquals(
                bytes / row.get("medianMillis").getAsDouble() / 1e6,
                row.get("gigabytesPerSecond").getAsDouble(),
                1e-9);
        assertTrue(row.has("percentOfMemory"), row::toString);
    }

    /**
     * {@code torch_sdpa.py --self-test} writes a report in the usual format without PyTorch. One table then contains
     * the rows of Heed's report and of the report of the script.
     */
    @Test
    void standsBesidePyTorch() throws Exception {
        Path torch = dir.resolve("torch.json");
        python("--self-test", "--scale", "128", "--json", torch.toString());
        KernelReport theirs = KernelReport.read(torch);
        List<String> cases = new ArrayList<>();
        theirs.rows().forEach(row -> cases.add(row.get("case").getAsString()));
        List<String> ours =
                KernelGrid.rows(128).stream().map(KernelGrid.Row::text).toList();
        assertEquals(ours, cases.stream().distinct().toList());

        // replaces the times, so that each ratio is known
        JsonObject json = new Gson().fromJson(Files.readString(torch), JsonObject.class);
        for (var element : json.getAsJsonArray("rows")) {
            JsonObject row = element.getAsJsonObject();
            if (row.get("case").getAsString().equals(ours.getFirst())) {
                long nanos = row.get("contestant").getAsString().equals("torch-cudnn") ? 3_000_000 : 5_000_000;
                row.add("nanos", new Gson().toJsonTree(new long[] {nanos, nanos + 2, nanos - 2}));
            }
        }
        Files.writeString(torch, json.toString());
        var own = new JsonObject();
        own.addProperty("program", "heed");
        KernelReport mine = KernelReport.of(own);
        var row = new JsonObject();
        row.addProperty("case", ours.getFirst());
        row.addProperty("contestant", KernelReport.HEED);
        row.addProperty("family", "mma");
        row.addProperty("reason", "");
        row.add("nanos", new Gson().toJsonTree(new long[] {2_000_000}));
        mine.add(row);
        Path heed = dir.resolve("heed.json");
        Files.writeString(heed, JsonText.of(mine.json()));
        String table = Heed.run("bench", "--read", heed.toString(), "--beside", torch.toString())
                .succeeded()
                .out();
        String line = table.lines()
                .filter(text -> text.startsWith(ours.getFirst() + " "))
                .findFirst()
                .orElseThrow();
        assertTrue(line.matches(".* 2\\.000 ms .* 5\\.000 ms .* 3\\.000 ms .* 1\\.50x +mma"), table);
        assertEquals(
                ours.size(),
                table.lines().filter(text -> text.matches("q\\d.*")).count());
    }

    @Test
    void saysWhatIsMissing() throws Exception {
        Path file = dir.resolve("not.json");
        Files.writeString(file, "[]");
        Heed.run("bench", "--read", file.toString()).failedWith(HeedCommand.FAILED, "not.json");
        Files.writeString(file, "{}");
        Heed.run("bench", "--read", file.toString()).failedWith(HeedCommand.FAILED, "kernel times", "HINT");
        Heed.run("bench", "--scale", "0").failedWith(HeedCommand.MISUSED, "--scale");
        Heed.run("bench", "--filter", "no such row").failedWith(HeedCommand.MISUSED, "no such row", "HINT");
        Heed.run("bench", file.toString()).failedWith(HeedCommand.MISUSED, "--json");
        // -S hides all packages from Python, so that torch is missing on any machine
        Process process = new ProcessBuilder(
                        "python3",
                        "-S",
                        script().toString(),
                        "--grid",
                        resource("grid.tsv").toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        assertEquals(1, process.exitValue(), said);
        assertEquals(1, said.lines().count(), said);
        assertTrue(said.startsWith("torch_sdpa.py: PyTorch cannot be imported"), said);
    }

    private void python(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "python3", script().toString(), "--grid", resource("grid.tsv").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), said);
    }

    private Path script() throws Exception {
        try {
            assumeTrue(new ProcessBuilder("python3", "--version").start().waitFor() == 0, "no python3");
        } catch (IOException e) {
            assumeTrue(false, "no python3: " + e.getMessage());
        }
        return resource("torch_sdpa.py");
    }

    private Path resource(String name) throws IOException {
        Path file = dir.resolve(name);
        try (InputStream in = Objects.requireNonNull(BenchCommandTest.class.getResourceAsStream("/bundle/" + name))) {
            Files.write(file, in.readAllBytes());
        }
        return file;
    }
}
