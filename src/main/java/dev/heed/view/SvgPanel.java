package dev.heed.view;

import java.util.ArrayList;
import java.util.List;

/**
 * One heat map within a picture: its cells, its labels and the room they take.
 *
 * <pre>
 *              column axis
 *        | the / cat / sat /        labels lie flat, lean or stand, whichever still fits
 *   r    +-----+-----+-----+
 *   o the|     |     |     |
 *   w cat|     |     |     |
 * </pre>
 */
final class SvgPanel {
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

    /** How column labels are written. */
    private enum Posture {
        FLAT,
        LEANING,
        STANDING
    }

    /** Sizes in pixels, so that a single map fills a column of text and many fit a page. */
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

    SvgPanel(HeatMap map, Scale scale, boolean rowsNamed, boolean columnsNamed) {
        this.map = map;
        this.cells = map.cells().atMost(scale.maxCells, scale.maxCells);
        this.cell = Math.clamp(Math.floor(scale.room / Math.max(cells.rows(), cells.columns())), 2, scale.maxCell);
        // Text shrinks with the cells down to 7 px; below that, labels are left out instead.
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

    /** A tile is called by its first label, or by the numbers it spans. */
    private static List<String> names(List<String> labels, int count, int tile, int whole) {
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

    /** {@return every how many cells a label is written} Numbers are written at round distances. */
    private int step(boolean numbers, double room) {
        int least = (int) Math.ceil(room / cell);
        if (!numbers) {
            return least;
        }
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
                .mapToDouble(name -> width(VisibleText.cut(name, LABEL_COLUMNS), font))
                .max()
                .orElse(0);
    }

    /** {@return about how wide a sans-serif face sets a text, on the generous side} */
    static double width(String text, double font) {
        return font
                * text.codePoints()
                        .mapToDouble(c -> {
                            int columns = VisibleText.columns(c);
                            if (columns != 1) {
                                return columns / 2.0;
                            }
                            return "iljtfI.,:;'|!()[] ".indexOf(c) >= 0
                                    ? 0.34
                                    : "mwMW@%".indexOf(c) >= 0 ? 0.9 : Character.isUpperCase(c) ? 0.7 : 0.57;
                        })
                        .sum();
    }

    // ---------------------------------------------------------------- room

    private double plotWidth() {
        return cells.columns() * cell;
    }

    private double plotHeight() {
        return cells.rows() * cell;
    }

    /** {@return the distance from the left edge to the cells} Whole pixels keep the cells equally large. */
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

    /** {@return the width without labels that lean beyond the last column} Below them a neighbour may stand closer. */
    double bodyWidth() {
        double named = title.isEmpty() ? 0 : width(title, 12) - plotWidth();
        return left() + plotWidth() + Math.max(0, named);
    }

    double width() {
        double lean = 0;
        if (columnsNamed && posture == Posture.LEANING) {
            for (int column = 0; column < cells.columns(); column += columnStep) {
                String name = VisibleText.cut(columnNames.get(column), LABEL_COLUMNS);
                lean = Math.max(lean, (column + 0.5) * cell + (width(name, font) + font) * SLANT - plotWidth());
            }
        }
        return Math.max(bodyWidth(), left() + plotWidth() + lean);
    }

    double height() {
        return top() + plotHeight();
    }

    // ---------------------------------------------------------------- ink

    /** Draws the panel with its upper left corner at a place; {@code hatch} is the fill of what is no number. */
    void draw(SvgText svg, double x, double y, ValueRange range, Palette palette, String hatch) {
        double plotX = x + left();
        double plotY = y + top();
        if (!title.isEmpty()) {
            svg.text(
                    SvgText.attributes("x", plotX, "y", y + 12, "font-size", 12.0, "font-weight", "600"),
                    VisibleText.cut(title, LABEL_COLUMNS * 2));
        }
        if (columnsNamed) {
            drawColumnNames(svg, plotX, plotY, y + (title.isEmpty() ? 0 : 20));
        }
        if (rowsNamed) {
            drawRowNames(svg, x, plotX, plotY);
        }
        drawCells(svg, plotX, plotY, range, palette, hatch);
    }

    private void drawCells(SvgText svg, double plotX, double plotY, ValueRange range, Palette palette, String hatch) {
        // Roomy cells are set apart by a hair of white; dense ones touch, without anti-aliasing between them.
        double side = cell >= 14 ? cell - 1 : cell;
        svg.line("<g transform=\"translate(", plotX, " ", plotY, ")\" shape-rendering=\"crispEdges\">");
        for (int row = 0; row < cells.rows(); row++) {
            for (int column = 0; column < cells.columns(); column++) {
                double value = cells.at(row, column);
                String fill = Double.isFinite(value) ? SvgText.colour(palette.rgb(range.position(value))) : hatch;
                svg.add("<rect x=\"", column * cell, "\" y=\"", row * cell, "\" width=\"", side);
                svg.add("\" height=\"", side, "\" fill=\"", fill, "\"><title>");
                svg.line(hover(row, column), ": ", ValueRange.text(value), "</title></rect>");
            }
        }
        svg.line("</g>");
        svg.line(
                "<rect ",
                SvgText.attributes(
                        "x", plotX - 0.5, "y", plotY - 0.5, "width", plotWidth() + 1, "height", plotHeight() + 1),
                " fill=\"none\" stroke=\"#bbb\"/>");
    }

    private String hover(int row, int column) {
        HeatMap.Lettering l = map.lettering();
        String from = l.rows().isEmpty()
                ? "row " + span(row, cells.tileRows(), cells.wholeRows())
                : SvgText.escape(rowNames.get(row));
        String to = l.columns().isEmpty()
                ? "column " + span(column, cells.tileColumns(), cells.wholeColumns())
                : SvgText.escape(columnNames.get(column));
        return from + " → " + to;
    }

    private static String span(int index, int tile, int whole) {
        int first = index * tile;
        int last = Math.min(whole, first + tile) - 1;
        return first == last ? String.valueOf(first) : first + "–" + last;
    }

    private void drawRowNames(SvgText svg, double x, double plotX, double plotY) {
        svg.line("<g text-anchor=\"end\" font-size=\"", font, "\">");
        for (int row = 0; row < cells.rows(); row += rowStep) {
            // 0.35 of the size below the middle centres letters without descenders
            svg.text(
                    SvgText.attributes("x", plotX - GAP, "y", plotY + (row + 0.5) * cell + 0.35 * font),
                    VisibleText.cut(rowNames.get(row), LABEL_COLUMNS));
        }
        svg.line("</g>");
        String axis = map.lettering().rowAxis();
        if (!axis.isEmpty()) {
            String place = "translate(" + SvgText.number(x + 10) + " " + SvgText.number(plotY + plotHeight() / 2)
                    + ") rotate(-90)";
            svg.text(SvgText.attributes("transform", place, "text-anchor", "middle", "font-size", 12.0), axis);
        }
    }

    private void drawColumnNames(SvgText svg, double plotX, double plotY, double axisY) {
        String anchor = posture == Posture.FLAT ? "middle" : "start";
        svg.line("<g text-anchor=\"", anchor, "\" font-size=\"", font, "\">");
        for (int column = 0; column < cells.columns(); column += columnStep) {
            double middle = plotX + (column + 0.5) * cell;
            String place = switch (posture) {
                case FLAT -> SvgText.attributes("x", middle, "y", plotY - GAP);
                case LEANING -> turned(middle + 0.1 * font, plotY - GAP, -45);
                case STANDING -> turned(middle + 0.35 * font, plotY - GAP, -90);
            };
            svg.text(place, VisibleText.cut(columnNames.get(column), LABEL_COLUMNS));
        }
        svg.line("</g>");
        String axis = map.lettering().columnAxis();
        if (!axis.isEmpty()) {
            double middle = plotX + plotWidth() / 2;
            svg.text(
                    SvgText.attributes("x", middle, "y", axisY + 11, "text-anchor", "middle", "font-size", 12.0), axis);
        }
    }

    private static String turned(double x, double y, int degrees) {
        return "transform=\"translate(" + SvgText.number(x) + " " + SvgText.number(y) + ") rotate(" + degrees + ")\"";
    }
}
