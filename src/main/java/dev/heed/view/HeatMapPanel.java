package dev.heed.view;

import dev.heed.view.Canvas.Anchor;
import dev.heed.view.Canvas.Script;
import dev.heed.view.text.TextWidth;
import dev.heed.view.text.VisibleText;
import java.util.ArrayList;
import java.util.List;

/**
 * One heat map within a picture: its cells, its labels and their layout.
 *
 * <pre>
 *              column axis
 *        | the / cat / sat /        labels are flat, slanted or vertical, whichever fits
 *   r    +-----+-----+-----+
 *   o the|     |     |     |
 *   w cat|     |     |     |
 * </pre>
 */
final class HeatMapPanel {
    private static final int LABEL_COLUMNS = 24;
    private static final double SLANT = Math.sqrt(0.5);
    private static final double GAP = 6;

    private final HeatMap map;
    private final Cells cells;
    private final double cell;
    private final double font;
    private final List<String> rowNames;
    private final List<String> columnNames;
    private final int rowStep;
    private final int columnStep;
    private final Posture posture;
    private final boolean rowsNamed;
    private final boolean columnsNamed;
    private final String title;

    /** The orientation of column labels. */
    private enum Posture {
        FLAT,
        LEANING,
        STANDING
    }

    /**
     * The maximum number of rows or columns of cells, and sizes in pixels. They are chosen so that a single map fills a
     * text column and many maps fit a page.
     */
    enum Scale {
        ALONE(256, 560, 30, 12),
        IN_GRID(96, 200, 18, 10);

        final int maxCells;
        final double room;
        final double maxCell;
        final double font;

        Scale(int maxCells, double room, double maxCell, double font) {
            this.maxCells = maxCells;
            this.room = room;
            this.maxCell = maxCell;
            this.font = font;
        }
    }

    HeatMapPanel(HeatMap map, Scale scale, boolean rowsNamed, boolean columnsNamed) {
        this.map = map;
        this.cells =
                map.cells().atMost(scale.maxCells, scale.maxCells, map.style().pooling());
        this.cell = Math.clamp(Math.floor(scale.room / Math.max(cells.rows(), cells.columns())), 2, scale.maxCell);
        // The font shrinks with the cells down to 7 px; in cells of less than 8 px it is 9 px, and some labels are left
        // out.
        this.font = cell >= 8 ? Math.min(scale.font, cell - 1) : 9;
        this.rowsNamed = rowsNamed;
        this.columnsNamed = columnsNamed;
        this.title = scale == Scale.IN_GRID ? map.lettering().title() : "";
        HeatMap.Lettering lettering = map.lettering();
        this.rowNames = names(lettering.rows(), cells.rows(), cells.tileRows(), cells.wholeRows());
        this.columnNames = names(lettering.columns(), cells.columns(), cells.tileColumns(), cells.wholeColumns());
        boolean rowsNumbered = lettering.rows().isEmpty();
        boolean columnsNumbered = lettering.columns().isEmpty();
        this.rowStep = step(rowsNumbered, rowsNumbered ? 2 * font : font + 1);
        this.columnStep = step(columnsNumbered, columnsNumbered ? widest(columnNames) + GAP : font + 1);
        this.posture = widest(columnNames) <= cell * columnStep - 2
                ? Posture.FLAT
                : cell * columnStep * SLANT >= font ? Posture.LEANING : Posture.STANDING;
    }

    Cells cells() {
        return cells;
    }

    // ---------------------------------------------------------------- labels

    /** {@return the names of the cells: a tile is named by its first label, or by the index of its first row or column} */
    static List<String> names(List<String> labels, int count, int tile, int whole) {
        List<String> names = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int first = i * tile;
            int last = Math.min(whole, first + tile) - 1;
            if (labels.isEmpty()) {
                names.add(String.valueOf(first));
            } else {
                String name = VisibleText.of(labels.get(first));
                names.add(first == last ? name : name + " …");
            }
        }
        return names;
    }

    /** {@return the number of cells from one label to the next; a round number if the labels are indices} */
    private int step(boolean numbers, double room) {
        int least = (int) Math.ceil(room / cell);
        return numbers ? round(least) : least;
    }

    /** {@return the smallest round number that is at least {@code least}, or {@code least} itself above 100} */
    static int round(int least) {
        int[] round = {1, 2, 5, 10, 20, 25, 50, 100};
        for (int candidate : round) {
            if (candidate >= least) {
                return candidate;
            }
        }
        return least;
    }

    private double widest(List<String> names) {
        return names.stream()
                .mapToDouble(name -> TextWidth.of(VisibleText.cut(name, LABEL_COLUMNS), font))
                .max()
                .orElse(0);
    }

    // ---------------------------------------------------------------- room

    private double plotWidth() {
        return cells.columns() * cell;
    }

    private double plotHeight() {
        return cells.rows() * cell;
    }

    /** {@return the distance from the left edge to the cells, in whole pixels, which keep the cells equal in size} */
    double left() {
        String axis = map.lettering().rowAxis();
        return Math.ceil((rowsNamed ? widest(rowNames) + GAP : 0) + (rowsNamed && !axis.isEmpty() ? 18 : 0));
    }

    /** {@return the distance from the upper edge to the cells, in whole pixels} */
    double top() {
        double names = 0;
        if (columnsNamed) {
            double widest = widest(columnNames);
            names = GAP
                    + switch (posture) {
                        case FLAT -> font;
                        case LEANING -> (widest + font) * SLANT;
                        case STANDING -> widest;
                    };
        }
        return Math.ceil(names)
                + (columnsNamed && !map.lettering().columnAxis().isEmpty() ? 20 : 0)
                + (title.isEmpty() ? 0 : 20);
    }

    /**
     * {@return the width without slanted labels that extend beyond the last column} The colour bar may be below these
     * labels.
     */
    double bodyWidth() {
        double named = title.isEmpty() ? 0 : TextWidth.of(title, 12) - plotWidth();
        return left() + plotWidth() + Math.max(0, named);
    }

    double width() {
        double lean = 0;
        if (columnsNamed && posture == Posture.LEANING) {
            for (int column = 0; column < cells.columns(); column += columnStep) {
                String name = VisibleText.cut(columnNames.get(column), LABEL_COLUMNS);
                lean = Math.max(lean, (column + 0.5) * cell + (TextWidth.of(name, font) + font) * SLANT - plotWidth());
            }
        }
        return Math.max(bodyWidth(), left() + plotWidth() + lean);
    }

    double height() {
        return top() + plotHeight();
    }

    // ---------------------------------------------------------------- ink

    /** Draws the panel with its upper left corner at a position. */
    void draw(Canvas canvas, double x, double y, ValueRange range, Palette palette, Theme theme) {
        double plotX = x + left();
        double plotY = y + top();
        if (!title.isEmpty()) {
            Script script = Script.of(12, theme.ink()).semibold();
            canvas.text(plotX, y + 12, script, VisibleText.cut(VisibleText.of(title), LABEL_COLUMNS * 2));
        }
        if (columnsNamed) {
            drawColumnNames(canvas, plotX, plotY, y + (title.isEmpty() ? 0 : 20), theme.ink());
        }
        if (rowsNamed) {
            drawRowNames(canvas, x, plotX, plotY, theme.ink());
        }
        // Large cells are separated by one pixel of background; small cells touch.
        double side = cell >= 14 ? cell - 1 : cell;
        canvas.cells(plotX, plotY, cells.rows(), cells.columns(), cell, side, new Canvas.CellInk() {
            @Override
            public int colour(int row, int column) {
                double value = cells.at(row, column);
                return Double.isFinite(value) ? palette.rgb(range.position(value)) : Canvas.NONE;
            }

            @Override
            public String hover(int row, int column) {
                return HeatMapPanel.this.hover(row, column) + ": " + ValueRange.text(cells.at(row, column));
            }
        });
        canvas.box(plotX - 0.5, plotY - 0.5, plotWidth() + 1, plotHeight() + 1, Canvas.NONE, theme.frame(), null);
    }

    private String hover(int row, int column) {
        HeatMap.Lettering l = map.lettering();
        String from = l.rows().isEmpty() ? "row " + span(row, cells.tileRows(), cells.wholeRows()) : rowNames.get(row);
        String to = l.columns().isEmpty()
                ? "column " + span(column, cells.tileColumns(), cells.wholeColumns())
                : columnNames.get(column);
        return from + " → " + to;
    }

    private static String span(int index, int tile, int whole) {
        int first = index * tile;
        int last = Math.min(whole, first + tile) - 1;
        return first == last ? String.valueOf(first) : first + "–" + last;
    }

    private void drawRowNames(Canvas canvas, double x, double plotX, double plotY, int ink) {
        Script script = Script.of(font, ink).at(Anchor.END);
        for (int row = 0; row < cells.rows(); row += rowStep) {
            // letters without descenders are centred if their base line is 0.35 of the font size below the middle
            double y = plotY + (row + 0.5) * cell + 0.35 * font;
            canvas.text(plotX - GAP, y, script, VisibleText.cut(rowNames.get(row), LABEL_COLUMNS));
        }
        String axis = map.lettering().rowAxis();
        if (!axis.isEmpty()) {
            Script standing = Script.of(12, ink).at(Anchor.MIDDLE).turned(-90);
            canvas.text(x + 10, plotY + plotHeight() / 2, standing, axis);
        }
    }

    private void drawColumnNames(Canvas canvas, double plotX, double plotY, double axisY, int ink) {
        Script script = Script.of(font, ink);
        for (int column = 0; column < cells.columns(); column += columnStep) {
            double middle = plotX + (column + 0.5) * cell;
            String name = VisibleText.cut(columnNames.get(column), LABEL_COLUMNS);
            switch (posture) {
                case FLAT -> canvas.text(middle, plotY - GAP, script.at(Anchor.MIDDLE), name);
                case LEANING -> canvas.text(middle + 0.1 * font, plotY - GAP, script.turned(-45), name);
                case STANDING -> canvas.text(middle + 0.35 * font, plotY - GAP, script.turned(-90), name);
            }
        }
        String axis = map.lettering().columnAxis();
        if (!axis.isEmpty()) {
            canvas.text(plotX + plotWidth() / 2, axisY + 11, Script.of(12, ink).at(Anchor.MIDDLE), axis);
        }
    }
}
