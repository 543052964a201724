package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class TranslateDemoTest {
    @TempDir
    Path folder;

    private String[] demo(String... more) {
        String[] first = {
            "demo",
            "translate",
            "--quick",
            "--steps",
            "3",
            "--test",
            "20",
            "--svg",
            folder.resolve("a.svg").toString()
        };
        String[] all = Arrays.copyOf(first, first.length + more.length);
        System.arraycopy(more, 0, all, first.length, more.length);
        return all;
    }

    @Test
    void trainsTestsDrawsAndSaves() throws IOException {
        String file = folder.resolve("dates.safetensors").toString();
        String text = Heed.run(demo("--save", file, "--input", "14 juillet 1989"))
                .succeeded()
                .out();
        for (String part : new String[] {"bahdanau", "3 steps", "20 dates", "characters", "\"14 juillet 1989\" -> "}) {
            assertTrue(text.contains(part), () -> part + " in " + text);
        }
        assertTrue(Files.readString(folder.resolve("a.svg")).contains("<svg"));
        String loaded = Heed.run(demo("--load", file, "--input", "14 juillet 1989"))
                .succeeded()
                .out();
        String arrow = "\"14 juillet 1989\" -> ";
        assertEquals(
                text.substring(text.indexOf(arrow)), loaded.substring(loaded.indexOf(arrow)), "the same translation");
    }

    @Test
    void jsonHasTheAlignmentAndNoneHasNone() {
        JsonObject with = Heed.run(demo("--json")).succeeded().json();
        assertEquals(10, with.getAsJsonArray("alignment").size());
        JsonObject without =
                Heed.run(demo("--json", "--attention", "none")).succeeded().json();
        assertEquals("none", without.get("attention").getAsString());
        assertTrue(!without.has("alignment"));
    }

    @Test
    void tooFewRightOnesEndWithOne() {
        assertEquals(1, Heed.run(demo("--require", "98")).code());
    }

    @Test
    void wrongUse() {
        Heed.run("demo").failedWith(2, "a demo is missing");
        Heed.run(demo("--attention", "hopeful")).failedWith(2, "hopeful", "luong-dot");
        Heed.run(demo("--input", "")).failedWith(2, "1 to 64 characters");
        Heed.run(demo("--load", folder.resolve("missing").toString())).failedWith(2);
        Heed.run("demo", "translate", "--threads", "0").failedWith(2, "--threads");
    }
}
