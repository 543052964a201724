package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;

/** Tests profiles and plots: the coordinates of bars and points, and the captions. */
class ChartTest {
    private static double of(Element element, String attribute) {
        return Double.parseDouble(element.getAttribute(attribute));
    }

    @Test
    void barsAreAsHighAsWeights() throws Exception {
        double[] weights = {0.1, 0.4, 0.25, -0.05, Double.NaN};
        var svg = SvgDocument.parse(WeightProfile.of(weights).svg());
        List<Element> bars = svg.elements("rect").stream()
                .filter(rect -> !SvgDocument.hover(rect).isEmpty())
                .toList();
        assertEquals(4, bars.size());
        for (int i = 0; i < 4; i++) {
            assertEquals(Math.abs(weights[i]) / 0.45 * 180, of(bars.get(i), "height"), 0.01);
        }
        double zero = of(bars.get(3), "y");
        assertEquals(zero, of(bars.get(1), "y") + of(bars.get(1), "height"), 0.011, "all stand on zero");
        assertTrue(svg.texts().contains("× stands for what is no finite number."));
        assertEquals("1: 0.4000", SvgDocument.hover(bars.get(1)));
    }

    @Test
    void profilesOfTensors() {
        Tensor weights = Tensor.of(new double[] {0.1, 0.9, 0.5, 0.5}, 2, 2);
        assertEquals(
                WeightProfile.of(0.5, 0.5).svg(),
                WeightProfile.of(weights.select(0, 1)).svg());
        assertThrows(InvalidInputException.class, () -> WeightProfile.of(weights));
        assertThrows(InvalidInputException.class, () -> WeightProfile.of());
        assertThrows(InvalidInputException.class, () -> WeightProfile.of(1, 2).labels(List.of("one")));
    }

    @Test
    void aProfileInATerminal() {
        WeightProfile profile =
                WeightProfile.of(0.5, 0.25).labels(List.of("cat", "注意")).title("t");
        assertEquals("t\n cat ████████████ 0.5000\n注意 ██████ 0.2500\n", profile.terminal(TerminalColors.BLOCKS, 28));
        assertEquals("t\ncat ############# 0.5000\n ?? ####### 0.2500\n", profile.terminal(TerminalColors.ASCII, 28));
    }

    @Test
    void pointsLieWhereTheyAre() throws Exception {
        var svg = SvgDocument.parse(Plot.blank()
                .points("p", new double[] {0, 10, 5}, new double[] {0, 4, 1})
                .xRange(0, 10)
                .yRange(0, 4)
                .svg());
        List<Element> dots = svg.elements("circle").stream()
                .filter(circle -> !SvgDocument.hover(circle).isEmpty())
                .toList();
        assertEquals(520, of(dots.get(1), "cx") - of(dots.get(0), "cx"), 0.01);
        assertEquals(260, of(dots.get(2), "cx") - of(dots.get(0), "cx"), 0.01);
        assertEquals(320, of(dots.get(0), "cy") - of(dots.get(1), "cy"), 0.01);
        assertEquals(80, of(dots.get(0), "cy") - of(dots.get(2), "cy"), 0.01);
        assertEquals("10.00, 4.000", SvgDocument.hover(dots.get(1)));
    }

    @Test
    void whatIsNotDrawnIsCounted() throws Exception {
        double[] many = new double[12_000];
        for (int i = 0; i < many.length; i++) {
            many[i] = i;
        }
        var svg = SvgDocument.parse(Plot.blank()
                .points("many", many, many)
                .curve("gap", new double[] {0, 1, 2, 3, 20_000}, new double[] {0, 1, Double.NaN, 1, 1})
                .xRange(-1, 13_000)
                .svg());
        assertTrue(
                svg.texts()
                        .containsAll(List.of(
                                "One in 3 of the 12000 points of many is drawn.",
                                "2 points are not drawn: no finite number, or outside.")),
                svg.texts().toString());
        assertEquals(
                4_000,
                svg.elements("circle").stream()
                        .filter(c -> !SvgDocument.hover(c).isEmpty())
                        .count());
    }

    @Test
    void misfitsAreRefused() {
        assertThrows(InvalidInputException.class, () -> Plot.blank().points("p", new double[1], new double[2]));
        assertThrows(InvalidInputException.class, () -> Plot.blank().xRange(1, 1));
        double[] x = {0, 1};
        Plot plot = Plot.blank().curve("c", x, new double[] {0, 1});
        String before = plot.svg();
        x[1] = 7;
        assertEquals(before, plot.svg(), "the numbers are copied");
        assertFalse(before.isEmpty());
    }
}
