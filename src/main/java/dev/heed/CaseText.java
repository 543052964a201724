package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** A parser for case strings. Callers take the words one by one; words that remain at the end are an error. */
final class CaseText {
    private final String text;
    private final List<String> words;
    private final String grammar;

    CaseText(String text, String grammar) {
        this.text = text;
        this.words = new ArrayList<>(Arrays.asList(text.strip().split("\\s+")));
        this.grammar = grammar;
    }

    /** Removes the first word that begins with the prefix and returns it without the prefix; null if no word begins with it. */
    @Nullable
    String take(String prefix) {
        for (int i = 0; i < words.size(); i++) {
            if (words.get(i).startsWith(prefix)) {
                return words.remove(i).substring(prefix.length());
            }
        }
        return null;
    }

    /** Like {@link #take}, for a prefix followed by a number or by sizes such as {@code 2x4}. */
    @Nullable
    String takeNumber(String prefix) {
        for (int i = 0; i < words.size(); i++) {
            if (words.get(i).matches(prefix + "[0-9][0-9x]*")) {
                return words.remove(i).substring(prefix.length());
            }
        }
        return null;
    }

    boolean takeFlag(String word) {
        return words.remove(word);
    }

    DType takeType() {
        for (String word : words) {
            for (DType type : DType.values()) {
                if (type.isFloating() && type.label().equals(word)) {
                    words.remove(word);
                    return type;
                }
            }
        }
        return DType.F32;
    }

    long[] sizes(@Nullable String word, int count) {
        if (word == null) {
            throw unreadable("a size is missing");
        }
        try {
            long[] sizes = Arrays.stream(word.split("x", -1))
                    .mapToLong(Long::parseLong)
                    .toArray();
            if (count == 0 || sizes.length == count) {
                return sizes;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw unreadable("\"" + word + "\"");
    }

    double number(String word) {
        try {
            return Double.parseDouble(word);
        } catch (NumberFormatException e) {
            throw unreadable("\"" + word + "\"");
        }
    }

    int integer(String word) {
        try {
            return Integer.parseInt(word);
        } catch (NumberFormatException e) {
            throw unreadable("\"" + word + "\"");
        }
    }

    String rest() {
        String rest = String.join(" ", words);
        words.clear();
        return rest;
    }

    void end() {
        if (!words.isEmpty()) {
            throw unreadable("\"" + String.join(" ", words) + "\"");
        }
    }

    InvalidInputException unreadable(String part) {
        return new InvalidInputException(
                "The case string cannot be read", grammar, part + " in \"" + text + "\"", hint());
    }

    private static String hint() {
        return "heed run \"q1x8x128x64 kv8x128 f32 mask=causal:br\"";
    }

    static String join(long... sizes) {
        return LongStream.of(sizes).mapToObj(Long::toString).collect(Collectors.joining("x"));
    }
}
