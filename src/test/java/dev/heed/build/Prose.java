package dev.heed.build;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One paragraph of English in the project: a paragraph of a comment in a Java, OpenCL or C file, or a line of a Markdown page
 * outside code blocks.
 *
 * @param file the file, relative to the root of the project
 * @param line the number of the line of the page, or of the line where the comment starts
 * @param text the text on one line, without tags; code is replaced by X
 */
record Prose(Path file, int line, String text) {
    /** Matches literals and comments, so that neither is found inside the other. */
    private static final Pattern LITERAL_OR_COMMENT = Pattern.compile(
            "\"\"\"[\\s\\S]*?\"\"\""
                    + "|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])+'|/\\*[\\s\\S]*?\\*/|(?://[^\\n]*(?:\\n\\s*(?=//))?)+");

    private static final List<String> ROOTS =
            List.of("src", "native", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md");

    /** {@return all files of the project whose comments or text are English, except course pages} */
    static List<Path> files() {
        List<Path> files = new ArrayList<>();
        for (String root : ROOTS) {
            try (Stream<Path> below = Files.walk(Path.of(root))) {
                below.filter(file -> file.toString().matches(".*\\.(java|cl|h|c|md)"))
                        .filter(file -> !file.startsWith("docs/course"))
                        .sorted()
                        .forEach(files::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return files;
    }

    static List<Prose> of(Path file) {
        String source = read(file);
        return file.toString().endsWith(".md") ? markdown(file, source) : comments(file, source);
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return a Markdown page with an empty line in place of each line of its code blocks} */
    static String withoutCode(String page) {
        var text = new StringBuilder();
        boolean code = false;
        for (String line : page.lines().toList()) {
            boolean fence = line.startsWith("```");
            code ^= fence;
            text.append(code || fence ? "" : line).append('\n');
        }
        return text.toString();
    }

    private static List<Prose> markdown(Path file, String source) {
        List<Prose> prose = new ArrayList<>();
        int number = 0;
        for (String line : withoutCode(source).lines().toList()) {
            number++;
            if (!line.startsWith("    ") && !line.isBlank()) {
                String text = line.replaceAll("`[^`]*`", "X").replaceFirst("^(?:[\\s>*#|-]+|\\d+\\.\\s)", "");
                prose.add(new Prose(file, number, text));
            }
        }
        return prose;
    }

    private static List<Prose> comments(Path file, String source) {
        List<Prose> prose = new ArrayList<>();
        Matcher found = LITERAL_OR_COMMENT.matcher(source);
        while (found.find()) {
            String comment = found.group();
            if (!comment.startsWith("/")) {
                continue;
            }
            int line = (int) source.substring(0, found.start()).lines().count() + 1;
            String body = comment.startsWith("//")
                    ? comment.replaceAll("(?m)^\\s*//", "")
                    : comment.substring(2, comment.length() - 2)
                            .replaceAll("<pre>[\\s\\S]*?</pre>", "")
                            .replaceAll("(?m)^\\s*\\*+ ?", "")
                            .replaceAll("\\{@(?:code|link|linkplain|snippet)\\s[^}]*}", "X");
            for (String paragraph : body.split("\n\\s*\n|\n(?=\\s*@\\w)|<p>|<li>|(?=\\{@return )", -1)) {
                prose.add(new Prose(
                        file,
                        line,
                        paragraph
                                .replaceAll("<[^>]+>", " ")
                                .replaceAll("\\s+", " ")
                                .strip()));
            }
        }
        return prose;
    }
}
