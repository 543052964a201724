package dev.heed.cli.console;

import dev.heed.view.text.VisibleText;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * A table of text whose columns are as wide as their widest entry, at most {@value #MAX_COLUMN} terminal columns except
 * for the last column. Columns of numbers are flush right, other columns are flush left.
 */
public final class TextTable {
    private static final int MAX_COLUMN = 120;

    private final List<List<String>> rows = new ArrayList<>();

    public TextTable(String... header) {
        rows.add(List.of(header));
    }

    public TextTable row(String... entries) {
        rows.add(List.of(entries));
        return this;
    }

    public void print(PrintWriter out) {
        int columns = rows.getFirst().size();
        int[] widths = new int[columns];
        boolean[] numbers = new boolean[columns];
        for (int column = 0; column < columns; column++) {
            numbers[column] = rows.size() > 1;
            for (int row = 0; row < rows.size(); row++) {
                String entry = visible(rows.get(row).get(column));
                int most =
                        column == columns - 1 ? Integer.MAX_VALUE : MAX_COLUMN; // the last column may be of any width
                widths[column] = Math.max(widths[column], Math.min(most, VisibleText.columns(entry)));
                numbers[column] &= row == 0 || entry.matches("-|-?[0-9][0-9.eE+-]*( ?[%x]| [a-zA-Zµ/]+)?");
            }
        }
        for (List<String> row : rows) {
            var line = new StringBuilder();
            for (int column = 0; column < columns; column++) {
                String entry = visible(row.get(column));
                line.append(column == 0 ? "" : "  ")
                        .append(
                                numbers[column]
                                        ? VisibleText.padLeft(entry, widths[column])
                                        : VisibleText.padRight(entry, widths[column]));
            }
            out.println(line.toString().stripTrailing());
        }
    }

    private static String visible(String entry) {
        return VisibleText.of(entry);
    }
}
