package dev.heed.view;

import dev.heed.view.Canvas.Script;
import dev.heed.view.Canvas.Stroke;
import dev.heed.view.Plot.Series;
import dev.heed.view.text.TextWidth;
import dev.heed.view.text.VisibleText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The layout of a plot: points and curves in a frame, with a legend above it. */
final class PlotSheet {
    private static final double MARGIN = 16;
    private static final double WIDTH = 520;
    private static final double HEIGHT = 320;
    private static final double KEY_LENGTH = 22;
    private static final double KEY_LINE = 18;

    /** Dash patterns, so that curves also differ in print without colours. */
    private static final double[][] DASHES = {{}, {7, 4}, {2, 3}, {9, 3, 2, 3}, {4, 2}, {12, 4}};

    private final Plot plot;
    private final Theme theme;
    private final List<double[]> keys = new ArrayList<>();
    private final ChartFrame frame;
    private final String title;

    PlotSheet(Plot plot) {
        this.plot = plot;
        this.theme = plot.themeOf();
        this.title = VisibleText.cut(VisibleText.of(plot.titleText()), 70);
        double left = Math.ceil(MARGIN + (plot.yName().isEmpty() ? 0 : 20) + ChartFrame.tickRoom(plot.ys()));
        double head = MARGIN + (title.isEmpty() ? 0 : 28);
        double x = left;
        double y = head + 10;
        for (Series series : plot.series()) {
            double width = KEY_LENGTH + 6 + TextWidth.of(name(series), 12) + 18;
            if (x > left && x + width > left + WIDTH) {
                x = left;
                y += KEY_LINE;
            }
            keys.add(new double[] {x, y});
            x += width;
        }
        double top = plot.series().isEmpty() ? head : y + 14;
        this.frame = new ChartFrame(left, top, WIDTH, HEIGHT, plot.xs(), plot.ys(), theme);
    }

    private static String name(Series series) {
        return VisibleText.cut(VisibleText.of(series.name()), 50);
    }

    Sheet sheet() {
        List<String> captions = captions();
        double below = plot.xName().isEmpty() ? 24 : 42;
        double foot = frame.top() + HEIGHT + below;
        double key = 0;
        for (int i = 0; i < keys.size(); i++) {
            key = Math.max(
                    key,
                    keys.get(i)[0]
                            + KEY_LENGTH
                            + 6
                            + TextWidth.of(name(plot.series().get(i)), 12));
        }
        double captionWidth = captions.stream()
                .mapToDouble(caption -> TextWidth.of(caption, 11))
                .max()
                .orElse(0);
        double inner = Math.max(MARGIN + TextWidth.of(title, 15) * 1.08, MARGIN + captionWidth);
        double width = Math.ceil(Math.max(Math.max(frame.left() + WIDTH + 10, key), inner) + MARGIN);
        double height = Math.ceil(foot + captions.size() * 16 + MARGIN - 6);
        return new Sheet(width, height, title.isEmpty() ? "plot" : title, theme, canvas -> {
            if (!title.isEmpty()) {
                canvas.text(MARGIN, MARGIN + 14, Script.of(15, theme.ink()).semibold(), title);
            }
            frame.drawVertical(canvas);
            frame.drawHorizontal(canvas);
            frame.drawNames(canvas, plot.xName(), plot.yName(), 36);
            for (int i = 0; i < plot.series().size(); i++) {
                draw(canvas, i);
                drawKey(canvas, i);
            }
            for (int i = 0; i < captions.size(); i++) {
                canvas.text(MARGIN, foot + 10 + 16 * i, Script.of(11, theme.faint()), captions.get(i));
            }
        });
    }

    private List<String> captions() {
        List<String> captions = new ArrayList<>();
        int unseen = 0;
        for (Series series : plot.series()) {
            int step = step(series);
            if (step > 1) {
                captions.add("One in " + step + " of the " + series.x().length + " points of " + name(series)
                        + " is drawn.");
            }
            for (int i = 0; i < series.x().length; i++) {
                unseen += isSeen(series, i) ? 0 : 1;
            }
        }
        if (unseen > 0) {
            captions.add(
                    unseen + (unseen == 1 ? " point is" : " points are") + " not drawn: no finite number, or outside.");
        }
        return captions;
    }

    private static int step(Series series) {
        return Math.max(1, -Math.floorDiv(-series.x().length, Plot.MAX_POINTS));
    }

    private boolean isSeen(Series series, int i) {
        double x = series.x()[i];
        double y = series.y()[i];
        return x >= frame.x().low()
                && x <= frame.x().high()
                && y >= frame.y().low()
                && y <= frame.y().high();
    }

    private Stroke stroke(int index) {
        int curve = 0;
        for (int i = 0; i < index; i++) {
            curve += plot.series().get(i).curve() ? 1 : 0;
        }
        return new Stroke(theme.series(index), 2, 1, DASHES[curve % DASHES.length]);
    }

    private void draw(Canvas canvas, int index) {
        Series series = plot.series().get(index);
        int step = step(series);
        if (!series.curve()) {
            for (int i = 0; i < series.x().length; i += step) {
                if (isSeen(series, i)) {
                    String hover = ValueRange.text(series.x()[i]) + ", " + ValueRange.text(series.y()[i]);
                    double x = frame.placeX(series.x()[i]);
                    canvas.dot(x, frame.placeY(series.y()[i]), 3, theme.series(index), 0.7, hover);
                }
            }
            return;
        }
        double[] run = new double[2 * series.x().length];
        int length = 0;
        for (int i = 0; i < series.x().length; i += step) {
            if (isSeen(series, i)) {
                run[length++] = frame.placeX(series.x()[i]);
                run[length++] = frame.placeY(series.y()[i]);
            } else {
                drawRun(canvas, index, run, length);
                length = 0;
            }
        }
        drawRun(canvas, index, run, length);
    }

    private void drawRun(Canvas canvas, int index, double[] run, int length) {
        if (length == 2) {
            canvas.dot(run[0], run[1], 1.5, theme.series(index), 1, null);
        } else if (length > 2) {
            canvas.line(stroke(index), Arrays.copyOf(run, length));
        }
    }

    private void drawKey(Canvas canvas, int index) {
        Series series = plot.series().get(index);
        double x = keys.get(index)[0];
        double y = keys.get(index)[1];
        if (series.curve()) {
            canvas.line(stroke(index), x, y - 4, x + KEY_LENGTH, y - 4);
        } else {
            canvas.dot(x + KEY_LENGTH / 2, y - 4, 3.5, theme.series(index), 0.7, null);
        }
        canvas.text(x + KEY_LENGTH + 6, y, Script.of(12, theme.ink()), name(series));
    }
}
