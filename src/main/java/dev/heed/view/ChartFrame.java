package dev.heed.view;

import dev.heed.view.Canvas.Anchor;
import dev.heed.view.Canvas.Script;
import dev.heed.view.Canvas.Stroke;
import dev.heed.view.text.TextWidth;

/**
 * The frame of a chart: the plot area between two axes, with ticks and grid lines. Positions and lengths are in pixels.
 *
 * @param left the left edge of the plot area
 * @param top the upper edge of the plot area
 * @param width the width of the plot area
 * @param height the height of the plot area
 * @param x the values at the left and right edges of the plot area
 * @param y the values at the lower and upper edges of the plot area
 * @param theme the background and ink colours
 */
record ChartFrame(double left, double top, double width, double height, ValueRange x, ValueRange y, Theme theme) {
    private static final int PARTS = 8;

    double placeX(double value) {
        return left + width * x.position(value);
    }

    double placeY(double value) {
        return top + height * (1 - y.position(value));
    }

    /** {@return the width in pixels of the tick labels of the vertical axis, with a gap to the plot area} */
    static double tickRoom(ValueRange y) {
        return y.ticks(PARTS).stream()
                        .mapToDouble(tick -> TextWidth.of(ValueRange.tickText(tick), 11))
                        .max()
                        .orElse(0)
                + 8;
    }

    /** Draws the grid and tick labels of the vertical axis, and the line of the horizontal axis. */
    void drawVertical(Canvas canvas) {
        for (double tick : y.ticks(PARTS)) {
            double at = placeY(tick);
            canvas.line(new Stroke(theme.gridLine(), 1, 1), left, at, left + width, at);
            Script script = Script.of(11, theme.ink()).at(Anchor.END);
            canvas.text(left - 6, at + 4, script, ValueRange.tickText(tick));
        }
        canvas.line(new Stroke(theme.frame(), 1, 1), left, top + height, left + width, top + height);
    }

    /** Draws the ticks and tick labels of the horizontal axis. */
    void drawHorizontal(Canvas canvas) {
        double base = top + height;
        for (double tick : x.ticks(PARTS)) {
            double at = placeX(tick);
            canvas.line(new Stroke(theme.frame(), 1, 1), at, base, at, base + 4);
            canvas.text(at, base + 16, Script.of(11, theme.ink()).at(Anchor.MIDDLE), ValueRange.tickText(tick));
        }
    }

    /**
     * Draws the names of the axes: the vertical axis on the left, the horizontal axis at distance {@code below} under
     * the plot area.
     */
    void drawNames(Canvas canvas, String xName, String yName, double below) {
        Script script = Script.of(12, theme.ink()).at(Anchor.MIDDLE);
        if (!xName.isEmpty()) {
            canvas.text(left + width / 2, top + height + below, script, xName);
        }
        if (!yName.isEmpty()) {
            canvas.text(left - tickRoom(y) - 10, top + height / 2, script.turned(-90), yName);
        }
    }
}
