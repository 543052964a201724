package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests the layers and heads of a page: their selection, mixtures of heads, rollout, and the view of all heads. */
@Tag("slow")
class PageHeadsBrowserTest extends PageInBrowser {
    @Test
    void headsAndLayersAreChosen() throws IOException {
        browser.open(page, "#pin=q10");
        browser.click("[aria-label='layer 0, head 2']");
        assertEquals("#heads=0.2&pin=q10", hash());
        assertEquals(weight(0, 2, IT, 9), weightOf(lines(), 9), 2e-5);
        browser.click("[aria-label='layer 5, head 11']", true);
        assertEquals("#heads=0.2,5.11&pin=q10", hash());
        assertEquals((weight(0, 2, IT, 9) + weight(5, 11, IT, 9)) / 2, weightOf(lines(), 9), 2e-5);
        for (String mix : List.of("max", "sum")) {
            choose("mix", mix);
            double a = weight(0, 2, IT, ANIMAL);
            double b = weight(5, 11, IT, ANIMAL);
            assertEquals(mix.equals("max") ? Math.max(a, b) : a + b, weightOf(lines(), ANIMAL), 4e-5, mix);
        }
        choose("mix", "each");
        assertEquals(
                2,
                texts("[...new Set([...document.querySelectorAll('#sheet path')].map(p => p.getAttribute('stroke')))]")
                        .size(),
                "a colour for each head");
        screen("lines-each");
        browser.click("[aria-label='all heads of layer 3']");
        assertEquals("#heads=3&mix=each&pin=q10", hash());
        browser.click("[aria-label='head 1 of all layers']");
        assertEquals("#heads=0.1,1.1,2.1,3.1,4.1,5.1&mix=each&pin=q10", hash());
        screen("lines-six-heads");
    }

    @Test
    void rolloutIsTheProductOfTheLayers() throws IOException {
        browser.open(page, "#heads=2&mix=rollout&pin=q10");
        screen("lines-rollout");
        double[][] product = null;
        for (int layer = 0; layer <= 2; layer++) {
            double[][] next = new double[16][16];
            for (int i = 0; i < 16; i++) {
                for (int k = 0; k < 16; k++) {
                    double mean = 0;
                    for (int head = 0; head < 12; head++) {
                        mean += weight(layer, head, i, k) / 12;
                    }
                    double step = 0.5 * mean + (i == k ? 0.5 : 0);
                    for (int j = 0; j < 16; j++) {
                        next[i][j] += step * (product == null ? (k == j ? 1 : 0) : product[k][j]);
                    }
                }
            }
            product = next;
        }
        List<Line> lines = lines();
        assertEquals(16, lines.size());
        for (Line line : lines) {
            assertEquals(product[IT][line.to()], line.weight(), 1e-4, line.toString());
        }
    }

    // ---------------------------------------------------------------- all heads at once

    private static final String IMAGES = "[...document.querySelectorAll('#sheet [data-cell] image')]";

    @Test
    void allHeadsAtOnce() throws IOException {
        browser.open(page, "#view=heads");
        screen("heads");
        assertEquals(72, count("#sheet [data-cell]"));
        assertEquals(0, count("#sheet [data-cell] path"), "lines would overlap");
        assertTrue(
                browser.js("document.querySelector('[data-box]').getBBox().width")
                                .getAsDouble()
                        >= 70,
                "a cell is at least 70 units wide");
        assertTrue(said().contains("Each cell is one weight."), said());
        assertTrue(
                said().contains("1.000; half-way 0.250, by the square root"),
                "the strongest weight of all is 1, and the colours are proportional to square roots: " + said());
        browser.click("[data-cell='5.11']");
        assertEquals("#heads=5.11", hash(), "a head opens as lines");
    }

    /** {@return the caption below the small pictures} */
    private static String said() {
        return String.join(
                " ", texts("[...document.querySelectorAll('#sheet [data-said] text')].map(t => t.textContent)"));
    }

    private static int count(String selector) {
        return browser.js("document.querySelectorAll('" + selector + "').length")
                .getAsInt();
    }

    @Test
    void everySmallHeatMapIsBrighterWhereTheWeightIsLarger() throws IOException {
        browser.open(page, "#view=heads");
        List<BufferedImage> maps = images();
        assertEquals(72, maps.size());
        for (int i = 0; i < maps.size(); i++) {
            int layer = i / 12;
            int head = i % 12;
            BufferedImage map = maps.get(i);
            assertEquals(List.of(16, 16), List.of(map.getWidth(), map.getHeight()));
            List<double[]> cells = new ArrayList<>();
            for (int row = 0; row < 16; row++) {
                for (int column = 0; column < 16; column++) {
                    cells.add(new double[] {weight(layer, head, row, column), light(map.getRGB(column, row))});
                }
            }
            cells.sort(Comparator.comparingDouble(cell -> cell[0]));
            for (int c = 1; c < cells.size(); c++) {
                assertTrue(
                        cells.get(c)[1] >= cells.get(c - 1)[1] - 1.5, "layer " + layer + ", head " + head + ": " + c);
            }
            assertTrue(cells.getLast()[1] > cells.getFirst()[1] + 20, "layer " + layer + ", head " + head);
        }
    }

    private static List<BufferedImage> images() throws IOException {
        List<BufferedImage> images = new ArrayList<>();
        for (String data : texts(IMAGES + ".map(image => image.getAttribute('href'))")) {
            byte[] png = Base64.getDecoder().decode(data.substring("data:image/png;base64,".length()));
            images.add(ImageIO.read(new ByteArrayInputStream(png)));
        }
        return images;
    }

    /** {@return the approximate perceived brightness of a colour} */
    private static double light(int rgb) {
        return 0.3 * (rgb >> 16 & 0xFF) + 0.6 * (rgb >> 8 & 0xFF) + 0.1 * (rgb & 0xFF);
    }

    @Test
    void ofAPinnedWordEveryHeadShowsTheLines() throws IOException {
        browser.open(page, "#view=heads&pin=q10");
        screen("heads-pinned");
        assertEquals(0, count("#sheet [data-cell] image"));
        assertTrue(count("#sheet [data-cell] path") >= 72, "each head draws at least its strongest weight");
        assertEquals(
                "layer 3, head 1: it looks most at animal, 0.677",
                text("document.querySelector(\"[data-cell='3.1']\").getAttribute('aria-label')"));
        assertTrue(said().startsWith("Lines of it."), said());
        assertTrue(said().contains("Weights below 0.020 are not drawn."), said());
        List<Double> drawn = texts("[...document.querySelector(\"[data-cell='3.1']\").querySelectorAll('path')]"
                        + ".map(p => String(p.getAttribute('d').split('M').length - 1))")
                .stream()
                .map(Double::valueOf)
                .toList();
        long expected =
                IntStream.range(0, 16).filter(to -> weight(3, 1, IT, to) > 0.02).count();
        assertEquals(expected, drawn.stream().mapToDouble(d -> d).sum(), "the strong lines of one word");
        browser.click("[data-cell='5.11']");
        assertEquals("#heads=5.11&pin=q10", hash());
    }

    @Test
    void longTextsSayHowMuchACellStandsFor() throws IOException {
        List<String> words = IntStream.range(0, 400).mapToObj(i -> "word" + i).toList();
        browser.open(written("long", AttentionPage.of(words), 400, 400), "#view=heads");
        screen("heads-of-a-long-text");
        int width = images().getFirst().getWidth();
        assertTrue(width <= 180 / 1.5 && width >= 60, width + " cells");
        int tile = Math.ceilDiv(400, width);
        assertTrue(said().contains("Each cell is the largest of " + tile + " × " + tile + " weights."), said());
        browser.open(pages.resolve("long.html"), "#view=heads&pin=q7");
        screen("heads-of-a-long-text-pinned");
        assertTrue(said().startsWith("Lines of word7."), said());
        assertTrue(count("#sheet [data-cell] path") >= 2, "the lines of one word are separate in a long text too");
    }

    @Test
    void aSingleRowIsAStrip() throws IOException {
        List<String> words = IntStream.range(0, 300).mapToObj(i -> "word" + i).toList();
        browser.open(written("row", AttentionPage.of(List.of("out"), words), 1, 300), "#view=heads");
        screen("heads-of-a-row");
        assertTrue(said().contains("Each cell is the largest of 1 × 3 weights."), said());
        assertTrue(!said().contains("…"), "the caption is not cut off: " + said());
        for (String height : texts(IMAGES + ".map(image => image.getAttribute('height'))")) {
            assertTrue(Double.parseDouble(height) >= 10, height);
        }
    }
}
