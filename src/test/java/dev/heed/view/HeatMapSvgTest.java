package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.view.text.TextWidth;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class HeatMapSvgTest {
    private static final HeatMap SMALL = HeatMap.of(new double[][] {{0.7, 0.2, 0.1}, {0.05, Double.NaN, 0.95}})
            .rows(List.of("the", "cat"))
            .columns(List.of("le", "chat", "<pad>"))
            .title("small")
            .axes("target", "source");

    @TempDir
    Path directory;

    private static Document parse(String svg) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    }

    private static List<Element> elements(Document svg, String tag) {
        List<Element> elements = new ArrayList<>();
        NodeList nodes = svg.getElementsByTagName(tag);
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static List<String> texts(Document svg) {
        return elements(svg, "text").stream().map(Element::getTextContent).toList();
    }

    private static List<String> hovers(Document svg) {
        return elements(svg, "title").stream().map(Element::getTextContent).toList();
    }

    /** After an intended change, write the new text with {@code SMALL.svg(Path)} and check it in a browser. */
    @Test
    void theSmallMapIsTheGoldenFile() throws IOException {
        assertEquals(Files.readString(Path.of("src/test/java/dev/heed/view/heat-map.svg")), SMALL.svg());
    }

    @ParameterizedTest
    @CsvSource({"ar-EG-u-nu-arab", "de-DE", "tr-TR", "hi-IN-u-nu-deva"})
    void noLocaleChangesAByte(String locale) {
        Locale before = Locale.getDefault();
        String expected = SMALL.svg();
        try {
            Locale.setDefault(Locale.forLanguageTag(locale));
            assertEquals(expected, SMALL.svg());
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void labelsAreTextWhateverTheyHold() throws Exception {
        List<String> nasty = List.of(
                "<script>alert(1)</script>",
                "a \"b\" & 'c'",
                "line\nbreak",
                "\u001b[31m\0",
                "]]>",
                "注意力",
                "\ud800",
                "");
        Document svg = parse(HeatMap.of(new double[8][8])
                .rows(nasty)
                .columns(nasty)
                .title("<&>\"'\n")
                .axes("<rows>", "&columns;")
                .svg());
        assertTrue(elements(svg, "script").isEmpty());
        List<String> texts = texts(svg);
        assertTrue(
                texts.containsAll(List.of(
                        "<script>alert(1)</scrip…",
                        "a \"b\" & 'c'",
                        "line\\nbreak",
                        "\\u001b[31m\\u0000",
                        "]]>",
                        "注意力",
                        "\\ud800",
                        "<&>\"'\\n",
                        "<rows>",
                        "&columns;")),
                texts.toString());
        assertTrue(
                hovers(svg).contains("<script>alert(1)</script> → line\\nbreak: 0"),
                "the tooltip contains the whole label");
    }

    @Test
    void everyCellSaysItsValue() throws Exception {
        List<String> hovers = hovers(parse(SMALL.svg()));
        assertEquals(6, hovers.size());
        assertEquals("the → le: 0.7000", hovers.getFirst());
        assertEquals("cat → chat: NaN", hovers.get(4));
        assertEquals("cat → <pad>: 0.9500", hovers.get(5));
    }

    @Test
    void whatIsNoNumberIsHatched() throws Exception {
        double[][] values = {{1, Double.NaN}, {Double.NEGATIVE_INFINITY, 0}};
        Document svg = parse(HeatMap.of(values).svg());
        assertEquals(
                2,
                elements(svg, "rect").stream()
                        .filter(rect -> rect.getAttribute("fill").equals("url(#heed-hatch-light)"))
                        .count());
        assertTrue(texts(svg).contains("Hatched cells hold no finite number."));
        assertFalse(texts(parse(HeatMap.of(new double[][] {{1}}).svg()))
                .contains("Hatched cells hold no finite number."));
    }

    @Test
    void oneCellAndEqualCellsAndNoNumbers() throws Exception {
        parse(HeatMap.of(new double[][] {{0.3}}).svg());
        parse(HeatMap.of(new double[][] {{0}}).svg());
        parse(HeatMap.of(new double[][] {{-2, -2}}).svg());
        parse(HeatMap.of(new double[][] {{Double.NaN}}).svg());
        parse(HeatMap.of(new double[][] {{-Double.MAX_VALUE, Double.MAX_VALUE}}).svg());
        parse(HeatMap.of(new double[][] {{Double.MIN_VALUE}}).svg());
    }

    @Test
    void manyRowsAreAveragedAndItSaysSo() throws Exception {
        double[][] values = new double[600][601];
        for (double[] row : values) {
            Arrays.fill(row, 0.5);
        }
        values[0][0] = 5;
        Document svg = parse(HeatMap.of(values).title("large").svg());
        List<String> hovers = hovers(svg);
        assertEquals(200 * 201, hovers.size());
        assertEquals("row 0–2 → column 0–2: 1.000", hovers.getFirst());
        assertEquals("row 597–599 → column 600: 0.5000", hovers.getLast());
        assertTrue(texts(svg).contains("Each cell is the mean of 3 × 3 values (600 × 601 in all)."));
    }

    @Test
    void theLargestOfATileStaysSeenWhereThatIsAsked() throws Exception {
        double[][] values = new double[300][300];
        values[7][9] = 0.75;
        Document svg = parse(HeatMap.of(values).pooling(Pooling.MAX).svg());
        assertTrue(hovers(svg).contains("row 6–7 → column 8–9: 0.7500"));
        assertTrue(texts(svg).contains("Each cell is the largest of 2 × 2 values (300 × 300 in all)."));
    }

    @Test
    void everyCellIsDrawnUpToTheLimit() throws Exception {
        assertEquals(
                256 * 2, hovers(parse(HeatMap.of(new double[256][2]).svg())).size());
        assertEquals(
                129 * 2, hovers(parse(HeatMap.of(new double[257][2]).svg())).size());
    }

    @Test
    void tilesIgnoreWhatIsNoNumber() {
        double[][] values = new double[512][1];
        Arrays.setAll(values, i -> new double[] {i < 256 ? Double.NaN : i % 2 == 0 ? 4 : Double.NaN});
        Cells tiles = HeatMap.of(values).cells().atMost(256, 256, Pooling.MEAN);
        assertTrue(Double.isNaN(tiles.at(0, 0)));
        assertEquals(4, tiles.at(255, 0));
    }

    @Test
    void numbersStandWhereLabelsAreMissingAndLabelsAreThinnedWhereTheyDoNotFit() throws Exception {
        assertTrue(texts(parse(HeatMap.of(new double[2][3]).svg())).containsAll(List.of("0", "1", "2")));
        List<String> many = Collections.nCopies(200, "token");
        long shown = texts(parse(HeatMap.of(new double[200][200]).rows(many).svg())).stream()
                .filter("token"::equals)
                .count();
        assertTrue(shown > 20 && shown < 100, shown + " row labels");
    }

    @Test
    void nothingLiesOutsideThePicture() throws Exception {
        List<String> labels = List.of("a", "a very very long label indeed", "注意力机制的一个例子", "MMMMMMMMMM");
        Document svg = parse(HeatMap.of(new double[4][4])
                .rows(labels)
                .columns(labels)
                .title("t")
                .svg());
        double width = Double.parseDouble(svg.getDocumentElement().getAttribute("width"));
        double height = Double.parseDouble(svg.getDocumentElement().getAttribute("height"));
        for (Element text : elements(svg, "text")) {
            String turn = text.getAttribute("transform");
            String[] place = turn.isEmpty()
                    ? new String[] {text.getAttribute("x"), text.getAttribute("y")}
                    : turn.replaceAll("translate\\(([^)]*)\\).*", "$1").split(" ");
            double length = TextWidth.of(text.getTextContent(), 12);
            double x = Double.parseDouble(place[0]);
            double y = Double.parseDouble(place[1]);
            boolean leans = turn.endsWith("rotate(-45)");
            assertTrue(x >= 0 && x + (leans ? length * 0.7 : 0) <= width, text.getTextContent() + " at x " + x);
            assertTrue(y - (leans ? length * 0.7 : 0) >= 0 && y <= height, text.getTextContent() + " at y " + y);
        }
    }

    @Test
    void tensorsOfAnyTypeAndStride() {
        Tensor tensor =
                Tensor.of(new double[] {1, 2, 3, 4, 5, 6}, 2, 3).to(DType.F16).transpose(0, 1);
        assertEquals(
                HeatMap.of(new double[][] {{1, 4}, {2, 5}, {3, 6}}).svg(),
                HeatMap.of(tensor).svg());
        assertThrows(InvalidInputException.class, () -> HeatMap.of(Tensor.zeros(DType.F32, 2, 3, 4)));
    }

    @Test
    void theNumbersAreCopied() {
        double[][] values = {{0.1, 0.2}};
        HeatMap map = HeatMap.of(values);
        String before = map.svg();
        values[0][0] = 9;
        assertEquals(before, map.svg());
    }

    @Test
    void misfitsAreRefused() {
        assertThrows(InvalidInputException.class, () -> HeatMap.of(new double[0][0]));
        assertThrows(InvalidInputException.class, () -> HeatMap.of(new double[][] {{}}));
        assertThrows(InvalidInputException.class, () -> HeatMap.of(new double[][] {{1, 2}, {3}}));
        assertThrows(InvalidInputException.class, () -> SMALL.rows(List.of("one")));
        assertThrows(InvalidInputException.class, () -> SMALL.columns(List.of()));
        assertThrows(InvalidInputException.class, () -> SMALL.range(1, 1));
        assertThrows(InvalidInputException.class, () -> HeatMapGrid.of(List.of()));
        assertThrows(
                InvalidInputException.class,
                () -> HeatMapGrid.of(List.of(SMALL)).perRow(0));
    }

    @Test
    void aGridSharesRangeBarAndLabels() throws Exception {
        HeatMap weak = SMALL.title("head 0");
        HeatMap strong = HeatMap.of(new double[][] {{0, 0, 7}, {0, 0, 0}})
                .rows(List.of("the", "cat"))
                .columns(List.of("le", "chat", "<pad>"))
                .title("head 1");
        Document svg = parse(HeatMapGrid.of(List.of(weak, strong, weak))
                .perRow(2)
                .title("layer 3")
                .svg());
        List<String> texts = texts(svg);
        assertTrue(texts.containsAll(List.of("layer 3", "head 0", "head 1", "0", "2", "4", "6")), texts.toString());
        assertEquals(2, Collections.frequency(texts, "cat"), "row labels stand left of each row of maps only");
        assertEquals(2, Collections.frequency(texts, "chat"), "column labels stand above the first row of maps only");
        assertEquals(1, elements(svg, "linearGradient").size());
    }

    @Test
    void writesTheSameTextToAFile() throws IOException {
        Path file = directory.resolve("map.svg");
        SMALL.svg(file);
        assertEquals(SMALL.svg(), Files.readString(file));
        assertThrows(IOException.class, () -> SMALL.svg(directory));
    }
}
