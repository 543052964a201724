package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;

/**
 * A matrix of attention weights drawn as lines from each query to the keys; the thickness of a line is proportional to
 * its weight, and the opacity grows with the weight. Immutable; every method returns a new view.
 *
 * <pre>{@code
 * LineView.of(weights).rows(tokens).columns(tokens).focus(10).svg(Path.of("it.svg"));
 * }</pre>
 *
 * <p>At most the 2 000 strongest lines are drawn, none thinner than a hundredth of the thickest, and a caption states
 * the share of the weight left out. More than {@value #MAX_TOKENS} rows or columns are pooled into tiles.
 */
public final class LineView extends Picture {
    /** Maximum rows and columns that are drawn; more are pooled into tiles. */
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
     * {@return the lines of a {@code [rows, columns]} tensor, whose elements are copied}
     *
     * @throws InvalidInputException if the tensor does not have two axes
     */
    public static LineView of(Tensor weights) {
        return new LineView(HeatMap.of(weights), false, NO_FOCUS);
    }

    /**
     * {@return the lines of an array of rows, whose elements are copied}
     *
     * @throws InvalidInputException if the array is empty or the rows differ in length
     */
    public static LineView of(double[][] weights) {
        return new LineView(HeatMap.of(weights), false, NO_FOCUS);
    }

    /**
     * {@return this view with a label for each row}
     *
     * @throws InvalidInputException if the counts of labels and rows differ
     */
    public LineView rows(List<String> labels) {
        return new LineView(map.rows(labels), stacked, focus);
    }

    /**
     * {@return this view with a label for each column}
     *
     * @throws InvalidInputException if the counts of labels and columns differ
     */
    public LineView columns(List<String> labels) {
        return new LineView(map.columns(labels), stacked, focus);
    }

    /** {@return this view with a title} */
    public LineView title(String title) {
        return new LineView(map.title(title), stacked, focus);
    }

    /** {@return this view with names for the rows and the columns, such as "query" and "key"} */
    public LineView axes(String rows, String columns) {
        return new LineView(map.axes(rows, columns), stacked, focus);
    }

    /** {@return this view with the background and ink of a theme} */
    public LineView theme(Theme theme) {
        return new LineView(map.theme(theme), stacked, focus);
    }

    /** {@return this view with a way to pool several values into one line, used if there are too many rows or columns} */
    public LineView pooling(Pooling pooling) {
        return new LineView(map.pooling(pooling), stacked, focus);
    }

    /** {@return this view with rows listed on the left and columns listed on the right, the default} */
    public LineView sideBySide() {
        return new LineView(map, false, focus);
    }

    /** {@return this view with rows along the top and columns along the bottom, like lines of text} */
    public LineView stacked() {
        return new LineView(map, true, focus);
    }

    /**
     * {@return this view with only the lines of one row, and their weights as numbers}
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

    /** {@return this view with the lines of every row} */
    public LineView unfocused() {
        return new LineView(map, stacked, NO_FOCUS);
    }

    /**
     * {@return the picture as lines of text: each row with its three most attended columns (a row in focus with
     * sixteen) and the sum of its other weights}
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
