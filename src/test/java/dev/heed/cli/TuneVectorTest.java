package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.cli.console.HeedCommand;
import dev.heed.settings.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests {@code heed tune --backend vector}. */
class TuneVectorTest {
    @TempDir
    Path cache;

    private String before = "";

    @BeforeEach
    void useACacheOfItsOwn() {
        try (var backend = new VectorBackend(1)) {
            List<String> reasons = backend.notReadyReasons();
            assumeTrue(reasons.isEmpty(), reasons::toString);
        }
        before = System.getProperty(Settings.CACHE.name(), "");
        System.setProperty(Settings.CACHE.name(), cache.toString());
    }

    @AfterEach
    void putTheCacheBack() {
        if (before.isEmpty()) {
            System.clearProperty(Settings.CACHE.name());
        } else {
            System.setProperty(Settings.CACHE.name(), before);
        }
    }

    /** The machine decides whether a candidate is stored. If one is, the file that the output names must have its row. */
    @Test
    @Tag("slow")
    void twoCandidatesOfOneCase() throws Exception {
        JsonObject json = Heed.run(
                        "tune",
                        "--backend",
                        "vector",
                        "--case",
                        "linear 40x200x48 f32",
                        "--tiles",
                        "depth=64,rows=6,fewestRows=6",
                        "--tiles",
                        "depth=768",
                        "--json")
                .succeeded()
                .json();
        assertEquals(1, json.getAsJsonArray("measured").size(), json::toString);
        JsonObject measured = json.getAsJsonArray("measured").get(0).getAsJsonObject();
        assertTrue(measured.get("spread").getAsDouble() >= 1, json::toString);
        assertEquals(3, measured.getAsJsonArray("candidates").size(), json::toString);
        for (int n = 0; n < 3; n++) {
            JsonObject line = measured.getAsJsonArray("candidates").get(n).getAsJsonObject();
            assertEquals("", line.get("message").getAsString());
            assertEquals(n == 0 ? 4 : 3, line.getAsJsonArray("seconds").size());
            line.getAsJsonArray("seconds").forEach(each -> assertTrue(each.getAsDouble() > 0, json::toString));
        }
        boolean chosen = !measured.get("best").isJsonNull();
        assertEquals(chosen ? 1 : 0, json.getAsJsonArray("files").size(), json::toString);
        if (chosen) {
            String best = measured.get("best").getAsString();
            String row = "|\t" + best.replaceAll("[A-Za-z]+=", "").replace(',', '\t');
            List<String> stored = Files.readAllLines(
                    Path.of(json.getAsJsonArray("files").get(0).getAsString()));
            assertEquals(row, stored.getLast());
        }
    }

    @Test
    void otherBackendsHaveNoSizes() {
        Heed.run("tune", "--backend", "reference")
                .failedWith(HeedCommand.MISUSED, "opencl or vector", "reference", "HINT: heed tune --backend vector");
    }

    @Test
    void theDeviceIsOfOpenCl() {
        Heed.run("tune", "--backend", "vector", "--device", "0")
                .failedWith(HeedCommand.MISUSED, "--device chooses among OpenCL devices", "HINT: heed tune");
    }

    @Test
    void sizesThatChangeBitsAndSizesOfTwoTablesAreRefused() {
        for (String sizes : List.of("tileKeys=128", "split=64", "16,16,4,4,16", "depth=63", "panels=0", "tall")) {
            Heed.run("tune", "--backend", "vector", "--tiles", sizes)
                    .failedWith(HeedCommand.MISUSED, "These sizes cannot be tuned", "got " + sizes, "HINT: ");
        }
        Heed.run("tune", "--backend", "vector", "--tiles", "panels=2,tall=0")
                .failedWith(HeedCommand.MISUSED, "These sizes are not measured together", "got panels=2,tall=0");
    }

    @Test
    void casesAndCandidatesMustFit() {
        Heed.run("tune", "--backend", "vector", "--case", "q1x2x20x16 kv1x24 f64")
                .failedWith(HeedCommand.MISUSED, "This case has no tiles", "f32, f16 or bf16");
        Heed.run("tune", "--backend", "vector", "--case", "softmax 3x4 axis=1 f32")
                .failedWith(HeedCommand.MISUSED, "This case has no tiles");
        Heed.run("tune", "--backend", "vector", "--case", "q1x2x20x16 kv1x24 f32", "--tiles", "depth=128")
                .failedWith(HeedCommand.MISUSED, "None of these cases uses the sizes", "HINT: leave out --case");
    }
}
