package dev.heed.view;

import dev.heed.view.text.VisibleText;
import java.util.ArrayList;
import java.util.List;

/**
 * A heat map as lines of text: two columns per cell, row labels on the left, vertical column labels above the cells, a
 * scale below.
 */
final class TerminalHeatMap {
    private static final int LABEL_COLUMNS = 16;
    private static final int MAX_ROWS = 64;
    private static final String NO_NUMBER = "??";

    private final HeatMap map;
    private final TerminalColors colors;
    private final int width;
    private final Cells cells;
    private final ValueRange range;
    private final List<String> rows;
    private final List<String> columns;

    TerminalHeatMap(HeatMap map, TerminalColors colors, int width) {
        this.map = map;
        this.colors = colors;
        this.width = width;
        int room = Math.max(1, (width - LABEL_COLUMNS - 1) / 2);
        this.cells =
                map.cells().atMost(Math.min(MAX_ROWS, room), room, map.style().pooling());
        ValueRange given = map.style().range();
        this.range = given != null ? given : ValueRange.of(List.of(cells));
        this.rows = labels(map.lettering().rows(), cells.rows(), cells.tileRows());
        this.columns = labels(map.lettering().columns(), cells.columns(), cells.tileColumns());
    }

    String text() {
        var out = new StringBuilder();
        int left = rows.stream().mapToInt(VisibleText::columns).max().orElse(0);
        if (!map.lettering().title().isEmpty()) {
            out.append(legible(map.lettering().title(), width)).append('\n');
        }
        appendStandingLabels(out, left);
        for (int row = 0; row < cells.rows(); row++) {
            out.append(VisibleText.padLeft(rows.get(row), left)).append(' ');
            for (int column = 0; column < cells.columns(); column++) {
                appendCell(out, cells.at(row, column));
            }
            out.append(colors.reset()).append('\n');
        }
        appendScale(out, left);
        if (cells.isTiled()) {
            out.append(legible(cells.note().replace('×', 'x'), width)).append('\n');
        }
        return out.toString();
    }

    private List<String> labels(List<String> given, int count, int tile) {
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            labels.add(given.isEmpty() ? String.valueOf(i * tile) : legible(given.get(i * tile), LABEL_COLUMNS));
        }
        return labels;
    }

    private String legible(String text, int columns) {
        return legible(text, columns, colors == TerminalColors.ASCII);
    }

    /** {@return a text without control characters, cut to a width, in characters that the terminal supports} */
    static String legible(String text, int columns, boolean ascii) {
        String visible = VisibleText.of(text);
        if (!ascii) {
            return VisibleText.cut(visible, columns);
        }
        return VisibleText.cut(visible.replaceAll("[^\\x20-\\x7e]", "?"), columns)
                .replace('…', '~');
    }

    /** Appends vertical labels above their columns, one character per line; the two columns of a cell fit any character. */
    private void appendStandingLabels(StringBuilder out, int left) {
        List<List<String>> standing =
                columns.stream().map(TerminalHeatMap::characters).toList();
        int height = standing.stream().mapToInt(List::size).max().orElse(0);
        for (int line = 0; line < height; line++) {
            var text = new StringBuilder(" ".repeat(left + 1));
            for (List<String> label : standing) {
                int at = line - (height - label.size());
                text.append(VisibleText.padRight(at < 0 ? "" : label.get(at), 2));
            }
            out.append(text.toString().stripTrailing()).append('\n');
        }
    }

    /** {@return the characters of a label, each with its combining marks} */
    private static List<String> characters(String label) {
        List<String> characters = new ArrayList<>();
        label.codePoints().mapToObj(Character::toString).forEach(c -> {
            if (VisibleText.columns(c) == 0 && !characters.isEmpty()) {
                characters.addLast(characters.removeLast() + c);
            } else {
                characters.add(c);
            }
        });
        return characters;
    }

    private void appendCell(StringBuilder out, double value) {
        if (Double.isFinite(value)) {
            double position = Math.clamp(range.position(value), 0.0, 1.0);
            String ramp = colors.ramp();
            char ink = ramp.charAt((int) Math.min(ramp.length() - 1, position * ramp.length()));
            out.append(colors.background(map.style().palette().rgb(position)))
                    .append(ink)
                    .append(ink);
        } else {
            out.append(colors.reset()).append(NO_NUMBER);
        }
    }

    private void appendScale(StringBuilder out, int left) {
        String low = ValueRange.tickText(range.low());
        String high = ValueRange.tickText(range.high());
        int steps = Math.clamp((width - left - 3 - low.length() - high.length()) / 2, 2, 10);
        out.append(" ".repeat(left + 1)).append(low).append(' ');
        for (int i = 0; i < steps; i++) {
            double position = i / (steps - 1.0);
            appendCell(out, range.low() * (1 - position) + range.high() * position);
        }
        out.append(colors.reset()).append(' ').append(high).append('\n');
    }
}
