package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;

/**
 * A matrix of attention weights as lines from each query to the keys: a line is as thick, and as dense, as its weight is
 * large. Immutable; every method gives a new one.
 *
 * <pre>{@code
 * LineView.of(weights).rows(tokens).columns(tokens).focus(10).svg(Path.of("it.svg"));
 * }</pre>
 *
 * <p>At most the 2 000 strongest lines are drawn, none thinner than a hundredth of the thickest, and a caption says how much
 * of the weight that leaves out. More than {@value #MAX_TOKENS} rows or columns are put together into tiles.
 */
public final class LineView extends Picture {
    /** How many rows and columns are drawn; more are put together into tiles. */
    public static final int MAX_TOKENS = 128;

    static final int NO_FOCUS = -1;

    private final HeatMap map;
    private final boolean stacked;
    private final int focus;

    private LineView(HeatMap map, boolean stacked, int focus) {
        this.map = map;
        this.stacked = stacked;
        this.focus = focus;
    }

    /**
     * {@return the lines of a {@code [rows, columns]} tensor, whose numbers are copied}
     *
     * @throws InvalidInputException if the tensor has not two axes
     */
    public static LineView of(Tensor weights) {
        return new LineView(HeatMap.of(weights), false, NO_FOCUS);
    }

    /**
     * {@return the lines of an array of rows, whose numbers are copied}
     *
     * @throws InvalidInputException if there are no numbers or the rows differ in length
     */
    public static LineView of(double[][] weights) {
        return new LineView(HeatMap.of(weights), false, NO_FOCUS);
    }

    /**
     * {@return this view with a label for each row}
     *
     * @throws InvalidInputException if there are more or fewer labels than rows
     */
    public LineView rows(List<String> labels) {
        return new LineView(map.rows(labels), stacked, focus);
    }

    /**
     * {@return this view with a label for each column}
     *
     * @throws InvalidInputException if there are more or fewer labels than columns
     */
    public LineView columns(List<String> labels) {
        return new LineView(map.columns(labels), stacked, focus);
    }

    /** {@return this view with a title} */
    public LineView title(String title) {
        return new LineView(map.title(title), stacked, focus);
    }

    /** {@return this view with names for what the rows and the columns are, such as "query" and "key"} */
    public LineView axes(String rows, String columns) {
        return new LineView(map.axes(rows, columns), stacked, focus);
    }

    /** {@return this view on another ground} */
    public LineView theme(Theme theme) {
        return new LineView(map.theme(theme), stacked, focus);
    }

    /** {@return this view with another way to put many numbers into one line, where there is no room for all} */
    public LineView pooling(Pooling pooling) {
        return new LineView(map.pooling(pooling), stacked, focus);
    }

    /** {@return this view with rows in a column on the left and columns on the right, the usual way} */
    public LineView sideBySide() {
        return new LineView(map, false, focus);
    }

    /** {@return this view with rows along the top and columns along the bottom, as a sentence is read} */
    public LineView stacked() {
        return new LineView(map, true, focus);
    }

    /**
     * {@return this view with the lines of one row only, and their weights in numbers}
     *
     * @throws InvalidInputException if there is no such row
     */
    public LineView focus(int row) {
        int rows = map.cells().rows();
        if (row < 0 || row >= rows) {
            throw new InvalidInputException(
                    "There is no such row", "0 to " + (rows - 1), String.valueOf(row), "focus(0) is the first");
        }
        return new LineView(map, stacked, row);
    }

    /** {@return the lines of every row} */
    public LineView unfocused() {
        return new LineView(map, stacked, NO_FOCUS);
    }

    /**
     * {@return the picture as lines of text: each row with the three columns that it looks at most, a row in focus with
     * sixteen, and how much goes to the others}
     */
    public String terminal(TerminalColors colors, int width) {
        return new TerminalLines(this, colors, width).text();
    }

    HeatMap map() {
        return map;
    }

    int focused() {
        return focus;
    }

    @Override
    Sheet sheet() {
        return stacked ? new StackedLines(this).sheet() : new SideBySideLines(this).sheet();
    }
}
