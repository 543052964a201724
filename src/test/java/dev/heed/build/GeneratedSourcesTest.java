package dev.heed.build;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that the committed sources of kernels are what the generator writes, byte for byte. */
class GeneratedSourcesTest {
    private static final String GENERATOR = "src/generator/java/KernelSources.java";
    private static final Path SOURCES = Path.of("src/main/java/dev/heed/backend/vector");

    @Test
    void theCommittedSourcesAreTheOutputOfTheGenerator(@TempDir Path folder) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        GENERATOR,
                        folder.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        for (Path written : files(folder)) {
            Path committed = SOURCES.resolve(folder.relativize(written));
            assertArrayEquals(
                    Files.readAllBytes(written),
                    Files.readAllBytes(committed),
                    committed + " differs: run java " + GENERATOR);
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> all = files.filter(Files::isRegularFile).toList();
            assertFalse(all.isEmpty(), "the generator wrote no file");
            return all;
        }
    }
}
