package dev.heed.verify;

import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A search for a small case that fails like a given one. It removes words of the case string, takes terms out of masks, and makes
 * numbers smaller, as long as the case still fails.
 */
final class Shrinking {
    /** A whole number that is not in the name of a type. */
    private static final Pattern NUMBER = Pattern.compile("(?<![\\d.])(?<!\\b(?:f|bf|i|tf))\\d+(?![.\\d])");

    private final Predicate<Case> fails;
    private int tries;

    private Shrinking(Predicate<Case> fails, int tries) {
        this.fails = fails;
        this.tries = tries;
    }

    /**
     * {@return the smallest case found, the given one if nothing smaller fails}
     *
     * @param failing a case that fails
     * @param tries the maximum number of cases to check
     */
    static Case smallest(Case failing, Predicate<Case> fails, int tries) {
        var search = new Shrinking(fails, tries);
        Case best = failing;
        for (Optional<Case> next = search.smaller(best); next.isPresent(); next = search.smaller(best)) {
            best = next.get();
        }
        return best;
    }

    private Optional<Case> smaller(Case best) {
        String text = best.toString();
        for (String candidate : candidates(text)) {
            if (tries == 0) {
                return Optional.empty();
            }
            Case parsed;
            try {
                parsed = Case.parse(candidate);
            } catch (InvalidInputException e) {
                continue;
            }
            if (!parsed.toString().equals(text)) {
                tries--;
                if (fails.test(parsed)) {
                    return Optional.of(parsed);
                }
            }
        }
        return Optional.empty();
    }

    /** {@return smaller texts, those first that remove most} */
    private static Set<String> candidates(String text) {
        Set<String> found = new LinkedHashSet<>();
        List<String> words = List.of(text.split(" ", -1));
        for (int i = words.size() - 1; i > 0; i--) {
            found.add(without(words, i));
        }
        for (int i = 0; i < words.size(); i++) {
            if (words.get(i).startsWith("mask=")) {
                for (String term : terms(words.get(i).substring("mask=".length()))) {
                    found.add(with(words, i, "mask=" + term));
                }
            }
        }
        List<MatchResult> numbers = NUMBER.matcher(text)
                .results()
                .filter(n -> n.group().length() < 7)
                .toList();
        for (MatchResult number :
                numbers) { // the same number in every word, so that the shapes of masks and biases follow
            for (int m : smallerNumbers(Integer.parseInt(number.group()))) {
                found.add(replaced(text, number.group(), m));
            }
        }
        for (MatchResult number : numbers) {
            for (int m : smallerNumbers(Integer.parseInt(number.group()))) {
                found.add(text.substring(0, number.start()) + m + text.substring(number.end()));
            }
        }
        return found;
    }

    private static List<Integer> smallerNumbers(int n) {
        return Stream.of(1, n / 2, n - n / 4, n - 1)
                .distinct()
                .filter(m -> m > 0 && m < n)
                .toList();
    }

    private static String replaced(String text, String from, int to) {
        return NUMBER.matcher(text)
                .replaceAll(number -> number.group().equals(from) ? String.valueOf(to) : number.group());
    }

    /** {@return the terms of a mask at its outer level} */
    private static List<String> terms(String mask) {
        String inner = mask.startsWith("(") && mask.endsWith(")") ? mask.substring(1, mask.length() - 1) : mask;
        List<String> terms = new ArrayList<>();
        int depth = 0;
        int start = 0;
        for (int i = 0; i < inner.length(); i++) {
            char c = inner.charAt(i);
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (depth == 0 && (c == '&' || c == '|')) {
                terms.add(inner.substring(start, i));
                start = i + 1;
            }
        }
        terms.add(inner.substring(start));
        return terms;
    }

    private static String without(List<String> words, int index) {
        var left = new ArrayList<>(words);
        left.remove(index);
        return String.join(" ", left);
    }

    private static String with(List<String> words, int index, String word) {
        var changed = new ArrayList<>(words);
        changed.set(index, word);
        return String.join(" ", changed);
    }
}
