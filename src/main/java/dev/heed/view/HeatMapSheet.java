package dev.heed.view;

import dev.heed.view.Canvas.Script;
import dev.heed.view.Canvas.Stroke;
import dev.heed.view.text.TextWidth;
import dev.heed.view.text.VisibleText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The layout of a picture of heat maps: title, panels in rows, one colour bar on the right, captions below. */
final class HeatMapSheet {
    private static final double MARGIN = 16;
    private static final double GAP = 24;
    private static final double BAR_WIDTH = 12;

    private final List<HeatMapPanel> panels = new ArrayList<>();
    private final int perRow;
    private final String title;
    private final Palette palette;
    private final Theme theme;
    private final ValueRange range;
    private final double[] columnWidths;
    private final double lastBodyWidth;
    private final double[] rowHeights;

    private HeatMapSheet(List<HeatMap> maps, int perRow, String title) {
        HeatMap first = maps.getFirst();
        HeatMapPanel.Scale scale = maps.size() == 1 ? HeatMapPanel.Scale.ALONE : HeatMapPanel.Scale.IN_GRID;
        this.perRow = perRow;
        this.title = title.isEmpty() && maps.size() == 1 ? first.lettering().title() : title;
        this.palette = first.style().palette();
        this.theme = first.style().theme();
        boolean rowsShared = maps.stream().allMatch(map -> sameRows(map, first));
        boolean columnsShared = maps.stream().allMatch(map -> sameColumns(map, first));
        for (int i = 0; i < maps.size(); i++) {
            boolean leftmost = i % perRow == 0;
            boolean uppermost = i < perRow;
            panels.add(new HeatMapPanel(maps.get(i), scale, leftmost || !rowsShared, uppermost || !columnsShared));
        }
        ValueRange given = first.style().range();
        this.range = given != null
                ? given
                : ValueRange.of(panels.stream().map(HeatMapPanel::cells).toList());
        this.columnWidths = new double[perRow];
        this.rowHeights = new double[(maps.size() + perRow - 1) / perRow];
        double lastBody = 0;
        for (int i = 0; i < panels.size(); i++) {
            HeatMapPanel panel = panels.get(i);
            columnWidths[i % perRow] = Math.max(columnWidths[i % perRow], panel.width());
            rowHeights[i / perRow] = Math.max(rowHeights[i / perRow], panel.height());
            lastBody = i % perRow == perRow - 1 ? Math.max(lastBody, panel.bodyWidth()) : lastBody;
        }
        this.lastBodyWidth = lastBody;
    }

    private static boolean sameRows(HeatMap a, HeatMap b) {
        return a.cells().rows() == b.cells().rows()
                && a.lettering().rows().equals(b.lettering().rows());
    }

    private static boolean sameColumns(HeatMap a, HeatMap b) {
        return a.cells().columns() == b.cells().columns()
                && a.lettering().columns().equals(b.lettering().columns());
    }

    static Sheet of(List<HeatMap> maps, int perRow, String title) {
        return new HeatMapSheet(maps, perRow, title).sheet();
    }

    private Sheet sheet() {
        double head = MARGIN + (title.isEmpty() ? 0 : 28);
        double panelsWidth = Arrays.stream(columnWidths).sum() + GAP * (perRow - 1);
        double panelsHeight = Arrays.stream(rowHeights).sum() + GAP * (rowHeights.length - 1);
        double barX = MARGIN + panelsWidth - columnWidths[perRow - 1] + lastBodyWidth + GAP;
        double barY = head + panels.getFirst().top();
        double barHeight = Math.clamp(head + panelsHeight - barY, 90, 260);
        double tickWidth = range.ticks().stream()
                .mapToDouble(tick -> TextWidth.of(ValueRange.tickText(tick), 11))
                .max()
                .orElse(0);
        List<String> captions = captions();
        String shownTitle = VisibleText.cut(VisibleText.of(title), 100);
        double titleWidth = TextWidth.of(shownTitle, 15) * 1.08; // semibold letters are wider
        double captionWidth =
                captions.stream().mapToDouble(c -> TextWidth.of(c, 11)).max().orElse(0);
        double inner = Math.max(panelsWidth, Math.max(titleWidth, captionWidth));
        double width = Math.ceil(MARGIN + Math.max(barX + BAR_WIDTH + 8 + tickWidth, MARGIN + inner));
        double foot = Math.max(head + panelsHeight, barY + barHeight);
        double height = Math.ceil(foot + MARGIN + captions.size() * 16);

        return new Sheet(width, height, title.isEmpty() ? "heat map" : title, theme, canvas -> {
            if (!title.isEmpty()) {
                canvas.text(MARGIN, MARGIN + 14, Script.of(15, theme.ink()).semibold(), shownTitle);
            }
            drawPanels(canvas, head);
            drawBar(canvas, barX, barY, barHeight);
            for (int i = 0; i < captions.size(); i++) {
                canvas.text(MARGIN, foot + 20 + 16 * i, Script.of(11, theme.faint()), captions.get(i));
            }
        });
    }

    private List<String> captions() {
        List<String> captions = new ArrayList<>(panels.stream()
                .map(panel -> panel.cells().note())
                .filter(note -> !note.isEmpty())
                .distinct()
                .toList());
        if (panels.stream().anyMatch(panel -> panel.cells().hasGaps())) {
            captions.add("Hatched cells hold no finite number.");
        }
        return captions;
    }

    private void drawPanels(Canvas canvas, double head) {
        double y = head;
        for (int row = 0; row < rowHeights.length; row++) {
            double x = MARGIN;
            for (int i = row * perRow; i < Math.min(panels.size(), (row + 1) * perRow); i++) {
                HeatMapPanel panel = panels.get(i);
                // Panels of a row are aligned at the bottom, regardless of the height of their labels.
                panel.draw(canvas, x, y + rowHeights[row] - panel.height(), range, palette, theme);
                x += columnWidths[i % perRow] + GAP;
            }
            y += rowHeights[row] + GAP;
        }
    }

    private void drawBar(Canvas canvas, double x, double y, double height) {
        canvas.bar(x, y, BAR_WIDTH, height, palette, theme.frame());
        for (double tick : range.ticks()) {
            double tickY = y + height * (1 - range.position(tick));
            double end = x + BAR_WIDTH;
            canvas.line(new Stroke(theme.ink(), 1, 1), end, tickY, end + 4, tickY);
            canvas.text(end + 7, tickY + 4, Script.of(11, theme.ink()), ValueRange.tickText(tick));
        }
    }
}
