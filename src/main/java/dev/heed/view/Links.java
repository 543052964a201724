package dev.heed.view;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The lines that a line view draws: the strongest weights, without those whose lines would be too thin to see.
 *
 * @param lines the lines, strongest last, so that they are drawn on top
 * @param strongest the largest weight of all rows
 * @param leftOut the share of the weight of the drawn rows that is not drawn, 0 to 1
 * @param weakest the smallest weight drawn, 0 if no line is drawn
 * @param gaps the number of non-finite values in the drawn rows
 */
record Links(List<Line> lines, double strongest, double leftOut, double weakest, int gaps) {
    private static final int MOST = 2_000;

    /** Minimum visible thickness, relative to the thickest line. */
    private static final double LEAST = 0.01;

    record Line(int from, int to, double weight) {}

    /** {@return the lines to draw; {@code focus} is the only row to draw, or -1 for all} */
    static Links of(Cells cells, int focus) {
        List<Line> lines = new ArrayList<>();
        double strongest = 0;
        double total = 0;
        int gaps = 0;
        for (int row = 0; row < cells.rows(); row++) {
            for (int column = 0; column < cells.columns(); column++) {
                double weight = cells.at(row, column);
                if (!Double.isFinite(weight)) {
                    gaps += focus < 0 || focus == row ? 1 : 0;
                } else if (weight > 0) {
                    strongest = Math.max(strongest, weight);
                    if (focus < 0 || focus == row) {
                        total += weight;
                        lines.add(new Line(row, column, weight));
                    }
                }
            }
        }
        lines.sort(Comparator.comparingDouble(Line::weight));
        double least = LEAST * strongest;
        List<Line> drawn = lines.subList(Math.max(0, lines.size() - MOST), lines.size()).stream()
                .filter(line -> line.weight() >= least)
                .toList();
        double seen = drawn.stream().mapToDouble(Line::weight).sum();
        double leftOut = total > 0 && drawn.size() < lines.size() ? Math.max(0, 1 - seen / total) : 0;
        return new Links(
                drawn,
                strongest,
                leftOut,
                drawn.isEmpty() ? 0 : drawn.getFirst().weight(),
                gaps);
    }

    /** {@return the captions about weights that are not drawn} */
    List<String> notes() {
        List<String> notes = new ArrayList<>();
        String share = ValueRange.tickText(Math.round(leftOut * 1000) / 10.0) + " %";
        if (leftOut >= 0.0005 && lines.size() == MOST) {
            notes.add("Only the " + MOST + " strongest weights are drawn; " + share + " of the whole is not.");
        } else if (leftOut >= 0.0005) {
            notes.add("Weights below " + ValueRange.text(weakest) + " are not drawn: " + share + " of the whole.");
        }
        if (gaps > 0) {
            notes.add(gaps + (gaps == 1 ? " value is" : " values are") + " no finite number and not drawn.");
        }
        return notes;
    }
}
