package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;

class LineViewTest {
    private static List<Element> lines(SvgDocument svg) {
        return svg.elements("path").stream()
                .filter(path -> !SvgDocument.hover(path).isEmpty())
                .toList();
    }

    private static double weight(Element line) {
        return Double.parseDouble(SvgDocument.hover(line).replaceAll(".*: ", ""));
    }

    private static double of(Element line, String attribute) {
        String value = line.getAttribute(attribute);
        return value.isEmpty() ? 1 : Double.parseDouble(value);
    }

    private static final double[][] FOUR = {
        {0.7, 0.2, 0.06, 0.04}, {0, 1, 0, 0}, {0, 0, 0, 0}, {Double.NaN, 0.25, 0.5, 0.25}
    };

    @Test
    void inATerminalEachRowLooksAtItsStrongestColumns() {
        LineView view =
                LineView.of(FOUR).rows(List.of("the", "cat", "猫", "<b>\n")).columns(List.of("a", "b", "c", "d"));
        assertEquals("""
                  the ########    a 0.7000
                      --          b 0.2000
                      -           c 0.06000  + 0.04000 on 1 other
                  cat ########### b 1.000
                    ? looks at nothing
                <b>\\n ======      c 0.5000
                      ---         b 0.2500
                      ---         d 0.2500
                """, view.terminal(TerminalColors.ASCII, 30));
        assertTrue(view.terminal(TerminalColors.BLOCKS, 30).contains("  猫 looks at nothing"));
        assertEquals(
                1, view.focus(1).terminal(TerminalColors.BLOCKS, 30).lines().count());
        String painted = view.terminal(TerminalColors.TRUE_COLOR, 30);
        assertEquals(7, painted.split("\u001b\\[48;2;", -1).length - 1, "seven lines");
        assertEquals(7, painted.split("\u001b\\[0m", -1).length - 1, "and each ends its paint");
    }

    @Test
    void aTerminalShowsManyRowsTogether() {
        String text = LineView.of(Tensor.zeros(DType.F32, 1000, 3).fill(0.25)).terminal(TerminalColors.ASCII, 80);
        assertTrue(text.lines().count() <= 3 * 64 + 1, text);
        assertTrue(text.contains("0.25"), text);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void linesAreAsThickAndDenseAsTheirWeights(boolean stacked) throws Exception {
        var random = new Random(5);
        double[][] weights = new double[6][8];
        for (double[] row : weights) {
            for (int i = 0; i < row.length; i++) {
                row[i] = random.nextDouble();
            }
        }
        LineView view = LineView.of(weights);
        List<Element> lines = lines(SvgDocument.parse((stacked ? view.stacked() : view).svg()));
        assertTrue(lines.size() >= 46, lines.size() + " lines");
        double strongest = weight(lines.getLast());
        double thickest = of(lines.getLast(), "stroke-width");
        for (Element line : lines) {
            double share = weight(line) / strongest;
            assertEquals(share * thickest, of(line, "stroke-width"), 0.01, SvgDocument.hover(line));
            assertEquals(share, of(line, "stroke-opacity"), 0.001, SvgDocument.hover(line));
        }
        assertEquals(
                lines.stream().map(LineViewTest::weight).toList(),
                lines.stream()
                        .map(LineViewTest::weight)
                        .sorted(Comparator.naturalOrder())
                        .toList(),
                "strong lines lie on top");
    }

    @Test
    void linesEndAtTheirTokens() throws Exception {
        var svg = SvgDocument.parse(LineView.of(new double[][] {{0, 1}, {0.5, 0}})
                .rows(List.of("a", "b"))
                .columns(List.of("x", "y"))
                .svg());
        List<Element> lines = lines(svg);
        assertEquals(
                List.of("b → x: 0.5000", "a → y: 1.000"),
                lines.stream().map(SvgDocument::hover).toList());
        assertTrue(
                lines.getFirst().getAttribute("d").matches("M\\S+ 49C.* 27"),
                lines.getFirst().getAttribute("d"));
        assertTrue(
                lines.getLast().getAttribute("d").matches("M\\S+ 27C.* 49"),
                lines.getLast().getAttribute("d"));
    }

    @Test
    void focusDrawsOneRowWithItsNumbers() throws Exception {
        var svg = SvgDocument.parse(LineView.of(new double[][] {{0.25, 0.75}, {0.5, 0.5}})
                .focus(0)
                .svg());
        assertEquals(2, lines(svg).size());
        assertTrue(svg.texts().containsAll(List.of("0.25", "0.75")), svg.texts().toString());
        assertThrows(
                InvalidInputException.class, () -> LineView.of(new double[1][1]).focus(1));
        assertThrows(
                InvalidInputException.class, () -> LineView.of(new double[1][1]).focus(-1));
    }

    @Test
    void whatIsLeftOutIsCounted() throws Exception {
        double[][] weights = new double[100][100];
        for (int row = 0; row < 100; row++) {
            for (int column = 0; column < 100; column++) {
                weights[row][column] = row == column ? 0.901 : 0.001;
            }
        }
        weights[0][0] = Double.NaN;
        var svg = SvgDocument.parse(LineView.of(weights).svg());
        assertEquals(99, lines(svg).size());
        assertTrue(
                svg.texts()
                        .containsAll(List.of(
                                "Weights below 0.9010 are not drawn: 10 % of the whole.",
                                "1 value is no finite number and not drawn.")),
                svg.texts().toString());
        double[][] dense = new double[100][100];
        for (double[] row : dense) {
            java.util.Arrays.fill(row, 0.01);
        }
        var cut = SvgDocument.parse(LineView.of(dense).svg());
        assertEquals(2000, lines(cut).size());
        assertTrue(
                cut.texts().contains("Only the 2000 strongest weights are drawn; 80 % of the whole is not."),
                cut.texts().toString());
    }

    @Test
    void largeOnesAreTiled() throws Exception {
        var svg = SvgDocument.parse(
                LineView.of(Tensor.of(new float[256 * 129], 256, 129)).svg());
        assertTrue(
                svg.texts().contains("Each line is the mean of 2 × 2 values (256 × 129 in all)."),
                svg.texts().toString());
        assertTrue(svg.texts().contains("No weight is above 0."));
    }
}
