package dev.heed.view;

import dev.heed.view.Canvas.Anchor;
import dev.heed.view.Canvas.Script;
import dev.heed.view.Canvas.Stroke;
import dev.heed.view.text.TextWidth;
import dev.heed.view.text.VisibleText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The elements that both layouts of a line view share: strokes, labels, captions and the legend. */
final class LineInk {
    static final double MARGIN = 16;
    private static final double KEY_LENGTH = 28;

    private final HeatMap map;
    private final Cells cells;
    private final Links links;
    private final Theme theme;
    private final int focus;
    private final double thickest;

    LineInk(LineView view, double thickest) {
        this.map = view.map();
        this.cells = map.cells()
                .atMost(LineView.MAX_TOKENS, LineView.MAX_TOKENS, map.style().pooling());
        this.focus = view.focused() < 0 ? view.focused() : view.focused() / cells.tileRows();
        this.links = Links.of(cells, focus);
        this.theme = map.style().theme();
        this.thickest = thickest;
    }

    Cells cells() {
        return cells;
    }

    Links links() {
        return links;
    }

    Theme theme() {
        return theme;
    }

    String title() {
        return map.lettering().title();
    }

    String rowAxis() {
        return map.lettering().rowAxis();
    }

    String columnAxis() {
        return map.lettering().columnAxis();
    }

    List<String> rowNames(int columns) {
        return cut(
                HeatMapPanel.names(map.lettering().rows(), cells.rows(), cells.tileRows(), cells.wholeRows()), columns);
    }

    List<String> columnNames(int columns) {
        return cut(
                HeatMapPanel.names(
                        map.lettering().columns(), cells.columns(), cells.tileColumns(), cells.wholeColumns()),
                columns);
    }

    private static List<String> cut(List<String> names, int columns) {
        return names.stream().map(name -> VisibleText.cut(name, columns)).toList();
    }

    static double widest(List<String> names, double font) {
        return names.stream()
                .mapToDouble(name -> TextWidth.of(name, font))
                .max()
                .orElse(0);
    }

    /**
     * {@return a stroke with thickness and opacity proportional to the weight; the opacity in a row in focus starts at
     * 0.35}
     */
    Stroke stroke(double weight) {
        double share = weight / links.strongest();
        return new Stroke(theme.series(0), thickest * share, isFocused() ? 0.35 + 0.65 * share : share);
    }

    String hover(Links.Line line, List<String> rows, List<String> columns) {
        return rows.get(line.from()) + " → " + columns.get(line.to()) + ": " + ValueRange.text(line.weight());
    }

    /** {@return a row's script: bold if the row is in focus} */
    Script rowScript(double font, int row) {
        Script script = Script.of(font, theme.ink());
        return focus == row ? script.semibold() : script;
    }

    /** {@return the weight shown next to a column; empty if no row is in focus or no line ends at the column} */
    String weightBeside(int column) {
        if (focus < 0) {
            return "";
        }
        for (Links.Line line : links.lines()) {
            if (line.to() == column) {
                return String.format(Locale.ROOT, "%.2f", line.weight());
            }
        }
        return "";
    }

    boolean isFocused() {
        return focus >= 0;
    }

    // ---------------------------------------------------------------- above and below

    double headHeight() {
        return MARGIN + (title().isEmpty() ? 0 : 28);
    }

    List<String> captions() {
        List<String> captions = new ArrayList<>(links.notes());
        if (cells.isTiled()) {
            captions.addFirst(cells.note().replace("Each cell", "Each line"));
        }
        return captions;
    }

    /** {@return the minimum width for title, legend and captions} */
    double leastWidth() {
        double title = TextWidth.of(VisibleText.cut(VisibleText.of(title()), 100), 15) * 1.08;
        double captions = captions().stream()
                .mapToDouble(text -> TextWidth.of(text, 11))
                .max()
                .orElse(0);
        return Math.max(3 * (KEY_LENGTH + 48), Math.max(title, captions)) + 2 * MARGIN;
    }

    double footHeight() {
        return 28 + captions().size() * 16 + MARGIN;
    }

    void drawTitle(Canvas canvas) {
        if (!title().isEmpty()) {
            canvas.text(
                    MARGIN,
                    MARGIN + 14,
                    Script.of(15, theme.ink()).semibold(),
                    VisibleText.cut(VisibleText.of(title()), 100));
        }
    }

    /** {@return up to three round weights for the legend, the largest first} */
    private List<Double> keyWeights() {
        List<Double> round = new ValueRange(0, links.strongest())
                .ticks().stream().filter(tick -> tick > 0).toList();
        return Stream.of(round.getLast(), round.get(round.size() / 2), round.getFirst())
                .distinct()
                .toList();
    }

    /** Draws the legend, which is up to three lines with their weights, and the captions. */
    void drawFoot(Canvas canvas, double top) {
        double x = MARGIN;
        double y = top + 18;
        if (!links.lines().isEmpty()) {
            for (double weight : keyWeights()) {
                canvas.line(stroke(weight), x, y, x + KEY_LENGTH, y);
                canvas.text(
                        x + KEY_LENGTH + 5,
                        y + 4,
                        Script.of(11, theme.faint()).at(Anchor.START),
                        ValueRange.tickText(weight));
                x += KEY_LENGTH + 48;
            }
        } else {
            canvas.text(x, y + 4, Script.of(11, theme.faint()), "No weight is above 0.");
        }
        int line = 0;
        for (String caption : captions()) {
            canvas.text(MARGIN, top + 42 + 16 * line++, Script.of(11, theme.faint()), caption);
        }
    }
}
