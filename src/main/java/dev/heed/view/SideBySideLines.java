package dev.heed.view;

import dev.heed.view.Canvas.Anchor;
import dev.heed.view.Canvas.Script;
import dev.heed.view.text.TextWidth;
import java.util.List;

/** The layout of a line view with rows listed on the left, columns listed on the right, and lines between them. */
final class SideBySideLines {
    private static final int LABEL_COLUMNS = 24;
    private static final double GAP = 8;

    private final LineInk ink;
    private final double pitch;
    private final double font;
    private final List<String> rows;
    private final List<String> columns;

    SideBySideLines(LineView view) {
        int most = Math.max(view.map().cells().rows(), view.map().cells().columns());
        this.pitch = Math.clamp(Math.floor(900.0 / most), 9, 22);
        this.font = Math.min(13, pitch - 2);
        this.ink = new LineInk(view, 0.45 * pitch);
        this.rows = ink.rowNames(LABEL_COLUMNS);
        this.columns = ink.columnNames(LABEL_COLUMNS);
    }

    Sheet sheet() {
        double left = LineInk.MARGIN + Math.max(LineInk.widest(rows, font) * 1.08, TextWidth.of(ink.rowAxis(), 12));
        double reach = Math.clamp(pitch * Math.max(rows.size(), columns.size()) * 0.6, 160, 320);
        double right = Math.ceil(left + 2 * GAP + reach);
        double numbers = ink.isFocused() ? 40 : 0;
        double labels = Math.max(LineInk.widest(columns, font) + numbers, TextWidth.of(ink.columnAxis(), 12));
        double width = Math.ceil(Math.max(ink.leastWidth(), right + labels + LineInk.MARGIN));
        boolean hasAxes = !ink.rowAxis().isEmpty() || !ink.columnAxis().isEmpty();
        double top = ink.headHeight() + (hasAxes ? 24 : 0);
        double tall = pitch * Math.max(rows.size(), columns.size());
        double height = Math.ceil(top + tall + ink.footHeight());
        String name = ink.title().isEmpty() ? "lines of attention" : ink.title();
        return new Sheet(width, height, name, ink.theme(), canvas -> {
            ink.drawTitle(canvas);
            drawAxes(canvas, left, right, top);
            double rowTop = top + (tall - pitch * rows.size()) / 2;
            double columnTop = top + (tall - pitch * columns.size()) / 2;
            double from = Math.ceil(left) + GAP;
            double to = right - GAP;
            double bend = (to - from) * 0.45;
            for (Links.Line line : ink.links().lines()) {
                double y0 = rowTop + (line.from() + 0.5) * pitch;
                double y1 = columnTop + (line.to() + 0.5) * pitch;
                canvas.curve(
                        ink.stroke(line.weight()),
                        ink.hover(line, rows, columns),
                        from,
                        y0,
                        from + bend,
                        y0,
                        to - bend,
                        y1,
                        to,
                        y1);
            }
            for (int row = 0; row < rows.size(); row++) {
                double y = rowTop + (row + 0.5) * pitch + 0.35 * font;
                canvas.text(Math.ceil(left), y, ink.rowScript(font, row).at(Anchor.END), rows.get(row));
            }
            for (int column = 0; column < columns.size(); column++) {
                drawColumn(canvas, right, columnTop, column);
            }
            ink.drawFoot(canvas, top + tall);
        });
    }

    private void drawAxes(Canvas canvas, double left, double right, double top) {
        Script script = Script.of(12, ink.theme().faint());
        if (!ink.rowAxis().isEmpty()) {
            canvas.text(Math.ceil(left), top - 10, script.at(Anchor.END), ink.rowAxis());
        }
        if (!ink.columnAxis().isEmpty()) {
            canvas.text(right, top - 10, script, ink.columnAxis());
        }
    }

    private void drawColumn(Canvas canvas, double right, double columnTop, int column) {
        double y = columnTop + (column + 0.5) * pitch + 0.35 * font;
        canvas.text(right, y, Script.of(font, ink.theme().ink()), columns.get(column));
        String weight = ink.weightBeside(column);
        if (!weight.isEmpty()) {
            double after = right + TextWidth.of(columns.get(column), font) + GAP;
            canvas.text(after, y, Script.of(font - 1, ink.theme().series(0)), weight);
        }
    }
}
