package dev.heed.view;

import dev.heed.view.Canvas.Anchor;
import dev.heed.view.Canvas.Script;
import dev.heed.view.text.TextWidth;
import dev.heed.view.text.VisibleText;
import java.util.ArrayList;
import java.util.List;

/** The layout of a weight profile: bars above their labels. */
final class ProfileSheet {
    private static final int LABEL_COLUMNS = 24;
    private static final double MARGIN = 16;
    private static final double WIDTH = 640;
    private static final double HEIGHT = 180;
    private static final double GAP = 7;
    private static final double SLANT = Math.sqrt(0.5);

    private final HeatMap row;
    private final Cells cells;
    private final ValueRange range;
    private final List<String> names;
    private final double pitch;
    private final double font;
    private final int step;
    private final boolean flat;

    ProfileSheet(HeatMap row) {
        this.row = row;
        this.cells = row.cells().atMost(1, WeightProfile.MAX_BARS, row.style().pooling());
        ValueRange given = row.style().range();
        this.range = given != null ? given : ValueRange.of(List.of(cells));
        this.names =
                HeatMapPanel.names(
                                row.lettering().columns(), cells.columns(), cells.tileColumns(), cells.wholeColumns())
                        .stream()
                        .map(name -> VisibleText.cut(name, LABEL_COLUMNS))
                        .toList();
        double widestFlat = LineInk.widest(names, 12) + 10;
        int count = cells.columns();
        double wanted = Math.min(widestFlat, 90);
        this.pitch = count * wanted <= WIDTH
                ? Math.max(wanted, 26)
                : count > 80 ? Math.max(1, Math.floor(WIDTH / count)) : Math.min(26, WIDTH / count);
        this.font = pitch >= 13 ? 12 : 9;
        boolean numbered = row.lettering().columns().isEmpty();
        double room = numbered ? LineInk.widest(names, font) + 10 : font + 2;
        int least = (int) Math.ceil(room / pitch);
        this.step = widestFlat <= pitch ? 1 : numbered ? HeatMapPanel.round(least) : least;
        this.flat = numbered || widestFlat <= pitch;
    }

    Sheet sheet() {
        HeatMap.Lettering text = row.lettering();
        Theme theme = row.style().theme();
        String title = VisibleText.cut(VisibleText.of(text.title()), 100);
        List<String> captions = captions();
        double left = Math.ceil(MARGIN + (text.rowAxis().isEmpty() ? 0 : 18) + ChartFrame.tickRoom(range));
        double before = flat ? 0 : Math.max(0, LineInk.widest(names, font) * SLANT - left + MARGIN);
        double plotLeft = left + Math.ceil(before);
        double plotWidth = pitch * cells.columns();
        double top = MARGIN + (title.isEmpty() ? 4 : 32);
        double labels = flat ? font + GAP : (LineInk.widest(names, font) + font) * SLANT + GAP;
        double axis = text.columnAxis().isEmpty() ? 0 : 20;
        double foot = top + HEIGHT + labels + axis + 4;
        double inner = captions.stream()
                .mapToDouble(caption -> TextWidth.of(caption, 11))
                .max()
                .orElse(0);
        inner = Math.max(inner, TextWidth.of(title, 15) * 1.08);
        double width = Math.ceil(Math.max(plotLeft + plotWidth + MARGIN, inner + 2 * MARGIN));
        double height = Math.ceil(foot + captions.size() * 16 + MARGIN);
        var frame = new ChartFrame(plotLeft, top, plotWidth, HEIGHT, new ValueRange(0, cells.columns()), range, theme);
        return new Sheet(width, height, title.isEmpty() ? "weights" : title, theme, canvas -> {
            if (!title.isEmpty()) {
                canvas.text(MARGIN, MARGIN + 14, Script.of(15, theme.ink()).semibold(), title);
            }
            frame.drawVertical(canvas);
            drawBars(canvas, frame);
            drawLabels(canvas, frame);
            frame.drawNames(canvas, text.columnAxis(), text.rowAxis(), labels + 14);
            for (int i = 0; i < captions.size(); i++) {
                canvas.text(MARGIN, foot + 14 + 16 * i, Script.of(11, theme.faint()), captions.get(i));
            }
        });
    }

    private List<String> captions() {
        List<String> captions = new ArrayList<>();
        if (cells.isTiled()) {
            captions.add("Each bar is the " + cells.pooling().word() + " of " + cells.tileColumns() + " weights ("
                    + cells.wholeColumns() + " in all).");
        }
        if (cells.hasGaps()) {
            captions.add("× stands for what is no finite number.");
        }
        return captions;
    }

    private void drawBars(Canvas canvas, ChartFrame frame) {
        double inset = pitch >= 8 ? pitch * 0.12 : 0;
        double zero = frame.placeY(Math.clamp(0.0, range.low(), range.high()));
        for (int i = 0; i < cells.columns(); i++) {
            double value = cells.at(0, i);
            double x = frame.left() + i * pitch;
            String hover = names.get(i) + ": " + ValueRange.text(value);
            if (Double.isFinite(value)) {
                double end = frame.placeY(Math.clamp(value, range.low(), range.high()));
                canvas.box(
                        x + inset,
                        Math.min(zero, end),
                        pitch - 2 * inset,
                        Math.abs(zero - end),
                        frame.theme().series(0),
                        Canvas.NONE,
                        hover);
            } else {
                Script script = Script.of(11, frame.theme().faint()).at(Anchor.MIDDLE);
                canvas.text(x + pitch / 2, zero - 3, script, "×");
            }
        }
    }

    private void drawLabels(Canvas canvas, ChartFrame frame) {
        double base = frame.top() + frame.height();
        Script script = Script.of(font, frame.theme().ink());
        for (int i = 0; i < names.size(); i += step) {
            double x = frame.left() + (i + 0.5) * pitch;
            if (flat) {
                canvas.text(x, base + GAP + 0.75 * font, script.at(Anchor.MIDDLE), names.get(i));
            } else {
                canvas.text(
                        x + 0.4 * font,
                        base + GAP + 0.5 * font,
                        script.turned(-45).at(Anchor.END),
                        names.get(i));
            }
        }
    }
}
