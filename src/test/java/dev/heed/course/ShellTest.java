package dev.heed.course;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Pastes the code blocks of each page into the shell that {@code heed jshell} starts, as a reader would. */
@Tag("slow")
class ShellTest {
    private static final Course COURSE = new Course(Path.of("docs/course"), System.getProperty("java.class.path"));

    @TempDir
    Path figures;

    @TestFactory
    Stream<DynamicTest> everyPageCanBePasted() {
        return COURSE.pages().stream().map(page -> dynamicTest(page, () -> paste(COURSE.code(page))));
    }

    private void paste(List<Page.Code> blocks) {
        String pasted = blocks.stream().map(Page.Code::code).collect(Collectors.joining("\n"));
        String said = start(pasted, List.of(), "-s", "-");
        assertEquals(List.of(), complaints(said), said);
        int from = 0;
        for (Page.Code block : blocks) {
            for (String line : block.output().lines().toList()) {
                int at = said.indexOf(line.strip(), from);
                assertTrue(at >= 0, () -> "expected \"" + line + "\" in " + said);
                from = at;
            }
        }
    }

    @Test
    void theCodeOfAPageRunsBeforeTheFirstPrompt() {
        assertEquals("3\n", start("System.out.println(x + 1);", List.of("int x = 2;"), "-s", "-"));
    }

    /** Checks that {@link #everyPageCanBePasted} would detect code that does not run. */
    @Test
    void whatDoesNotRunIsComplainedOf() {
        String pasted = "int x = \"text\";\nthrow new IllegalStateException();\nList.of().get(3);\n";
        assertEquals(3, complaints(start(pasted, List.of(), "-s", "-")).size());
    }

    private static List<String> complaints(String said) {
        return said.lines()
                .filter(line -> line.matches("(\\|\\s+)?(Error|Exception|Warning)\\b.*"))
                .toList();
    }

    private String start(String input, List<String> code, String... arguments) {
        var printed = new ByteArrayOutputStream();
        var out = new PrintStream(printed, true, StandardCharsets.UTF_8);
        new Shell(System.getProperty("java.class.path"), COURSE.data(), figures)
                .start(
                        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                        out,
                        out,
                        code,
                        List.of(),
                        arguments);
        return printed.toString(StandardCharsets.UTF_8);
    }
}
