package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A matrix of attention weights as a picture: a row for each query, a column for each key, brighter where the weight is
 * larger (Bahdanau et al. 2015, figure 3). Immutable; every method gives a new one.
 *
 * <pre>{@code
 * HeatMap.of(weights).rows(tokens).columns(tokens).title("layer 3, head 1").svg(Path.of("attention.svg"));
 * }</pre>
 *
 * <p>The same map gives the same bytes on every machine. More than {@value #MAX_CELLS} rows or columns are put
 * together into tiles, and a caption says so. What is not a finite number is hatched.
 */
public final class HeatMap extends Picture {
    /** How many rows and columns are drawn; more are put together into tiles. */
    public static final int MAX_CELLS = 256;

    /** The width in columns that {@link #terminal(TerminalColors)} keeps to. */
    public static final int TERMINAL_WIDTH = 100;

    private final Cells cells;
    private final Lettering lettering;
    private final Style style;

    /**
     * How the cells are coloured.
     *
     * @param range what the ends of the palette stand for, or null for what the numbers ask for
     * @param pooling what stands for a tile
     */
    record Style(
            Palette palette,
            Theme theme,
            Pooling pooling,
            @Nullable ValueRange range) {
        static final Style USUAL = new Style(Palette.VIRIDIS, Theme.LIGHT, Pooling.MEAN, null);
    }

    /**
     * What is written around the cells.
     *
     * @param title above all, or empty
     * @param rowAxis what the rows are, or empty
     * @param columnAxis what the columns are, or empty
     * @param rows one label a row, or empty for numbers
     * @param columns one label a column, or empty for numbers
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
     * {@return the heat map of a {@code [rows, columns]} tensor, whose numbers are copied}
     *
     * @throws InvalidInputException if the tensor has not two axes
     */
    public static HeatMap of(Tensor weights) {
        return new HeatMap(Cells.of(weights), Lettering.NONE, Style.USUAL);
    }

    /**
     * {@return the heat map of an array of rows, whose numbers are copied}
     *
     * @throws InvalidInputException if there are no numbers or the rows differ in length
     */
    public static HeatMap of(double[][] weights) {
        return new HeatMap(Cells.of(weights), Lettering.NONE, Style.USUAL);
    }

    /**
     * {@return this map with a label for each row}
     *
     * @throws InvalidInputException if there are more or fewer labels than rows
     */
    public HeatMap rows(List<String> labels) {
        requireCount("row", cells.rows(), labels);
        Lettering l = lettering;
        return with(new Lettering(l.title, l.rowAxis, l.columnAxis, List.copyOf(labels), l.columns));
    }

    /**
     * {@return this map with a label for each column}
     *
     * @throws InvalidInputException if there are more or fewer labels than columns
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

    /** {@return this map with names for what the rows and the columns are, such as "query" and "key"} */
    public HeatMap axes(String rows, String columns) {
        Lettering l = lettering;
        return with(new Lettering(l.title, rows, columns, l.rows, l.columns));
    }

    /** {@return this map in other colours} */
    public HeatMap palette(Palette palette) {
        return with(new Style(palette, style.theme, style.pooling, style.range));
    }

    /** {@return this map on another ground} */
    public HeatMap theme(Theme theme) {
        return with(new Style(style.palette, theme, style.pooling, style.range));
    }

    /** {@return this map with another way to put many numbers into one cell, where there is no room for all} */
    public HeatMap pooling(Pooling pooling) {
        return with(new Style(style.palette, style.theme, pooling, style.range));
    }

    /**
     * {@return this map with the numbers that the ends of the palette stand for}
     *
     * <p>By default it runs from 0 (from the smallest number, where one is negative) to the largest number.
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
                    "Every " + axis + " has one label",
                    count + " labels",
                    labels.size() + " labels",
                    "leave " + axis + "s(...) out for numbers");
        }
    }

    /** {@return the picture as lines of text, {@value #TERMINAL_WIDTH} columns wide at most} */
    public String terminal(TerminalColors colors) {
        return terminal(colors, TERMINAL_WIDTH);
    }

    /** {@return the picture as lines of text of a largest width; larger maps are averaged into tiles} */
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
