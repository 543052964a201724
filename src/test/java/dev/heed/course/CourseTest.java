package dev.heed.course;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks that every code block of the course compiles and runs, and that its output and figures equal the stored output
 * and figures.
 */
@Tag("slow")
class CourseTest {
    private static final String CLASS_PATH = System.getProperty("java.class.path");
    private static final Path COURSE = Path.of("docs/course");

    @TestFactory
    Stream<DynamicTest> pagesAreUpToDate() {
        var course = new Course(COURSE, CLASS_PATH);
        return course.pages().stream()
                .map(page -> dynamicTest(page, () -> assertEquals(List.of(), course.check(page), "./heed course")));
    }

    @Test
    void everyPageStandsInEveryLanguageAndInTheContents() throws IOException {
        String contents = Files.readString(COURSE.resolve("README.md"));
        for (String page : new Course(COURSE, CLASS_PATH).pages()) {
            assertTrue(Files.exists(COURSE.resolve("zh").resolve(page)), page);
            assertTrue(contents.contains("(en/" + page + ")") && contents.contains("(zh/" + page + ")"), page);
        }
    }

    @Test
    void pagesLeadToTheirNeighbours() throws IOException {
        List<String> pages = new Course(COURSE, CLASS_PATH).pages();
        for (String language : List.of("en", "zh")) {
            for (int n = 0; n < pages.size(); n++) {
                List<String> lines = Files.readAllLines(COURSE.resolve(language).resolve(pages.get(n)));
                String links = lines.getLast();
                assertTrue(links.contains("(../README.md)"), pages.get(n));
                for (String neighbour : pages.subList(Math.max(n - 1, 0), Math.min(n + 2, pages.size()))) {
                    assertEquals(!neighbour.equals(pages.get(n)), links.contains("(" + neighbour + ")"), pages.get(n));
                }
            }
        }
    }

    @Test
    void theReadmeNamesTheImports() throws IOException {
        String contents = Files.readString(COURSE.resolve("README.md"));
        for (String name : Session.IMPORTS) {
            assertTrue(contents.contains("import " + name + ";"), name);
        }
    }

    @Test
    void figuresOfTheFolderAreShown() throws IOException {
        StringBuilder all = new StringBuilder();
        for (String page : new Course(COURSE, CLASS_PATH).pages()) {
            all.append(Files.readString(COURSE.resolve("en").resolve(page)));
        }
        try (Stream<Path> figures = Files.list(COURSE.resolve("figures"))) {
            figures.forEach(figure -> assertTrue(
                    all.toString().contains("../figures/" + figure.getFileName()), figure + " is in no page"));
        }
    }

    @Test
    void staleNumbersAndPicturesAreFound(@TempDir Path folder) throws IOException {
        write(folder, "en", "One and one is <!--= 1 + 1 -->3<!---->.\n");
        write(folder, "zh", "一加一等于<!--= 1 + 1 -->3<!---->。\n");
        var course = new Course(folder, CLASS_PATH);
        assertEquals(2, course.check("01-sum.md").size());
        assertEquals(2, course.refresh("01-sum.md").size());
        assertEquals(List.of(), course.check("01-sum.md"));
        assertEquals("一加一等于<!--= 1 + 1 -->2<!---->。\n", Files.readString(folder.resolve("zh/01-sum.md")));
    }

    @Test
    void codeThatDoesNotRunIsNamed(@TempDir Path folder) throws IOException {
        for (String code : List.of("int x = \"one\";", "nothing();", "int[] a = new int[-1];")) {
            write(folder, "en", "```java\n" + code + "\n```\n");
            write(folder, "zh", "```java\n" + code + "\n```\n");
            var failure =
                    assertThrows(IllegalStateException.class, () -> new Course(folder, CLASS_PATH).check("01-sum.md"));
            assertTrue(String.valueOf(failure.getMessage()).contains("en/01-sum.md"), failure::toString);
        }
    }

    private static void write(Path folder, String language, String text) throws IOException {
        Files.createDirectories(folder.resolve(language));
        Files.writeString(folder.resolve(language).resolve("01-sum.md"), text);
    }
}
