package dev.heed.score;

import dev.heed.tensor.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * The description of a score function without its parameters, as in problems and case strings.
 *
 * <pre>
 * dot   scaled-dot   scaled-dot:0.125   cosine:1.0   cosine:learned,2x4x7   general   general:heads   location:40
 * additive:64,bias   additive:plain   concat:64   gaussian:0.5   gaussian:learned,heads   custom:overlap
 * </pre>
 *
 * @param kind the kind of the score function
 * @param words the words after the colon: a number, sizes, the name of a custom function, {@code learned}, {@code heads},
 *     {@code bias} or {@code plain}
 */
public record ScorePattern(ScoreKind kind, List<String> words) {
    /** The word for a function whose strength or width is a tensor. */
    static final String LEARNED = "learned";

    /** The word for a function with separate parameters for each head. */
    static final String HEADS = "heads";

    /** The word for an additive function with a bias. */
    static final String BIAS = "bias";

    /** The word for an additive function without projections. */
    static final String PLAIN = "plain";

    private static final String SIZE = "[1-9][0-9]{0,17}";
    private static final String NAME = "[A-Za-z0-9_.-]+";

    /** Checks that the words are valid for the kind. */
    public ScorePattern {
        words = List.copyOf(words);
        if (!known(kind, words)) {
            throw unknown(kind.label() + ":" + String.join(",", words));
        }
    }

    static ScorePattern of(ScoreKind kind, String... words) {
        return new ScorePattern(
                kind, Arrays.stream(words).filter(w -> !w.isEmpty()).toList());
    }

    private static boolean known(ScoreKind kind, List<String> words) {
        String text = String.join(",", words);
        return switch (kind) {
            case DOT -> text.isEmpty();
            case SCALED_DOT -> text.isEmpty() || number(text);
            case COSINE -> number(text) || text.matches(LEARNED + "," + SIZE + "(x" + SIZE + "){0,2}");
            case GENERAL -> text.matches("(heads)?");
            case LOCATION, CONCAT -> text.matches(SIZE + "(,heads)?");
            case ADDITIVE -> text.matches(SIZE + "(,bias)?(,heads)?|plain(,heads)?");
            case GAUSSIAN -> number(text) && Double.parseDouble(text) >= 0 || text.matches(LEARNED + "(,heads)?");
            case CUSTOM -> text.matches(NAME);
        };
    }

    private static boolean number(String text) {
        try {
            return Double.isFinite(Double.parseDouble(text));
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /** {@return whether the words contain {@code word}} */
    public boolean has(String word) {
        return words.contains(word);
    }

    /** {@return whether each head has separate parameters} */
    public boolean perHead() {
        return has(HEADS);
    }

    /** {@return the number among the words: the factor of a scaled dot product, a strength or a width; 1 if there is none} */
    public double number() {
        return words.isEmpty() || !number(words.getFirst()) ? 1 : Double.parseDouble(words.getFirst());
    }

    /**
     * {@return the sizes among the words: the number of columns of a location matrix, the number of hidden units, or the
     * shape of a strength}
     */
    public long[] sizes() {
        String word = kind == ScoreKind.COSINE ? words.getLast() : words.getFirst();
        return Arrays.stream(word.split("x")).mapToLong(Long::parseLong).toArray();
    }

    /**
     * Reads a pattern.
     *
     * @throws InvalidInputException if it is not a pattern of a score function
     */
    public static ScorePattern parse(String pattern) {
        int colon = pattern.indexOf(':');
        String label = colon < 0 ? pattern : pattern.substring(0, colon);
        String rest = colon < 0 ? "" : pattern.substring(colon + 1);
        for (ScoreKind kind : ScoreKind.values()) {
            if (kind.label().equals(label) && (colon < 0 || !rest.isEmpty())) {
                boolean scaled = kind == ScoreKind.COSINE || kind == ScoreKind.GAUSSIAN;
                if (rest.isEmpty() && scaled) {
                    rest = "1.0";
                }
                List<String> words = rest.isEmpty() ? List.of() : List.of(rest.split(",", -1));
                if ((scaled || kind == ScoreKind.SCALED_DOT) && number(rest)) {
                    words = List.of(String.valueOf(Double.parseDouble(rest)));
                }
                if (known(kind, words)) {
                    return new ScorePattern(kind, words);
                }
            }
        }
        throw unknown(pattern);
    }

    private static InvalidInputException unknown(String pattern) {
        return new InvalidInputException(
                "Unknown score function",
                Arrays.stream(ScoreKind.values())
                        .map(kind -> kind.grammar().isEmpty() ? kind.label() : kind.label() + ":" + kind.grammar())
                        .collect(Collectors.joining("; ")),
                pattern,
                "leave score= out for scaled-dot");
    }

    static String sizes(long... sizes) {
        return LongStream.of(sizes).mapToObj(Long::toString).collect(Collectors.joining("x"));
    }

    @Override
    public String toString() {
        return words.isEmpty() ? kind.label() : kind.label() + ":" + String.join(",", words);
    }
}
