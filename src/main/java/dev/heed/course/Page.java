package dev.heed.course;

import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A page of Markdown, split into text, code blocks and expressions:
 *
 * <pre>
 * a block of ```java                          is run; its variables stay defined to the end of the page
 * a block of ```text right after it           the output of the block
 * &lt;!--= expression --&gt;1.25&lt;!----&gt;     the value of the expression, within a sentence
 * </pre>
 *
 * @param name the name in error messages
 * @param parts all parts of the text, in order
 */
public record Page(String name, List<Part> parts) {
    private static final Pattern LIVE = Pattern.compile(
            "^```java\\n(?<code>.*?)^```\\n(?:\\n*^```text\\n(?<output>.*?)^```\\n)?"
                    + "|<!--= (?<expression>[^\\n]*?) -->(?<value>[^\\n]*?)<!---->",
            Pattern.MULTILINE | Pattern.DOTALL);

    /** A part of a page. */
    public sealed interface Part {}

    /** Text that is not executed. */
    public record Text(String text) implements Part {}

    /** A code block and its output. */
    public record Code(String code, String output) implements Part {}

    /** An expression and its value as text. */
    public record Value(String expression, String value) implements Part {}

    /** Copies the parts. */
    public Page {
        parts = List.copyOf(parts);
    }

    /** {@return a Markdown text, parsed as a page} */
    public static Page parse(String name, String markdown) {
        List<Part> parts = new ArrayList<>();
        Matcher live = LIVE.matcher(markdown);
        int end = 0;
        while (live.find()) {
            parts.add(new Text(markdown.substring(end, live.start())));
            String output = live.group("output");
            parts.add(
                    live.group("code") != null
                            ? new Code(live.group("code"), output == null ? "" : output)
                            : new Value(live.group("expression"), live.group("value")));
            end = live.end();
        }
        parts.add(new Text(markdown.substring(end)));
        return new Page(name, parts);
    }

    /** {@return the code blocks and the expressions, in the order of the page} */
    public List<String> live() {
        return parts.stream()
                .filter(part -> !(part instanceof Text))
                .map(Page::live)
                .toList();
    }

    private static String live(Part part) {
        return switch (part) {
            case Text ignored -> "";
            case Code code -> code.code();
            case Value value -> value.expression();
        };
    }

    /**
     * {@return this page with the outputs and values of a page with the same code in another language}
     *
     * @throws InvalidInputException if the code of the other page differs
     */
    public Page withResultsOf(Page other) {
        List<Part> results =
                other.parts.stream().filter(part -> !(part instanceof Text)).toList();
        List<Part> changed = new ArrayList<>();
        int next = 0;
        for (Part part : parts) {
            if (part instanceof Text) {
                changed.add(part);
                continue;
            }
            Part result = next < results.size() ? results.get(next++) : new Text("nothing more");
            boolean same = live(part).equals(live(result));
            if (!same) {
                throw new InvalidInputException(
                        "Page " + name + " runs other code than " + other.name(),
                        result.toString(),
                        part.toString(),
                        "copy the block from " + other.name());
            }
            changed.add(result);
        }
        if (next != results.size()) {
            throw new InvalidInputException(
                    "Page " + name + " runs less code than " + other.name(),
                    results.get(next).toString(),
                    "the end of the page",
                    "copy the block from " + other.name());
        }
        return new Page(name, changed);
    }

    /** {@return the page as Markdown} */
    public String markdown() {
        var text = new StringBuilder();
        for (Part part : parts) {
            switch (part) {
                case Text t -> text.append(t.text());
                case Code c -> {
                    text.append("```java\n").append(c.code()).append("```\n");
                    if (!c.output().isEmpty()) {
                        text.append("\n```text\n").append(c.output()).append("```\n");
                    }
                }
                case Value v ->
                    text.append("<!--= ")
                            .append(v.expression())
                            .append(" -->")
                            .append(v.value())
                            .append("<!---->");
            }
        }
        return text.toString();
    }
}
