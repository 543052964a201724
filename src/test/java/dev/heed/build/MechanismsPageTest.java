package dev.heed.build;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.score.ScoreKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Checks that docs/mechanisms.md names every score function and mechanism, and that every row links to an existing test. */
class MechanismsPageTest {
    private static final Path PAGE = Path.of("docs/mechanisms.md");
    private static final Pattern LINK = Pattern.compile("\\[([^\\]]+)]\\(([^)#]+)(#[^)]*)?\\)");

    /** Classes that belong to the row of another mechanism. */
    private static final List<String> PARTS = List.of("SmoothingKernel", "KernelPooling", "package-info");

    @Test
    void everyLinkLeadsToAFileAndEveryTestHasItsMethod() throws IOException {
        Matcher link = LINK.matcher(Files.readString(PAGE));
        int tests = 0;
        while (link.find()) {
            Path target = PAGE.resolveSibling(link.group(2)).normalize();
            assertTrue(Files.exists(target), link.group());
            if (target.toString().endsWith(".java")) {
                String[] name = link.group(1).split("\\.", -1);
                String text = Files.readString(target);
                assertTrue(target.getFileName().toString().equals(name[0] + ".java"), link.group());
                assertTrue(name.length == 1 || text.contains(" " + name[1] + "("), link.group() + " is not there");
                tests++;
            }
        }
        assertTrue(tests > 30, tests + " links to tests");
    }

    @Test
    void everyRowHasATest() throws IOException {
        List<String> rows = Files.readAllLines(PAGE).stream()
                .filter(line -> line.startsWith("| ") && !line.contains("pinned by"))
                .toList();
        assertFalse(rows.isEmpty());
        for (String row : rows) {
            assertTrue(row.contains("](../src/test/java/"), row);
        }
    }

    @Test
    void everyScoreFunctionAndMechanismHasARow() throws IOException {
        String page = Files.readString(PAGE);
        for (ScoreKind kind : ScoreKind.values()) {
            assertTrue(page.contains("| `" + kind.label() + "` |"), kind.label());
        }
        for (String name : List.of("mechanism", "pooling", "attribution")) {
            try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/heed", name))) {
                for (Path file : files.toList()) {
                    String type = file.getFileName().toString().replace(".java", "");
                    boolean open = Files.readString(file)
                            .lines()
                            .anyMatch(line -> line.matches("public .*(class|record|interface) " + type + "\\b.*"));
                    assertTrue(!open || PARTS.contains(type) || page.contains("`" + type), type);
                }
            }
        }
    }
}
