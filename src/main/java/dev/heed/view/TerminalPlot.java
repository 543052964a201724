package dev.heed.view;

import dev.heed.view.Plot.Series;
import dev.heed.view.text.VisibleText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A formatter of a plot as lines of text. */
final class TerminalPlot {
    private static final int HEIGHT = 20;
    private static final String POINTS = "o.";
    private static final String CURVES = "*+x#%@";

    private TerminalPlot() {}

    static String text(Plot plot, TerminalColors colors, int width) {
        boolean ascii = colors == TerminalColors.ASCII;
        ValueRange xs = plot.xs();
        ValueRange ys = plot.ys();
        String high = ValueRange.tickText(ys.high());
        String low = ValueRange.tickText(ys.low());
        int labels = Math.max(high.length(), low.length());
        int room = Math.max(16, Math.min(100, width - labels - 2));
        char[][] plane = new char[HEIGHT][room];
        for (char[] line : plane) {
            Arrays.fill(line, ' ');
        }
        List<String> keys = new ArrayList<>();
        int points = 0;
        int curves = 0;
        for (Series series : plot.series()) {
            char sign = series.curve()
                    ? CURVES.charAt(curves++ % CURVES.length())
                    : POINTS.charAt(points++ % POINTS.length());
            keys.add(sign + " " + series.name());
            for (int i = 0; i < series.x().length; i++) {
                double x = xs.position(series.x()[i]);
                double y = ys.position(series.y()[i]);
                if (x >= 0 && x <= 1 && y >= 0 && y <= 1) {
                    plane[(int) Math.round((1 - y) * (HEIGHT - 1))][(int) Math.round(x * (room - 1))] = sign;
                }
            }
        }
        var out = new StringBuilder();
        if (!plot.titleText().isEmpty()) {
            out.append(TerminalHeatMap.legible(plot.titleText(), width, ascii)).append('\n');
        }
        for (int line = 0; line < HEIGHT; line++) {
            String label = line == 0 ? high : line == HEIGHT - 1 ? low : "";
            out.append(VisibleText.padLeft(label, labels)).append(" |");
            out.append(new String(plane[line]).stripTrailing()).append('\n');
        }
        String left = ValueRange.tickText(xs.low());
        String right = ValueRange.tickText(xs.high());
        out.append(" ".repeat(labels + 1))
                .append('+')
                .append("-".repeat(room - 1))
                .append('\n');
        out.append(" ".repeat(labels + 2)).append(left);
        out.append(" ".repeat(Math.max(1, room - 1 - left.length() - right.length())))
                .append(right)
                .append('\n');
        keys.forEach(
                key -> out.append(TerminalHeatMap.legible(key, width, ascii)).append('\n'));
        return out.toString();
    }
}
