package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConformanceCommandTest {
    private static final String RIGHT = """
            case right
            source made up
            kind score.dot
            tensor q 1x1x2 1 2
            tensor k 1x1x2 3 4
            expect score 1x1x1 11
            end
            """;
    private static final String WRONG =
            RIGHT.replace("case right", "case wrong").replace("1x1x1 11", "1x1x1 12");
    private static final String UNKNOWN =
            RIGHT.replace("case right", "case odd").replace("score.dot", "score.psychic");

    @TempDir
    Path directory;

    private void write(String text) throws IOException {
        Files.writeString(directory.resolve("classic-vectors.txt"), text);
    }

    @Test
    void oneLineACaseAndASum() throws IOException {
        write(RIGHT + UNKNOWN);
        Heed run = Heed.run("conformance", directory.toString()).succeeded();
        List<String> lines = run.out().lines().toList();
        assertEquals(3, lines.size(), run.out());
        assertTrue(lines.get(0).startsWith("PASS right "), run.out());
        assertTrue(lines.get(1).startsWith("SKIP odd "), run.out());
        assertEquals("1 passed, 0 failed, 1 skipped", run.lastLine());
    }

    @Test
    void aWrongNumberFails() throws IOException {
        write(RIGHT + WRONG);
        Heed run = Heed.run("conformance", directory.toString());
        assertEquals(1, run.code());
        assertTrue(run.out().contains("FAIL wrong expected 12.0 got 11.0"), run.out());
        assertEquals("1 passed, 1 failed, 0 skipped", run.lastLine());
    }

    @Test
    void json() throws IOException {
        write(RIGHT + WRONG + UNKNOWN);
        Heed run = Heed.run("conformance", directory.toString(), "--json");
        assertEquals(1, run.code());
        JsonObject json = run.json();
        assertEquals(1, json.get("failed").getAsInt());
        assertEquals(3, json.getAsJsonArray("cases").size());
        JsonObject skipped = json.getAsJsonArray("cases").get(2).getAsJsonObject();
        assertEquals("SKIP", skipped.get("status").getAsString());
        assertTrue(skipped.get("maxError").isJsonNull());
    }

    @Test
    void badInput() throws IOException {
        Heed.run("conformance", directory.resolve("nowhere").toString()).failedWith(2, "nowhere");
        Heed.run("conformance", directory.toString()).failedWith(2, "no conformance cases");
        Path file = Files.writeString(directory.resolve("file"), "x");
        Heed.run("conformance", file.toString()).failedWith(2, "file");
        Heed.run("conformance", "").failedWith(2);
        Heed.run("conformance", "a\0b").failedWith(2);
        write(RIGHT);
        Heed.run("conformance", directory.toString(), "--backend", "gpu").failedWith(2, "Unknown backend");
        Heed.run(List.of(new FaultyBackend(FaultyBackend.Fault.NOT_READY)), "conformance", directory.toString())
                .failedWith(1, "libBroken.so");
    }
}
