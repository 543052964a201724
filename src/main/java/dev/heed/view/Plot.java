package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A chart of points and curves, such as data and their regression by attention pooling. Immutable; every method returns
 * a new plot.
 *
 * <pre>{@code
 * Plot.blank().points("data", x, y).curve("pooled", grid, estimate).axes("x", "y").svg(Path.of("pooling.svg"));
 * }</pre>
 *
 * <p>Non-finite points are left out, and a curve has a gap at each of them. Series of more than {@value #MAX_POINTS}
 * points are thinned evenly, with a caption.
 */
public final class Plot extends Picture {
    /** Maximum points of a series that are drawn. */
    public static final int MAX_POINTS = 5_000;

    private final List<Series> series;
    private final String title;
    private final String xName;
    private final String yName;
    private final Theme theme;
    private final @Nullable ValueRange xRange;
    private final @Nullable ValueRange yRange;

    /**
     * One series of points.
     *
     * @param curve whether the points are joined by a line
     */
    record Series(String name, boolean curve, double[] x, double[] y) {}

    private Plot(
            List<Series> series,
            String title,
            String xName,
            String yName,
            Theme theme,
            @Nullable ValueRange xRange,
            @Nullable ValueRange yRange) {
        this.series = series;
        this.title = title;
        this.xName = xName;
        this.yName = yName;
        this.theme = theme;
        this.xRange = xRange;
        this.yRange = yRange;
    }

    /** {@return an empty plot} */
    public static Plot blank() {
        return new Plot(List.of(), "", "", "", Theme.LIGHT, null, null);
    }

    /**
     * {@return this plot with one more series of points, whose coordinates are copied}
     *
     * @param name the name of the series
     * @throws InvalidInputException if x and y differ in length
     */
    public Plot points(String name, double[] x, double[] y) {
        return with(name, false, x, y);
    }

    /**
     * {@return this plot with one more curve through points, whose coordinates are copied}
     *
     * @param name the name of the series
     * @throws InvalidInputException if x and y differ in length
     */
    public Plot curve(String name, double[] x, double[] y) {
        return with(name, true, x, y);
    }

    private Plot with(String name, boolean curve, double[] x, double[] y) {
        if (x.length != y.length) {
            throw new InvalidInputException(
                    "Every point must have an x and a y",
                    "the same count of both",
                    x.length + " and " + y.length,
                    "check the sizes");
        }
        List<Series> more = new ArrayList<>(series);
        more.add(new Series(name, curve, x.clone(), y.clone()));
        return new Plot(List.copyOf(more), title, xName, yName, theme, xRange, yRange);
    }

    /** {@return this plot with a title} */
    public Plot title(String title) {
        return new Plot(series, title, xName, yName, theme, xRange, yRange);
    }

    /** {@return this plot with names for its axes} */
    public Plot axes(String x, String y) {
        return new Plot(series, title, x, y, theme, xRange, yRange);
    }

    /** {@return this plot with the background and ink of a theme} */
    public Plot theme(Theme theme) {
        return new Plot(series, title, xName, yName, theme, xRange, yRange);
    }

    /**
     * {@return this plot with a horizontal axis from {@code low} to {@code high}; by default the axis contains all
     * points}
     *
     * @throws InvalidInputException if low is not below high
     */
    public Plot xRange(double low, double high) {
        return new Plot(series, title, xName, yName, theme, new ValueRange(low, high), yRange);
    }

    /**
     * {@return this plot with a vertical axis from {@code low} to {@code high}; by default the axis contains all
     * points}
     *
     * @throws InvalidInputException if low is not below high
     */
    public Plot yRange(double low, double high) {
        return new Plot(series, title, xName, yName, theme, xRange, new ValueRange(low, high));
    }

    /** {@return the picture as lines of text: {@code o} or {@code .} for points, other characters for curves} */
    public String terminal(TerminalColors colors, int width) {
        return TerminalPlot.text(this, colors, width);
    }

    List<Series> series() {
        return series;
    }

    String titleText() {
        return title;
    }

    String xName() {
        return xName;
    }

    String yName() {
        return yName;
    }

    Theme themeOf() {
        return theme;
    }

    ValueRange xs() {
        return xRange != null ? xRange : around(series.stream().map(Series::x).toList());
    }

    ValueRange ys() {
        return yRange != null ? yRange : around(series.stream().map(Series::y).toList());
    }

    /** {@return a range that contains all finite values, with a margin} */
    private static ValueRange around(List<double[]> numbers) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (double[] some : numbers) {
            for (double value : some) {
                if (Double.isFinite(value)) {
                    low = Math.min(low, value);
                    high = Math.max(high, value);
                }
            }
        }
        if (low > high) {
            return new ValueRange(0, 1);
        }
        double room = (high / 2 - low / 2) * 0.08;
        if (room == 0) {
            room = Math.max(Math.abs(low) * 0.5, Double.MIN_NORMAL);
        }
        return new ValueRange(Math.max(-Double.MAX_VALUE, low - room), Math.min(Double.MAX_VALUE, high + room));
    }

    @Override
    Sheet sheet() {
        return new PlotSheet(this).sheet();
    }
}
