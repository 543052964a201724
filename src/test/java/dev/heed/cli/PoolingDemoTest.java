package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("slow")
class PoolingDemoTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void learnedPoolingBeatsTheGaussianAndThatTheAverage(long seed) {
        JsonObject json = Heed.run("demo", "pooling", "--seed", String.valueOf(seed), "--json")
                .succeeded()
                .json();
        double learned = json.get("learnedError").getAsDouble();
        double gaussian = json.get("gaussianError").getAsDouble();
        assertTrue(learned < gaussian && gaussian < json.get("averageError").getAsDouble(), json.toString());
        assertTrue(json.get("ordered").getAsBoolean());
        assertTrue(json.get("lastLoss").getAsDouble() < json.get("firstLoss").getAsDouble(), json.toString());
        assertTrue(json.get("width").getAsDouble() > 1);
    }

    @Test
    void theSameSeedPrintsTheSame() {
        String first = Heed.run("demo", "pooling", "--seed", "3").succeeded().out();
        assertEquals(
                first, Heed.run("demo", "pooling", "--seed", "3").succeeded().out());
        assertTrue(first.contains("PASS learned < Gaussian < average"), first);
    }

    @Test
    void picturesAreWritten(@TempDir Path directory) throws Exception {
        Path pictures = directory.resolve("new");
        Heed.run("demo", "pooling", "--svg", pictures.toString()).succeeded();
        for (String name :
                new String[] {"pooling.svg", "pooling-weights-gaussian.svg", "pooling-weights-learned.svg"}) {
            String text = Files.readString(pictures.resolve(name));
            assertTrue(text.startsWith("<svg") || text.startsWith("<?xml"), text.substring(0, 40));
        }
        Path file = Files.createFile(directory.resolve("file"));
        Heed.run("demo", "pooling", "--svg", file.toString()).failedWith(1, "--svg DIR");
    }

    @Test
    void wrongUse() {
        Heed.run("demo").failedWith(2, "a demo is missing");
        Heed.run("demo", "poolin").failedWith(2, "poolin");
        Heed.run("demo", "pooling", "--seed", "x").failedWith(2, "--seed");
        String help = Heed.run("demo", "pooling", "--help").succeeded().out();
        assertTrue(help.contains("learned < Gaussian < average"), help);
        assertTrue(help.lines().allMatch(line -> line.length() <= 100), help);
    }
}
