package dev.heed.view;

import dev.heed.view.Canvas.Anchor;
import dev.heed.view.Canvas.Script;
import dev.heed.view.text.TextWidth;
import java.util.Arrays;
import java.util.List;

/**
 * The layout of a line view with rows along the top, columns along the bottom, and lines between them. Labels are flat
 * if they fit, otherwise slanted.
 */
final class StackedLines {
    private static final int LABEL_COLUMNS = 24;
    private static final double WIDEST = 1100;
    private static final double REACH = 150;
    private static final double GAP = 7;
    private static final double SLANT = Math.sqrt(0.5);

    private final LineInk ink;
    private final boolean flat;
    private final double font;
    private final List<String> rows;
    private final List<String> columns;
    private final double[] rowMiddles;
    private final double[] columnMiddles;
    private final double span;

    StackedLines(LineView view) {
        int most = Math.max(
                Math.min(LineView.MAX_TOKENS, view.map().cells().rows()),
                Math.min(LineView.MAX_TOKENS, view.map().cells().columns()));
        double pitch = Math.clamp(Math.floor(WIDEST / most), 9, 24);
        this.font = Math.min(13, pitch - 2);
        this.ink = new LineInk(view, 0.45 * Math.min(pitch, 20));
        this.rows = ink.rowNames(LABEL_COLUMNS);
        this.columns = ink.columnNames(LABEL_COLUMNS);
        double[] flatRows = middles(rows, 13);
        double[] flatColumns = middles(columns, 13);
        double flatSpan = Math.max(end(flatRows), end(flatColumns));
        this.flat = flatSpan <= WIDEST;
        this.rowMiddles = flat ? flatRows : even(rows.size(), pitch);
        this.columnMiddles = flat ? flatColumns : even(columns.size(), pitch);
        this.span = Math.max(end(rowMiddles), end(columnMiddles));
    }

    /** {@return the middles of consecutive words, followed by the end of the last word} */
    private static double[] middles(List<String> names, double font) {
        double[] middles = new double[names.size() + 1];
        double at = 0;
        for (int i = 0; i < names.size(); i++) {
            double width = Math.max(18, TextWidth.of(names.get(i), font) * 1.04 + 12);
            middles[i] = at + width / 2;
            at += width;
        }
        middles[names.size()] = at;
        return middles;
    }

    private static double[] even(int count, double pitch) {
        double[] middles = new double[count + 1];
        Arrays.setAll(middles, i -> i < count ? (i + 0.5) * pitch : count * pitch);
        return middles;
    }

    private static double end(double[] middles) {
        return middles[middles.length - 1];
    }

    Sheet sheet() {
        double size = flat ? 13 : font;
        double rowRoom = flat ? size + GAP : (LineInk.widest(rows, size) + size) * SLANT + GAP;
        double columnRoom =
                (flat ? size + GAP : (LineInk.widest(columns, size) + size) * SLANT + GAP) + (ink.isFocused() ? 16 : 0);
        // A slanted label of the first column begins left of the column, and a label of the last row ends right of the
        // row.
        double before = flat ? 0 : Math.max(0, LineInk.widest(columns, size) * SLANT - 4);
        double behind = flat ? 0 : Math.max(0, LineInk.widest(rows, size) * SLANT - 4);
        double axis = 18;
        double left = LineInk.MARGIN + before;
        double width = Math.ceil(Math.max(ink.leastWidth(), left + span + behind + LineInk.MARGIN));
        double top = Math.ceil(ink.headHeight() + (ink.rowAxis().isEmpty() ? 0 : axis) + rowRoom);
        double bottom = top + REACH;
        double foot = bottom + columnRoom + (ink.columnAxis().isEmpty() ? 0 : axis);
        double height = Math.ceil(foot + ink.footHeight());
        String name = ink.title().isEmpty() ? "lines of attention" : ink.title();
        return new Sheet(width, height, name, ink.theme(), canvas -> {
            ink.drawTitle(canvas);
            Script faint = Script.of(12, ink.theme().faint());
            if (!ink.rowAxis().isEmpty()) {
                canvas.text(LineInk.MARGIN, ink.headHeight() + 11, faint, ink.rowAxis());
            }
            if (!ink.columnAxis().isEmpty()) {
                canvas.text(LineInk.MARGIN, foot, faint, ink.columnAxis());
            }
            double rowShift = left + (span - end(rowMiddles)) / 2;
            double columnShift = left + (span - end(columnMiddles)) / 2;
            drawLines(canvas, rowShift, columnShift, top, bottom);
            for (int row = 0; row < rows.size(); row++) {
                Script script = ink.rowScript(size, row);
                double x = rowShift + rowMiddles[row];
                canvas.text(
                        flat ? x : x + 0.1 * size,
                        top - GAP,
                        flat ? script.at(Anchor.MIDDLE) : script.turned(-45),
                        rows.get(row));
            }
            for (int column = 0; column < columns.size(); column++) {
                drawColumn(canvas, columnShift + columnMiddles[column], bottom, columnRoom, size, column);
            }
            ink.drawFoot(canvas, foot);
        });
    }

    private void drawLines(Canvas canvas, double rowShift, double columnShift, double top, double bottom) {
        double bend = (bottom - top) * 0.45;
        for (Links.Line line : ink.links().lines()) {
            double x0 = rowShift + rowMiddles[line.from()];
            double x1 = columnShift + columnMiddles[line.to()];
            canvas.curve(
                    ink.stroke(line.weight()),
                    ink.hover(line, rows, columns),
                    x0,
                    top,
                    x0,
                    top + bend,
                    x1,
                    bottom - bend,
                    x1,
                    bottom);
        }
    }

    private void drawColumn(Canvas canvas, double x, double bottom, double room, double size, int column) {
        Script script = Script.of(size, ink.theme().ink());
        if (flat) {
            canvas.text(x, bottom + GAP + 0.75 * size, script.at(Anchor.MIDDLE), columns.get(column));
        } else {
            canvas.text(
                    x + 0.4 * size,
                    bottom + GAP + 0.5 * size,
                    script.turned(-45).at(Anchor.END),
                    columns.get(column));
        }
        String weight = ink.weightBeside(column);
        if (flat && !weight.isEmpty()) {
            Script small = Script.of(10, ink.theme().series(0)).at(Anchor.MIDDLE);
            canvas.text(x, bottom + room - 3, small, weight);
        }
    }
}
