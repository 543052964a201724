package dev.heed.conformance;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A reader of files of test vectors. A file has one field per line (shown here separated by bars), and a line that
 * begins with {@code #} is a comment.
 *
 * <pre>
 * case name | source text | kind word | attr name value | tensor name 1x2x4 values... | expect name 1x2x4 values...
 * tol rtol 1e-6 atol 1e-6 | end
 * </pre>
 */
final class ClassicVectors {
    static final String FILE = "classic-vectors.txt";

    private static final Tolerance DEFAULT_TOLERANCE = Tolerance.of(DType.F32);

    private final List<ClassicCase> items = new ArrayList<>();
    private @Nullable String name;
    private String kind = "";
    private Map<String, String> attributes = new HashMap<>();
    private Map<String, Tensor> tensors = new HashMap<>();
    private Map<String, Tensor> expected = new HashMap<>();
    private Tolerance tolerance = DEFAULT_TOLERANCE;
    private @Nullable String damage;

    private ClassicVectors() {}

    /**
     * {@return whether a file contains test vectors: its name is {@link #FILE}, or it is a .txt file that begins with a
     * case}
     */
    static boolean is(Path file) throws IOException {
        String name = String.valueOf(file.getFileName());
        if (name.equals(FILE)) {
            return true;
        }
        return name.endsWith(".txt")
                && text(file).lines().filter(line -> !isComment(line)).findFirst().stream()
                        .anyMatch(line -> line.startsWith("case "));
    }

    /** {@return the items of a file; an item that cannot be read is included as a damaged item, which fails} */
    static List<ClassicCase> read(Path file) throws IOException {
        var vectors = new ClassicVectors();
        int number = 0;
        for (String line : text(file).lines().toList()) {
            number++;
            if (!isComment(line)) {
                vectors.line(line.strip(), number);
            }
        }
        vectors.close("expected end got the end of the file");
        if (vectors.items.isEmpty()) {
            vectors.items.add(
                    ClassicCase.damaged(String.valueOf(file.getFileName()), "expected case ... got no item at all"));
        }
        return vectors.items;
    }

    /**
     * {@return the text of a file} Bytes that are not UTF-8 become replacement characters, so that a damaged item
     * fails.
     */
    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    private static boolean isComment(String line) {
        return line.isBlank() || line.startsWith("#");
    }

    private void line(String line, int number) {
        String[] words = line.split("\\s+");
        try {
            if (words[0].equals("case")) {
                close("expected end got another case at line " + number);
                name = word(words, 1);
                return;
            }
            switch (words[0]) {
                case "source" -> {}
                case "kind" -> kind = word(words, 1);
                case "attr" -> attributes.put(word(words, 1), word(words, 2));
                case "tensor" -> tensors.put(word(words, 1), tensor(words));
                case "expect" -> expected.put(word(words, 1), tensor(words));
                case "tol" -> tolerance = tolerance(words);
                case "end" -> close(null);
                default -> throw new IllegalArgumentException(words[0]);
            }
        } catch (IllegalArgumentException e) {
            String got = line.length() > 60 ? line.substring(0, 60) + "..." : line;
            damage = damage != null
                    ? damage
                    : "expected a line of the vector format got \"" + got + "\" at line " + number;
        }
    }

    private static String word(String[] words, int index) {
        if (index >= words.length) {
            throw new IllegalArgumentException("too few words");
        }
        return words[index];
    }

    private static Tensor tensor(String[] words) {
        long[] shape = Arrays.stream(word(words, 2).split("x", -1))
                .mapToLong(Long::parseLong)
                .toArray();
        float[] values = new float[words.length - 3];
        for (int i = 0; i < values.length; i++) {
            values[i] = Float.parseFloat(words[i + 3]);
        }
        return Tensor.of(values, shape);
    }

    private static Tolerance tolerance(String[] words) {
        if (!word(words, 1).equals("rtol") || !word(words, 3).equals("atol")) {
            throw new IllegalArgumentException("no tolerance");
        }
        return new Tolerance(Double.parseDouble(word(words, 2)), Double.parseDouble(word(words, 4)));
    }

    /**
     * Ends the current item, if there is one. The item is damaged if one of its lines is, or if {@code unexpectedEnd}
     * is not null.
     */
    private void close(@Nullable String unexpectedEnd) {
        String open = name;
        String reason = damage != null ? damage : unexpectedEnd;
        if (open != null) {
            items.add(
                    reason == null
                            ? new ClassicCase(open, kind, attributes, tensors, expected, tolerance, null)
                            : ClassicCase.damaged(open, reason));
        } else if (damage != null) {
            items.add(ClassicCase.damaged("(before the first case)", damage));
        }
        name = null;
        kind = "";
        attributes = new HashMap<>();
        tensors = new HashMap<>();
        expected = new HashMap<>();
        tolerance = DEFAULT_TOLERANCE;
        damage = null;
    }
}
