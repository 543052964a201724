package dev.heed.build;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that the committed sources with a generator are what it writes, byte for byte. */
class GeneratedSourcesTest {
    private static final Path GENERATORS = Path.of("src/generator/java");
    private static final Path SOURCES = Path.of("src/main/java/dev/heed");
    private static final String HEADER = "// Written by %s; change that file and run it.";

    @Test
    void theCommittedSourcesAreTheOutputOfTheGenerators(@TempDir Path folder) throws Exception {
        List<Path> generators = files(GENERATORS).stream()
                .filter(f -> f.toString().endsWith("Sources.java"))
                .toList();
        assertFalse(generators.isEmpty(), "no generator in " + GENERATORS);
        Map<Path, String> expected = new TreeMap<>();
        for (Path generator : generators) {
            Path own = folder.resolve(generator.getFileName().toString());
            run(generator, own);
            assertTrue(Files.isDirectory(own) && !files(own).isEmpty(), generator + " wrote no file");
            for (Path written : files(own)) {
                Path committed = SOURCES.resolve(own.relativize(written));
                assertTrue(Files.exists(committed), committed + " is missing: run java " + generator);
                assertArrayEquals(
                        Files.readAllBytes(written),
                        Files.readAllBytes(committed),
                        committed + " differs: run java " + generator);
                expected.put(committed, HEADER.formatted(generator));
            }
        }
        assertEquals(expected, withHeader());
    }

    private static void run(Path generator, Path folder) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        generator.toString(),
                        folder.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
    }

    /** {@return the committed sources whose first line names a generator, and these lines} */
    private static Map<Path, String> withHeader() throws IOException {
        Map<Path, String> headers = new TreeMap<>();
        for (Path file : files(SOURCES)) {
            if (file.toString().endsWith(".java")) {
                String first = Files.readString(file).lines().findFirst().orElse("");
                if (first.startsWith("// Written by " + GENERATORS)) {
                    headers.put(file, first);
                }
            }
        }
        return headers;
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
