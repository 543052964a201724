package dev.heed.view;

import dev.heed.view.text.VisibleText;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A line view as lines of text: each row with its most attended columns, strongest first, with bars whose lengths are
 * proportional to the weights. The end of a row states the sum of its weights that are not shown.
 */
final class TerminalLines {
    private static final int LABEL_COLUMNS = 16;
    private static final int MAX_ROWS = 64;
    private static final int OF_A_ROW = 3;
    private static final int OF_THE_FOCUS = 16;
    private static final int NUMBER_COLUMNS = 10;

    private final LineView view;
    private final TerminalColors colors;
    private final int width;
    private final Cells cells;
    private final List<String> rows;
    private final List<String> columns;

    TerminalLines(LineView view, TerminalColors colors, int width) {
        this.view = view;
        this.colors = colors;
        this.width = width;
        HeatMap map = view.map();
        boolean whole = view.focused() != LineView.NO_FOCUS; // the row in focus must not be pooled with others
        this.cells = map.cells()
                .atMost(
                        whole ? map.cells().rows() : MAX_ROWS,
                        LineView.MAX_TOKENS,
                        map.style().pooling());
        this.rows = names(map.lettering().rows(), cells.rows(), cells.tileRows(), cells.wholeRows());
        this.columns = names(map.lettering().columns(), cells.columns(), cells.tileColumns(), cells.wholeColumns());
    }

    private List<String> names(List<String> given, int count, int tile, int whole) {
        return HeatMapPanel.names(given, count, tile, whole).stream()
                .map(name -> legible(name, LABEL_COLUMNS))
                .toList();
    }

    private String legible(String text, int most) {
        return TerminalHeatMap.legible(text, most, colors == TerminalColors.ASCII);
    }

    String text() {
        var out = new StringBuilder();
        String title = view.map().lettering().title();
        if (!title.isEmpty()) {
            out.append(legible(title, width)).append('\n');
        }
        int focus = view.focused();
        double strongest = Links.of(cells, focus).strongest();
        int left = (focus < 0 ? rows.stream() : rows.subList(focus, focus + 1).stream())
                .mapToInt(VisibleText::columns)
                .max()
                .orElse(0);
        int right = columns.stream().mapToInt(VisibleText::columns).max().orElse(0);
        int room = Math.max(4, width - left - right - 3 - NUMBER_COLUMNS);
        for (int row = 0; row < cells.rows(); row++) {
            if (focus < 0 || focus == row) {
                appendRow(out, row, strongest, left, right, room);
            }
        }
        if (cells.isTiled()) {
            out.append(legible(cells.note().replace('×', 'x'), width)).append('\n');
        }
        return out.toString();
    }

    private void appendRow(StringBuilder out, int row, double strongest, int left, int right, int room) {
        List<Integer> seen = new ArrayList<>(IntStream.range(0, cells.columns())
                .filter(column -> Double.isFinite(cells.at(row, column)) && cells.at(row, column) > 0)
                .boxed()
                .sorted(Comparator.comparingDouble(column -> -cells.at(row, column)))
                .toList());
        int most = view.focused() < 0 ? OF_A_ROW : OF_THE_FOCUS;
        List<Integer> shown = seen.subList(0, Math.min(most, seen.size()));
        String name = VisibleText.padLeft(rows.get(row), left);
        if (shown.isEmpty()) {
            out.append(name).append(" looks at nothing\n");
        }
        for (int i = 0; i < shown.size(); i++) {
            double weight = cells.at(row, shown.get(i));
            out.append(i == 0 ? name : " ".repeat(left))
                    .append(' ')
                    .append(line(weight / strongest, room))
                    .append(' ')
                    .append(VisibleText.padRight(columns.get(shown.get(i)), right))
                    .append(' ')
                    .append(ValueRange.text(weight));
            if (i == shown.size() - 1 && seen.size() > shown.size()) {
                double rest = seen.stream()
                        .skip(shown.size())
                        .mapToDouble(column -> cells.at(row, column))
                        .sum();
                int others = seen.size() - shown.size();
                out.append(colors == TerminalColors.ASCII ? "  + " : "  … ")
                        .append(ValueRange.text(rest))
                        .append(others == 1 ? " on 1 other" : " on " + others + " others");
            }
            out.append('\n');
        }
    }

    /**
     * {@return a bar whose length is proportional to the weight} Without colours, the bars of stronger weights are also
     * thicker.
     *
     * @param share the weight relative to the strongest weight
     * @param room columns of the longest bar
     */
    private String line(double share, int room) {
        int length = Math.max(1, (int) Math.round(share * room));
        String rest = " ".repeat(room - length);
        return switch (colors) {
            case TRUE_COLOR, COLORS_256 ->
                colors.background(view.map().style().palette().rgb(share)) + " ".repeat(length) + colors.reset() + rest;
            case BLOCKS -> (share < 1.0 / 3 ? "─" : share < 2.0 / 3 ? "━" : "█").repeat(length) + rest;
            case ASCII -> (share < 1.0 / 3 ? "-" : share < 2.0 / 3 ? "=" : "#").repeat(length) + rest;
        };
    }
}
