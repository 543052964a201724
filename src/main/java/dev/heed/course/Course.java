package dev.heed.course;

import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A course: a folder with pages in two languages that share their code, with the data that the code reads, and with the
 * figures that the code draws:
 *
 * <pre>
 * en/01-name.md   zh/01-name.md   data/name.safetensors   figures/01-name.svg
 * </pre>
 */
public final class Course {
    private static final String LEADING = "en";
    private static final List<String> LANGUAGES = List.of(LEADING, "zh");
    private static final String DATA = "data";
    private static final String FIGURES = "figures";

    private final Path directory;
    private final String classPath;

    /**
     * Creates a course from a folder.
     *
     * @param directory the folder
     * @param classPath the class path of the code of the pages
     */
    public Course(Path directory, String classPath) {
        this.directory = directory;
        this.classPath = classPath;
    }

    /** {@return the file names of the pages, in order} */
    public List<String> pages() {
        try (Stream<Path> files = Files.list(directory.resolve(LEADING))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".md"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new InvalidInputException(
                    "The folder is not a course",
                    "a folder with pages en/*.md",
                    directory.toString(),
                    "heed course docs/course");
        }
    }

    /** {@return the folder of data that the code reads} */
    public Path data() {
        return directory.resolve(DATA);
    }

    /** {@return the code blocks of a page, in order} */
    public List<Page.Code> code(String page) {
        try {
            return page(LEADING, page).parts().stream()
                    .filter(Page.Code.class::isInstance)
                    .map(Page.Code.class::cast)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs a page and updates the files that differ: its text in every language and its figures.
     *
     * @return the differences, one line each
     */
    public List<String> refresh(String page) {
        return run(page, true);
    }

    /**
     * Runs a page without writing files.
     *
     * @return the differences, one line each
     */
    public List<String> check(String page) {
        return run(page, false);
    }

    private List<String> run(String name, boolean write) {
        List<String> stale = new ArrayList<>();
        try {
            Path drawn = Files.createTempDirectory("heed-course");
            try {
                Page executed = execute(page(LEADING, name), drawn);
                for (String language : LANGUAGES) {
                    Page page = page(language, name);
                    compare(
                            page.markdown(),
                            page.withResultsOf(executed).markdown(),
                            language + "/" + name,
                            stale,
                            write);
                }
                figures(drawn, stale, write);
            } finally {
                delete(drawn);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return stale;
    }

    private Page page(String language, String name) throws IOException {
        return Page.parse(
                language + "/" + name,
                Files.readString(directory.resolve(language).resolve(name)));
    }

    private Page execute(Page page, Path figures) {
        List<Page.Part> parts = new ArrayList<>();
        try (var session = new Session(page.name(), classPath, data(), figures)) {
            for (Page.Part part : page.parts()) {
                parts.add(
                        switch (part) {
                            case Page.Text text -> text;
                            case Page.Code code -> new Page.Code(code.code(), session.run(code.code()));
                            case Page.Value value ->
                                new Page.Value(value.expression(), session.value(value.expression()));
                        });
            }
        }
        return new Page(page.name(), parts);
    }

    private void compare(String before, String after, String name, List<String> stale, boolean write)
            throws IOException {
        if (before.equals(after)) {
            return;
        }
        List<String> old = before.lines().toList();
        List<String> now = after.lines().toList();
        int line = 0;
        while (line < Math.min(old.size(), now.size()) && old.get(line).equals(now.get(line))) {
            line++;
        }
        stale.add(name + ":" + (line + 1) + ": expected \"" + (line < now.size() ? now.get(line) : "the end")
                + "\", got \"" + (line < old.size() ? old.get(line) : "the end") + "\"");
        if (write) {
            Files.writeString(directory.resolve(name), after, StandardCharsets.UTF_8);
        }
    }

    private void figures(Path drawn, List<String> stale, boolean write) throws IOException {
        try (Stream<Path> files = Files.list(drawn)) {
            for (Path file : files.sorted().toList()) {
                Path kept =
                        directory.resolve(FIGURES).resolve(file.getFileName().toString());
                byte[] now = Files.readAllBytes(file);
                if (Files.exists(kept) && Arrays.equals(Files.readAllBytes(kept), now)) {
                    continue;
                }
                stale.add(FIGURES + "/" + file.getFileName() + ": expected the picture that the page draws, got "
                        + (Files.exists(kept) ? "another" : "none"));
                if (write) {
                    Files.createDirectories(directory.resolve(FIGURES));
                    Files.write(kept, now);
                }
            }
        }
    }

    /** Deletes a folder and the files in it. */
    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
