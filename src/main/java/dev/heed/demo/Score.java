package dev.heed.demo;

import dev.heed.demo.DateText.Written;
import java.util.SortedMap;
import java.util.TreeMap;

/** The number of correctly translated dates, in total and by the length of the text. */
public final class Score {
    /** Width of a length class, in characters. */
    public static final int STEP = 10;

    private final SortedMap<Integer, int[]> byLength = new TreeMap<>();

    void add(Written asked, String answer) {
        int length = asked.text().codePointCount(0, asked.text().length()) / STEP * STEP;
        int[] counts = byLength.computeIfAbsent(length, l -> new int[2]);
        counts[0] += asked.iso().equals(answer) ? 1 : 0;
        counts[1]++;
    }

    /**
     * {@return two counts for each length class, correct translations and all translations, by the shortest length of
     * the class}
     */
    public SortedMap<Integer, int[]> byLength() {
        return byLength;
    }

    /** {@return the share of translations that are correct in every character} */
    public double exact() {
        int right = byLength.values().stream().mapToInt(c -> c[0]).sum();
        int all = byLength.values().stream().mapToInt(c -> c[1]).sum();
        return (double) right / all;
    }
}
