import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The text of one Java source, written line by line in the project's format. Generators extend it. {@code java} compiles it with each of
 * them, because it is in their folder.
 */
abstract class SourceText {
    /** The folder of the committed sources. */
    private static final String FOLDER = "src/main/java/dev/heed";

    /** Most characters of a line. */
    static final int LINE = 120;

    final StringBuilder text = new StringBuilder();

    /** {@return the folder named by the arguments of a generator; the folder of the committed sources if there are none} */
    static Path folder(String[] arguments) {
        return Path.of(arguments.length == 0 ? FOLDER : arguments[0]);
    }

    static void write(Path file, String source) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, source);
    }

    final void line(int indent, String line) {
        text.append("    ".repeat(line.isEmpty() ? 0 : indent)).append(line).append('\n');
    }

    /** Writes the Javadoc of a member. */
    final void comment(String... lines) {
        if (lines.length == 1) {
            line(1, "/** " + lines[0] + " */");
            return;
        }
        line(1, "/**");
        for (String line : lines) {
            line(1, line.isEmpty() ? " *" : " * " + line);
        }
        line(1, " */");
    }

    final void method(int indent, String head, List<String> parameters) {
        list(indent, head + "(", parameters, ") {");
    }

    final void call(int indent, String method, List<String> arguments) {
        list(indent, method + "(", arguments, ");");
    }

    /** Writes a list in the project's format: on one line, else on the next line, else one item per line. */
    final void list(int indent, String head, List<String> items, String end) {
        String all = String.join(", ", items);
        if (4 * indent + head.length() + all.length() + end.length() <= LINE) {
            line(indent, head + all + end);
        } else if (4 * indent + 8 + all.length() + end.length() <= LINE) {
            line(indent, head);
            line(indent + 2, all + end);
        } else {
            line(indent, head);
            IntStream.range(0, items.size())
                    .forEach(n -> line(indent + 2, items.get(n) + (n == items.size() - 1 ? end : ",")));
        }
    }

    /** {@return the names of parameters, without their types} */
    static List<String> names(List<String> parameters) {
        return parameters.stream().map(p -> p.substring(p.lastIndexOf(' ') + 1)).toList();
    }

    /** {@return the product {@code n factor} as it is written in an index; empty for 0} */
    static String times(int n, String factor) {
        return n == 0 ? "" : n == 1 ? factor : n + " * " + factor;
    }

    static String plus(String a, String b) {
        return b.isEmpty() ? a : a + " + " + b;
    }

    /**
     * {@return the statement {@code sum += x * y}} The condition is a constant. A method for both cases would exceed the JIT's limit for
     * inlining in the largest blocks.
     */
    static String add(String sum, String x, String y) {
        return sum + " = FUSED ? " + x + ".fma(" + y + ", " + sum + ") : " + x + ".mul(" + y + ").add(" + sum + ");";
    }
}
