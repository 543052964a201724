package dev.heed.demo;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;

/** The characters of the date formats, numbered from 1. The number 0 stands for any character that no format uses. */
final class Alphabet {
    /** The characters of an ISO date, numbered from 0. The number {@link #START} is the start symbol of the output. */
    static final String OUTPUT = "0123456789-";

    static final int START = OUTPUT.length();
    static final int OUTPUT_LENGTH = 10;

    private final List<Integer> characters;

    Alphabet(Iterable<String> texts) {
        var seen = new TreeSet<Integer>();
        for (String text : texts) {
            text.codePoints().forEach(seen::add);
        }
        this.characters = new ArrayList<>(seen);
    }

    int size() {
        return characters.size() + 1;
    }

    /** {@return all characters, in the order of their numbers} */
    String text() {
        var text = new StringBuilder();
        characters.forEach(text::appendCodePoint);
        return text.toString();
    }

    int[] numbers(String text) {
        return text.codePoints()
                .map(c -> Math.max(0, Collections.binarySearch(characters, c) + 1))
                .toArray();
    }

    static int[] target(String iso) {
        return iso.chars().map(OUTPUT::indexOf).toArray();
    }

    static String iso(int[] output) {
        var text = new StringBuilder();
        for (int number : output) {
            text.append(OUTPUT.charAt(number));
        }
        return text.toString();
    }
}
