package dev.heed.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Attention;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.tuning.VectorSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
    /** Properties that the launcher sets for the command line. */
    private static final Set<String> OF_THE_LAUNCHER = Set.of("heed.home", "heed.stderr.terminal");

    private static <T> T with(String name, String value, Supplier<T> work) {
        String before = System.getProperty(name);
        System.setProperty(name, value);
        try {
            return work.get();
        } finally {
            if (before == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, before);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "heed.backend | ''",
                "heed.strict | yes",
                "heed.strict | ''",
                "heed.strict | TRUE",
                "heed.threads | abc",
                "heed.threads | 0",
                "heed.threads | -1",
                "heed.threads | 1.5",
                "heed.threads | 99999999999",
                "heed.threads | ''",
                "heed.scalar | 1",
                "heed.vector.bits | 384",
                "heed.vector.bits | wide",
                "heed.vector.tiles | ''",
                "heed.vector.tiles | 16,16",
                "heed.vector.tiles | depth=384,",
                "heed.vector.tiles | depth=384,depth=768",
                "heed.vector.tiles | depth=385",
                "heed.vector.tiles | tileKeys=128",
                "heed.vector.tiles | vectors=3",
                "heed.native | no",
                "heed.native.library | ''",
                "heed.opencl.memory | abc",
                "heed.opencl.memory | 0",
                "heed.opencl.memory | -5",
                "heed.opencl.memory | 8T",
                "heed.opencl.memory | 1.5G",
                "heed.opencl.memory | 99999999999G",
                "heed.opencl.kernels | foo",
                "heed.opencl.kernels | Tiles",
                "heed.opencl.tiles | 1,2",
                "heed.opencl.tiles | 1,2,3,4,5,6",
                "heed.opencl.tiles | 16,16,4,4,0",
                "heed.opencl.tiles | 16,16,4,4,",
                "heed.opencl.tiles | a,b,c,d,e",
                "heed.opencl.selfcheck | off",
                "heed.opencl.canaries | on",
                "heed.opencl.direct | 0",
                "heed.opencl.unified | ' true'",
            })
    void aValueThatCannotBeReadIsAnErrorWithNameExpectedAndGot(String name, String value) {
        Setting<?> setting = Settings.ALL.stream()
                .filter(row -> row.name().equals(name))
                .findFirst()
                .orElseThrow();

        var thrown = with(name, value, () -> assertThrows(InvalidInputException.class, setting::value));

        String said = thrown.getMessage();
        assertTrue(said.startsWith("The system property " + name + " cannot be read"), said);
        assertTrue(said.contains("\n  expected  ") && said.contains("\n  got       \"" + value + "\"\n"), said);
        assertTrue(said.contains("HINT: -D" + name + "="), said);
        with(name, value, () -> assertThrows(InvalidInputException.class, Settings::check));
    }

    @Test
    void valuesAreRead() {
        assertEquals(Optional.empty(), Settings.OPENCL_MEMORY.value());
        assertEquals(512L << 20, with("heed.opencl.memory", "512M", () -> Settings.OPENCL_MEMORY.or(1L)));
        assertEquals(12345L, with("heed.opencl.memory", "12345", () -> Settings.OPENCL_MEMORY.or(1L)));
        assertEquals(
                List.of(8, 8, 4, 4, 16),
                with("heed.opencl.tiles", "8,8,4,4,16", () -> Settings.OPENCL_TILES.or(List.of())));
        assertEquals(
                Map.of(VectorSize.PANELS, 8, VectorSize.TALL, 0),
                with("heed.vector.tiles", "tall=0,panels=8", () -> Settings.VECTOR_TILES.or(Map.of())));
        assertEquals(3, with("heed.threads", "3", () -> Settings.THREADS.or(1)));
        assertTrue(with("heed.strict", "true", () -> Settings.STRICT.or(false)));
        assertFalse(with("heed.native", "false", () -> Settings.NATIVE.or(true)));
        assertEquals("-Dheed.threads=2", Settings.THREADS.to(2));
        assertEquals("", with("heed.cache", "", () -> Settings.CACHE.or("x")));
    }

    /** The example in the HINT of a message must be a valid value. */
    @Test
    void everyHintCanBeRead() {
        for (Setting<?> setting : Settings.ALL) {
            if (setting == Settings.BACKEND || setting == Settings.OPENCL_DEVICE || setting == Settings.CACHE) {
                continue; // nearly any text is valid
            }
            String hint = with(
                            setting.name(), "\u0000", () -> assertThrows(InvalidInputException.class, setting::value))
                    .getMessage();
            String value = hint.substring(hint.indexOf("=") + 1, hint.indexOf(", or leave it out"));
            assertTrue(with(setting.name(), value, setting::value).isPresent(), hint);
        }
    }

    /** An invalid value makes every call throw; calls do not fall back to another backend or another vector width. */
    @ParameterizedTest
    @ValueSource(strings = {"heed.threads=abc", "heed.opencl.memory=8T", "heed.vector.bits=100", "heed.strict=1"})
    void theFirstCallOfAProcessRefusesIt(String property) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "-D" + property,
                "-cp",
                System.getProperty("java.class.path"),
                FirstCall.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));

        assertTrue(said.contains("InvalidInputException 1\nInvalidInputException 2\n"), said);
    }

    /** A program with two calls that must both throw. */
    static final class FirstCall {
        public static void main(String[] arguments) {
            for (int call = 1; call <= 2; call++) {
                try {
                    Attention.softmax(Tensor.of(new float[6], 2, 3), 1);
                } catch (InvalidInputException e) {
                    System.out.println(e.getClass().getSimpleName() + " " + call);
                }
            }
        }
    }

    @Test
    void thePageHasTheSameTable() throws IOException {
        String page = Files.readString(Path.of("docs/settings.md"));
        List<String> rows = page.substring(page.indexOf("## System properties"))
                .lines()
                .dropWhile(line -> !line.startsWith("|---"))
                .skip(1)
                .takeWhile(line -> line.startsWith("|"))
                .toList();
        assertEquals(
                Settings.ALL.stream().map(Setting::row).collect(Collectors.joining("\n")), String.join("\n", rows));
    }

    /** If another class reads a property directly, the property is missing from the table. */
    @Test
    void noOtherClassNamesAProperty() throws IOException {
        Set<String> named = new TreeSet<>();
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path file : files.filter(file -> file.toString().endsWith(".java")
                            && !file.getParent().endsWith("settings"))
                    .toList()) {
                Pattern.compile(
                                "(?:getProperty|getBoolean|getInteger|getLong)\\(\\s*\"(heed\\.[a-z.]+)\"|= \"(heed\\.[a-z.]+)\";")
                        .matcher(Files.readString(file))
                        .results()
                        .forEach(found -> named.add(found.group(1) == null ? found.group(2) : found.group(1)));
            }
        }
        assertEquals(OF_THE_LAUNCHER, named);
    }
}
