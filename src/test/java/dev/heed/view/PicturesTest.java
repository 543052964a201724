package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.view.text.TextWidth;
import dev.heed.view.text.VisibleText;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.w3c.dom.Element;

/** Tests properties that every kind of picture has. */
class PicturesTest {
    private static final Path GOLDEN = Path.of("src/test/java/dev/heed/view");

    private static final List<String> NASTY = List.of(
            "<script>alert(1)</script>",
            "a \"b\" & 'c'",
            "line\nbreak",
            "\u001b[31m\0",
            "]]>",
            "注意力",
            "😀",
            "مرحبا",
            "\ud800",
            "",
            "a token that is longer than any label may be in a picture of this size");

    private static final double[][] WEIGHTS = {{0.7, 0.2, 0.1}, {0.05, Double.NaN, 0.95}};

    /** After an intended change, delete the golden file, run the test twice, and check the picture in a browser. */
    @TestFactory
    Stream<DynamicTest> goldenFiles() {
        List<String> rows = List.of("the", "cat");
        List<String> columns = List.of("le", "chat", "<pad>");
        LineView lines = LineView.of(WEIGHTS).rows(rows).columns(columns).axes("target", "source");
        Map<String, Picture> pictures = new TreeMap<>(Map.of(
                "lines", lines.title("side by side"),
                "lines-stacked", lines.stacked().title("stacked"),
                "lines-focus", lines.focus(0).theme(Theme.DARK),
                "profile",
                        WeightProfile.of(WEIGHTS[1])
                                .labels(columns)
                                .title("profile")
                                .axes("source", "weight"),
                "plot",
                        Plot.blank()
                                .points("data", new double[] {0, 1, 2.5}, new double[] {1, 3, 2})
                                .curve("fit", new double[] {0, 1, 2, 3}, new double[] {1.5, 2, Double.NaN, 2.25})
                                .curve("mean", new double[] {0, 3}, new double[] {2, 2})
                                .title("plot")
                                .axes("x", "y")));
        return pictures.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    Path file = GOLDEN.resolve(entry.getKey() + ".svg");
                    String svg = entry.getValue().svg();
                    if (Files.notExists(file)) {
                        Files.writeString(file, svg);
                        throw new AssertionError(file + " was missing and has been written: look at it");
                    }
                    assertEquals(Files.readString(file), svg);
                    Locale before = Locale.getDefault();
                    try {
                        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
                        assertEquals(svg, entry.getValue().svg());
                    } finally {
                        Locale.setDefault(before);
                    }
                }));
    }

    private static double[] nastyRow() {
        double[] row = new double[NASTY.size()];
        Arrays.setAll(row, i -> i / 10.0);
        return row;
    }

    @TestFactory
    Stream<DynamicTest> labelsAreTextWhateverTheyHold() {
        double[][] square = new double[NASTY.size()][];
        Arrays.setAll(square, i -> nastyRow());
        LineView lines = LineView.of(square).rows(NASTY).columns(NASTY).title(NASTY.getFirst());
        Plot plot = Plot.blank().title(NASTY.getFirst()).axes(NASTY.get(1), NASTY.get(3));
        for (String name : NASTY) {
            plot = plot.curve(name, new double[] {0, 1}, new double[] {0, 1});
        }
        Map<String, Picture> pictures = Map.of(
                "lines", lines,
                "stacked", lines.stacked(),
                "focus", lines.focus(2),
                "profile", WeightProfile.of(nastyRow()).labels(NASTY).title(NASTY.getFirst()),
                "plot", plot);
        return pictures.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    var svg = SvgDocument.parse(entry.getValue().svg());
                    assertTrue(svg.elements("script").isEmpty());
                    assertTrue(svg.texts().contains("<script>alert(1)</script>"), "the title");
                    assertTrue(svg.texts()
                            .containsAll(List.of("line\\nbreak", "\\u001b[31m\\u0000", "]]>", "注意力", "😀", "مرحبا")));
                    for (Element text : svg.elements("text")) {
                        requireInside(text, svg);
                    }
                    assertNotNull(ImageIO.read(
                            new ByteArrayInputStream(entry.getValue().png(1))));
                }));
    }

    private static void requireInside(Element text, SvgDocument svg) {
        String turn = text.getAttribute("transform");
        String[] place = turn.isEmpty()
                ? new String[] {text.getAttribute("x"), text.getAttribute("y")}
                : turn.replaceAll("translate\\(([^)]*)\\).*", "$1").split(" ");
        double size = Double.parseDouble(text.getAttribute("font-size"));
        double length = TextWidth.of(text.getTextContent(), size) * (turn.endsWith("(-45)") ? Math.sqrt(0.5) : 1);
        double x = Double.parseDouble(place[0]);
        double y = Double.parseDouble(place[1]);
        String anchor = text.getAttribute("text-anchor");
        double left = anchor.equals("end") ? x - length : anchor.equals("middle") ? x - length / 2 : x;
        if (turn.endsWith("(-90)")) {
            assertTrue(x >= 0 && x <= svg.size("width"), turn);
        } else {
            assertTrue(left >= -0.5 && left + length <= svg.size("width") + 0.5, text.getTextContent() + " at " + x);
        }
        boolean rises = turn.endsWith("(-45)") && !anchor.equals("end");
        assertTrue(y - (rises ? length : 0) >= 0 && y <= svg.size("height"), text.getTextContent() + " at y " + y);
    }

    @TestFactory
    Stream<DynamicTest> anySizeAndAnyNumbers() {
        double[][] nan = {{Double.NaN, Double.NEGATIVE_INFINITY}};
        double[][] equal = new double[3][5];
        double[][] large = new double[700][900];
        for (double[] row : large) {
            Arrays.fill(row, 1 / 900.0);
        }
        double[] many = new double[20_000];
        Arrays.setAll(many, i -> Math.sin(i / 100.0));
        Map<String, Picture> pictures = new TreeMap<>(Map.of(
                "one line", LineView.of(new double[][] {{0.3}}),
                "no finite line", LineView.of(nan),
                "no line at all", LineView.of(equal).stacked(),
                "many lines", LineView.of(large),
                "many lines stacked", LineView.of(large).stacked().pooling(Pooling.MAX),
                "one bar", WeightProfile.of(0.25),
                "no finite bar", WeightProfile.of(nan[0]).theme(Theme.DARK),
                "many bars", WeightProfile.of(many),
                "blank", Plot.blank(),
                "many points", Plot.blank().points("many", many, many).curve("too", many, many)));
        pictures.put("extremes", WeightProfile.of(-Double.MAX_VALUE, Double.MAX_VALUE));
        double[] extremes = {-Double.MAX_VALUE, 0, Double.MAX_VALUE, Double.NaN};
        pictures.put("extreme points", Plot.blank().points("p", extremes, extremes));
        pictures.put("one point", Plot.blank().curve("p", new double[] {3}, new double[] {0}));
        return pictures.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    var svg = SvgDocument.parse(entry.getValue().svg());
                    String text = entry.getValue().svg();
                    assertFalse(text.contains("NaN\"") || text.contains("Infinity\""), "every coordinate is finite");
                    assertTrue(svg.size("width") < 4000 && svg.size("height") < 4000);
                    assertNotNull(ImageIO.read(
                            new ByteArrayInputStream(entry.getValue().png(1))));
                }));
    }

    @TestFactory
    Stream<DynamicTest> terminals() {
        List<String> labels = Collections.nCopies(600, "注意 a label \u001b[31m that is long");
        double[] weights = new double[600];
        Arrays.setAll(weights, i -> i / 600.0);
        weights[7] = Double.NaN;
        Plot plot = Plot.blank()
                .points("\u001b[1m", weights, weights)
                .curve("注意", weights, weights)
                .title("t\n");
        return Stream.of(TerminalColors.values())
                .map(colors -> DynamicTest.dynamicTest(colors.toString(), () -> {
                    for (int width : new int[] {40, 100}) {
                        String profile = WeightProfile.of(weights)
                                .labels(labels)
                                .title("t\n")
                                .terminal(colors, width);
                        String points = plot.terminal(colors, width);
                        for (String line : (profile + points).lines().toList()) {
                            assertTrue(VisibleText.columns(line) <= width, line);
                            assertFalse(line.contains("\u001b"), line);
                            assertTrue(
                                    colors != TerminalColors.ASCII
                                            || line.chars().allMatch(c -> c < 0x7F),
                                    line);
                        }
                        assertTrue(profile.contains("Each bar is the mean of 10 weights (600"), profile);
                        assertTrue(points.contains("o") && points.contains("*"), points);
                    }
                }));
    }
}
