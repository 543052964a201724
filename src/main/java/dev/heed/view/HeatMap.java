package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A matrix of attention weights as a picture: a row for each query, a column for each key, brighter where the weight is
 * larger (Bahdanau et al. 2015, figure 3). Immutable; every method returns a new map.
 *
 * <pre>{@code
 * HeatMap.of(weights).rows(tokens).columns(tokens).title("layer 3, head 1").svg(Path.of("attention.svg"));
 * }</pre>
 *
 * <p>The same map gives the same bytes on every machine. More than {@value #MAX_CELLS} rows or columns are pooled into
 * tiles, with a caption. Non-finite cells are hatched.
 */
public final class HeatMap extends Picture {
    /** Maximum rows and columns that are drawn; more are pooled into tiles. */
    public static final int MAX_CELLS = 256;

    /** Maximum width of {@link #terminal(TerminalColors)} in columns. */
    public static final int TERMINAL_WIDTH = 100;

    private final Cells cells;
    private final Lettering lettering;
    private final Style style;

    /**
     * The colouring of the cells.
     *
     * @param range the values at the ends of the palette, or null to use the range of the cells
     * @param pooling the pooling of the values in a tile
     */
    record Style(
            Palette palette,
            Theme theme,
            Pooling pooling,
            @Nullable ValueRange range) {
        static final Style USUAL = new Style(Palette.VIRIDIS, Theme.LIGHT, Pooling.MEAN, null);
    }

    /**
     * The texts around the cells.
     *
     * @param title the title, or empty
     * @param rowAxis the name of the row axis, or empty
     * @param columnAxis the name of the column axis, or empty
     * @param rows one label per row, or empty for indices
     * @param columns one label per column, or empty for indices
     */
    record Lettering(String title, String rowAxis, String columnAxis, List<String> rows, List<String> columns) {
        static final Lettering NONE = new Lettering("", "", "", List.of(), List.of());
    }

    private HeatMap(Cells cells, Lettering lettering, Style style) {
        this.cells = cells;
        this.lettering = lettering;
        this.style = style;
    }

    /**
     * {@return the heat map of a {@code [rows, columns]} tensor, whose elements are copied}
     *
     * @throws InvalidInputException if the tensor does not have two axes
     */
    public static HeatMap of(Tensor weights) {
        return new HeatMap(Cells.of(weights), Lettering.NONE, Style.USUAL);
    }

    /**
     * {@return the heat map of an array of rows, whose elements are copied}
     *
     * @throws InvalidInputException if the array is empty or the rows differ in length
     */
    public static HeatMap of(double[][] weights) {
        return new HeatMap(Cells.of(weights), Lettering.NONE, Style.USUAL);
    }

    /**
     * {@return this map with a label for each row}
     *
     * @throws InvalidInputException if the counts of labels and rows differ
     */
    public HeatMap rows(List<String> labels) {
        requireCount("row", cells.rows(), labels);
        Lettering l = lettering;
        return with(new Lettering(l.title, l.rowAxis, l.columnAxis, List.copyOf(labels), l.columns));
    }

    /**
     * {@return this map with a label for each column}
     *
     * @throws InvalidInputException if the counts of labels and columns differ
     */
    public HeatMap columns(List<String> labels) {
        requireCount("column", cells.columns(), labels);
        Lettering l = lettering;
        return with(new Lettering(l.title, l.rowAxis, l.columnAxis, l.rows, List.copyOf(labels)));
    }

    /** {@return this map with a title} */
    public HeatMap title(String title) {
        Lettering l = lettering;
        return with(new Lettering(title, l.rowAxis, l.columnAxis, l.rows, l.columns));
    }

    /** {@return this map with names for the rows and the columns, such as "query" and "key"} */
    public HeatMap axes(String rows, String columns) {
        Lettering l = lettering;
        return with(new Lettering(l.title, rows, columns, l.rows, l.columns));
    }

    /** {@return this map in the colours of a palette} */
    public HeatMap palette(Palette palette) {
        return with(new Style(palette, style.theme, style.pooling, style.range));
    }

    /** {@return this map with the background and ink of a theme} */
    public HeatMap theme(Theme theme) {
        return with(new Style(style.palette, theme, style.pooling, style.range));
    }

    /** {@return this map with a way to pool several values into one cell, used if there are more values than cells} */
    public HeatMap pooling(Pooling pooling) {
        return with(new Style(style.palette, style.theme, pooling, style.range));
    }

    /**
     * {@return this map with {@code low} at the weak end of the palette and {@code high} at the strong end}
     *
     * <p>By default the palette runs from 0, or from the smallest value if it is negative, to the largest value.
     *
     * @throws InvalidInputException if low is not below high
     */
    public HeatMap range(double low, double high) {
        return with(new Style(style.palette, style.theme, style.pooling, new ValueRange(low, high)));
    }

    private HeatMap with(Lettering changed) {
        return new HeatMap(cells, changed, style);
    }

    private HeatMap with(Style changed) {
        return new HeatMap(cells, lettering, changed);
    }

    private static void requireCount(String axis, int count, List<String> labels) {
        if (labels.size() != count) {
            throw new InvalidInputException(
                    "Every " + axis + " must have one label",
                    count + " labels",
                    labels.size() + " labels",
                    "omit " + axis + "s(...) to show indices");
        }
    }

    /** {@return the picture as lines of text, at most {@value #TERMINAL_WIDTH} columns wide} */
    public String terminal(TerminalColors colors) {
        return terminal(colors, TERMINAL_WIDTH);
    }

    /** {@return the picture as lines of text of at most {@code width} columns; larger maps are pooled into tiles} */
    public String terminal(TerminalColors colors, int width) {
        return new TerminalHeatMap(this, colors, width).text();
    }

    Cells cells() {
        return cells;
    }

    Lettering lettering() {
        return lettering;
    }

    Style style() {
        return style;
    }

    @Override
    Sheet sheet() {
        return HeatMapGrid.of(List.of(this)).sheet();
    }
}
