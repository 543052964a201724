package dev.heed.view;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A whole picture: title, panels in rows, one colour bar on the right, captions below. */
final class SvgPage {
    private static final double MARGIN = 16;
    private static final double BETWEEN = 24;
    private static final double BAR_WIDTH = 12;
    private static final String FONTS =
            "Helvetica, Arial, 'Liberation Sans', 'Noto Sans', 'Noto Sans CJK SC', sans-serif";

    private final List<SvgPanel> panels = new ArrayList<>();
    private final int perRow;
    private final String title;
    private final Palette palette;
    private final ValueRange range;
    private final double[] columnWidths;
    private final double lastBodyWidth;
    private final double[] rowHeights;

    private SvgPage(List<HeatMap> maps, int perRow, String title) {
        HeatMap first = maps.getFirst();
        SvgPanel.Scale scale = maps.size() == 1 ? SvgPanel.Scale.ALONE : SvgPanel.Scale.IN_GRID;
        this.perRow = perRow;
        this.title = title.isEmpty() && maps.size() == 1 ? first.lettering().title() : title;
        this.palette = first.palette();
        boolean rowsShared = maps.stream().allMatch(map -> sameRows(map, first));
        boolean columnsShared = maps.stream().allMatch(map -> sameColumns(map, first));
        for (int i = 0; i < maps.size(); i++) {
            boolean leftmost = i % perRow == 0;
            boolean uppermost = i < perRow;
            panels.add(new SvgPanel(maps.get(i), scale, leftmost || !rowsShared, uppermost || !columnsShared));
        }
        ValueRange given = first.range();
        this.range = given != null
                ? given
                : ValueRange.of(panels.stream().map(SvgPanel::cells).toList());
        this.columnWidths = new double[perRow];
        this.rowHeights = new double[(maps.size() + perRow - 1) / perRow];
        double lastBody = 0;
        for (int i = 0; i < panels.size(); i++) {
            SvgPanel panel = panels.get(i);
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

    static String draw(List<HeatMap> maps, int perRow, String title) {
        return new SvgPage(maps, perRow, title).text();
    }

    private String text() {
        double head = MARGIN + (title.isEmpty() ? 0 : 28);
        double panelsWidth = Arrays.stream(columnWidths).sum() + BETWEEN * (perRow - 1);
        double panelsHeight = Arrays.stream(rowHeights).sum() + BETWEEN * (rowHeights.length - 1);
        double barX = MARGIN + panelsWidth - columnWidths[perRow - 1] + lastBodyWidth + BETWEEN;
        double barY = head + panels.getFirst().top();
        double barHeight = Math.clamp(head + panelsHeight - barY, 90, 260);
        double tickWidth = range.ticks().stream()
                .mapToDouble(tick -> SvgPanel.width(ValueRange.tickText(tick), 11))
                .max()
                .orElse(0);
        List<String> captions = captions();
        String shownTitle = VisibleText.cut(VisibleText.of(title), 100);
        double titleWidth = SvgPanel.width(shownTitle, 15) * 1.08; // bold
        double captionWidth =
                captions.stream().mapToDouble(c -> SvgPanel.width(c, 11)).max().orElse(0);
        double inner = Math.max(panelsWidth, Math.max(titleWidth, captionWidth));
        double width = Math.ceil(MARGIN + Math.max(barX + BAR_WIDTH + 8 + tickWidth, MARGIN + inner));
        double foot = Math.max(head + panelsHeight, barY + barHeight);
        double height = Math.ceil(foot + MARGIN + captions.size() * 16);

        var svg = new SvgText();
        svg.line(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"",
                width,
                "\" height=\"",
                height,
                "\" viewBox=\"0 0 ",
                width,
                " ",
                height,
                "\" role=\"img\" aria-label=\"",
                SvgText.escape(title.isEmpty() ? "heat map" : title),
                "\" font-family=\"",
                FONTS,
                "\" fill=\"#222\">");
        svg.line("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
        drawDefinitions(svg);
        if (!title.isEmpty()) {
            svg.text(
                    SvgText.attributes("x", MARGIN, "y", MARGIN + 14, "font-size", 15.0, "font-weight", "600"),
                    shownTitle);
        }
        drawPanels(svg, head);
        drawBar(svg, barX, barY, barHeight);
        for (int i = 0; i < captions.size(); i++) {
            svg.text(
                    SvgText.attributes("x", MARGIN, "y", foot + 20 + 16 * i, "font-size", 11.0, "fill", "#555"),
                    captions.get(i));
        }
        return svg.add("</svg>\n").toString();
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

    /** Ids carry the palette's name: pictures that end up in one HTML page then agree on what an id means. */
    private void drawDefinitions(SvgText svg) {
        svg.line("<defs>");
        svg.line("<linearGradient id=\"", barId(), "\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">");
        for (int i = 0; i <= 16; i++) {
            double at = i / 16.0;
            svg.line("<stop offset=\"", at * 100, "%\" stop-color=\"", SvgText.colour(palette.rgb(at)), "\"/>");
        }
        svg.line("</linearGradient>");
        svg.line("<pattern id=\"heed-hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
                + "patternTransform=\"rotate(45)\"><rect width=\"5\" height=\"5\" fill=\"#f2f2f2\"/>"
                + "<rect width=\"1.5\" height=\"5\" fill=\"#b0b0b0\"/></pattern>");
        svg.line("</defs>");
    }

    private String barId() {
        return "heed-" + palette.name().toLowerCase(Locale.ROOT);
    }

    private void drawPanels(SvgText svg, double head) {
        double y = head;
        for (int row = 0; row < rowHeights.length; row++) {
            double x = MARGIN;
            for (int i = row * perRow; i < Math.min(panels.size(), (row + 1) * perRow); i++) {
                SvgPanel panel = panels.get(i);
                // Panels of a row stand on one line however tall their labels are.
                panel.draw(svg, x, y + rowHeights[row] - panel.height(), range, palette, "url(#heed-hatch)");
                x += columnWidths[i % perRow] + BETWEEN;
            }
            y += rowHeights[row] + BETWEEN;
        }
    }

    private void drawBar(SvgText svg, double x, double y, double height) {
        svg.line(
                "<rect ",
                SvgText.attributes(
                        "x", x, "y", y, "width", BAR_WIDTH, "height", height, "fill", "url(#" + barId() + ")"),
                " stroke=\"#bbb\"/>");
        svg.line("<g font-size=\"11\" stroke-width=\"1\">");
        for (double tick : range.ticks()) {
            double tickY = y + height * (1 - range.position(tick));
            double end = x + BAR_WIDTH;
            svg.line("<path d=\"M", end, " ", tickY, "h4\" stroke=\"#222\"/>");
            svg.text(SvgText.attributes("x", end + 7, "y", tickY + 4), ValueRange.tickText(tick));
        }
        svg.line("</g>");
    }
}
