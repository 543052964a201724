package dev.heed.view;

import dev.heed.view.text.VisibleText;
import java.util.List;

/** A formatter of a profile as lines of text: a label, a bar and a number per weight. */
final class TerminalProfile {
    private static final int LABEL_COLUMNS = 20;
    private static final int MAX_ROWS = 64;
    private static final int NUMBER_COLUMNS = 10;
    private static final String EIGHTHS = " ▏▎▍▌▋▊▉";

    private TerminalProfile() {}

    static String text(HeatMap row, TerminalColors colors, int width) {
        Cells cells = row.cells().atMost(1, MAX_ROWS, row.style().pooling());
        ValueRange given = row.style().range();
        ValueRange range = given != null ? given : ValueRange.of(List.of(cells));
        boolean ascii = colors == TerminalColors.ASCII;
        List<String> names =
                HeatMapPanel.names(
                                row.lettering().columns(), cells.columns(), cells.tileColumns(), cells.wholeColumns())
                        .stream()
                        .map(name -> TerminalHeatMap.legible(name, LABEL_COLUMNS, ascii))
                        .toList();
        int labels = names.stream().mapToInt(VisibleText::columns).max().orElse(0);
        int room = Math.max(4, width - labels - 2 - NUMBER_COLUMNS);
        var out = new StringBuilder();
        if (!row.lettering().title().isEmpty()) {
            out.append(TerminalHeatMap.legible(row.lettering().title(), width, ascii))
                    .append('\n');
        }
        for (int i = 0; i < cells.columns(); i++) {
            double value = cells.at(0, i);
            double length = Double.isFinite(value) ? Math.clamp(range.position(value), 0.0, 1.0) * room : 0;
            out.append(VisibleText.padLeft(names.get(i), labels)).append(' ');
            out.append(bar(length, ascii))
                    .append(' ')
                    .append(ValueRange.text(value))
                    .append('\n');
        }
        if (cells.isTiled()) {
            String note = "Each bar is the " + cells.pooling().word() + " of " + cells.tileColumns() + " weights ("
                    + cells.wholeColumns() + " in all).";
            out.append(TerminalHeatMap.legible(note, width, ascii)).append('\n');
        }
        return out.toString();
    }

    private static String bar(double length, boolean ascii) {
        if (ascii) {
            return "#".repeat((int) Math.round(length));
        }
        int whole = (int) length;
        int eighths = (int) ((length - whole) * 8);
        return "█".repeat(whole) + (eighths == 0 ? "" : EIGHTHS.substring(eighths, eighths + 1));
    }
}
