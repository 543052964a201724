package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.bert.BertEncoder;
import dev.heed.bert.BertEncoding;
import dev.heed.bert.BertModel;
import dev.heed.bert.BertToken;
import dev.heed.bert.BertTokenizer;
import dev.heed.bert.MiniLm;
import dev.heed.tensor.Tensor;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

/** The page in a browser without a network, used as a reader uses it; what was seen is kept in target/screens. */
class AttentionPageBrowserTest {
    private static final String SENTENCE = "The animal didn't cross the street because it was too tired.";
    private static final Path SCREENS = Path.of("target/screens");
    private static final int IT = 10;
    private static final int ANIMAL = 2;
    private static final int LAST = 15;

    private static Chromium browser;
    private static BertEncoding animal;
    private static Path page;

    @TempDir
    static Path pages;

    @TempDir
    Path downloads;

    @BeforeAll
    static void writeThePage() throws IOException {
        browser = Chromium.start();
        BertModel model = MiniLm.model();
        try (BertTokenizer tokenizer = MiniLm.tokenizer()) {
            int[] layers = IntStream.range(0, model.layers()).toArray();
            animal = new BertEncoder(model, new ReferenceBackend()).encode(tokenizer.encode(SENTENCE), layers);
        }
        AttentionPage written = AttentionPage.of(
                        animal.tokens().stream().map(BertToken::text).toList())
                .title(SENTENCE)
                .note("all-MiniLM-L6-v2, 6 layers of 12 heads")
                .special(List.of(0, LAST));
        for (int layer = 0; layer < model.layers(); layer++) {
            written = written.layer(animal.weights(layer));
        }
        page = pages.resolve("animal.html");
        written.opensAt(3, 1).write(page);
    }

    @AfterAll
    static void closeTheBrowser() throws IOException {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void sizeOfALaptop() {
        browser.size(1360, 800);
        browser.preferDark(false);
    }

    @AfterEach
    void nothingWentWrong() {
        assertEquals(List.of(), browser.troubles(), "console, exceptions, network");
    }

    private static void screen(String name) throws IOException {
        browser.screenshot(SCREENS.resolve(name + ".png"));
    }

    private static List<String> texts(String script) {
        JsonArray array = browser.js(script).getAsJsonArray();
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonElement::getAsString)
                .toList();
    }

    private static String text(String script) {
        return browser.js(script).getAsString();
    }

    private static String hash() {
        return text("location.hash");
    }

    /** A line as it is drawn. */
    private record Line(int from, int to, double weight, double width, double opacity) {}

    private static List<Line> lines() {
        String script = "[...document.querySelectorAll('#sheet path[data-from]')].map(p => ['data-from', 'data-to',"
                + " 'data-weight', 'stroke-width', 'stroke-opacity'].map(n => p.getAttribute(n)).join(' '))";
        return texts(script).stream()
                .map(line -> line.split(" "))
                .map(f -> new Line(
                        Integer.parseInt(f[0]),
                        Integer.parseInt(f[1]),
                        Double.parseDouble(f[2]),
                        Double.parseDouble(f[3]),
                        Double.parseDouble(f[4])))
                .toList();
    }

    private static double weight(int layer, int head, int from, int to) {
        return animal.weights(layer).get(head, from, to);
    }

    // ---------------------------------------------------------------- lines

    @Test
    void aWordPointedAtDrawsItsLinesAsThickAsItsWeights() throws IOException {
        browser.open(page, "");
        assertEquals(256, lines().size(), "all words, all lines");
        browser.hover("[data-token=q10]");
        screen("lines-hover");
        List<Line> lines = lines();
        assertEquals(16, lines.size());
        double widest = lines.stream().mapToDouble(Line::width).max().orElseThrow();
        for (Line line : lines) {
            assertEquals(IT, line.from);
            assertEquals(weight(3, 1, IT, line.to), line.weight, 2e-5);
        }
        List<Line> byWeight =
                lines.stream().sorted(Comparator.comparingDouble(Line::weight)).toList();
        for (int i = 1; i < byWeight.size(); i++) {
            Line thin = byWeight.get(i - 1);
            Line thick = byWeight.get(i);
            assertTrue(thick.width >= thin.width && thick.opacity >= thin.opacity, thin + " " + thick);
            if (thin.width > 0.5) {
                assertEquals(thick.weight / thin.weight, thick.width / thin.width, 0.01, "proportional");
            }
        }
        Line strongest = byWeight.getLast();
        assertEquals(ANIMAL, strongest.to, "it looks at the animal");
        assertEquals(widest, strongest.width);
        assertEquals("0.677", text("document.querySelector('[data-number=k2]').textContent"));
        assertEquals("animal0.677", text("document.querySelector('#details li button').textContent"));
        browser.leave();
        assertEquals(256, lines().size());
    }

    @Test
    void aWordLookedAtShowsWhoLooks() throws IOException {
        browser.open(page, "");
        browser.hover("[data-token=k2]");
        screen("lines-looked-at");
        assertTrue(lines().stream().allMatch(line -> line.to == ANIMAL && line.weight > 0));
        assertEquals(16, lines().size());
        assertTrue(text("document.querySelector('#details').textContent").contains("is looked at by"));
    }

    @Test
    void severalWordsStayPinned() throws IOException {
        browser.open(page, "");
        browser.click("[data-token=q10]");
        browser.click("[data-token=q6]");
        browser.leave();
        assertEquals("#pin=q10,q6", hash());
        assertEquals(32, lines().size());
        screen("lines-pinned");
        browser.click("[data-token=q10]");
        browser.leave();
        assertTrue(lines().stream().allMatch(line -> line.from == 6));
        assertEquals("true", text("document.querySelector('[data-token=q6]').getAttribute('aria-selected')"));
        browser.click("#unpin");
        assertEquals("", hash());
    }

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

    private static void choose(String select, String value) {
        browser.js("(() => { const s = document.getElementById('" + select + "'); s.value = '" + value
                + "'; s.dispatchEvent(new Event('change')); })()");
        browser.settle();
    }

    private static double weightOf(List<Line> lines, int to) {
        return lines.stream()
                .filter(line -> line.to == to)
                .mapToDouble(Line::weight)
                .max()
                .orElse(0);
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
            assertEquals(product[IT][line.to], line.weight, 1e-4, line.toString());
        }
    }

    @Test
    void theThresholdKeepsTheTopMass() throws IOException {
        browser.open(page, "#heads=3.1&pin=q10");
        browser.js("(() => { const m = document.getElementById('mass'); m.value = 80;"
                + " m.dispatchEvent(new Event('input')); })()");
        browser.settle();
        screen("lines-threshold");
        assertEquals("#mass=80&pin=q10", hash());
        List<Line> lines = lines();
        double kept = lines.stream().mapToDouble(Line::weight).sum();
        double smallest = lines.stream().mapToDouble(Line::weight).min().orElseThrow();
        assertTrue(kept >= 0.8 && kept - smallest < 0.8, "as few as make 80 %: " + lines);
        assertTrue(text("document.querySelector('#details').textContent").contains("below the threshold"));
        assertEquals("80 %", text("document.getElementById('mass-text').textContent"));
    }

    @Test
    void specialTokensAreHidden() throws IOException {
        browser.open(page, "#pin=q10");
        choose("special", "hide");
        screen("lines-hidden");
        assertFalse(texts("[...document.querySelectorAll('#sheet text')].map(t => t.textContent)")
                .contains("[CLS]"));
        assertEquals(14, lines().size());
        assertEquals(weight(3, 1, IT, ANIMAL), weightOf(lines(), ANIMAL), 2e-5);
        choose("special", "renorm");
        double left = 1 - weight(3, 1, IT, 0) - weight(3, 1, IT, LAST);
        assertEquals(weight(3, 1, IT, ANIMAL) / left, weightOf(lines(), ANIMAL), 5e-5);
        assertEquals(1, lines().stream().mapToDouble(Line::weight).sum(), 1e-4);
        assertEquals("#special=renorm&pin=q10", hash());
    }

    @Test
    void across() throws IOException {
        browser.open(page, "#pin=q10");
        browser.click("#direction [data-value='1']");
        screen("lines-across");
        assertEquals("#across=1&pin=q10", hash());
        var tops = texts("['q2', 'q10', 'k2'].map(t => { const b = document.querySelector(`[data-token=${t}] rect`)"
                + ".getBoundingClientRect(); return Math.round(b.x) + ' ' + Math.round(b.y); })");
        String[] animalAt = tops.get(0).split(" ");
        String[] itAt = tops.get(1).split(" ");
        assertEquals(animalAt[1], itAt[1], "in one row");
        assertTrue(Integer.parseInt(animalAt[0]) < Integer.parseInt(itAt[0]), "as one reads");
        assertTrue(Integer.parseInt(tops.get(2).split(" ")[1]) > Integer.parseInt(animalAt[1]), "looked at below");
        assertEquals(16, lines().size());
    }

    // ---------------------------------------------------------------- other pictures

    @Test
    void theHeatMapIsBrightestWhereTheWeightIsLargest() throws IOException {
        browser.open(page, "#special=hide");
        browser.click("#views [data-value=map]");
        browser.hover("rect[data-row='10'][data-column='2']");
        screen("map");
        assertEquals("it → animal: 0.677", text("document.querySelector('[data-readout]').textContent"));
        String script = "[...document.querySelectorAll('rect[data-row]')].map(r => r.getAttribute('data-weight') + ' '"
                + " + r.getAttribute('fill').match(/\\d+/g).reduce((sum, c, i) => sum + [0.3, 0.6, 0.1][i] * c, 0))";
        List<double[]> cells = texts(script).stream()
                .map(cell -> cell.split(" "))
                .map(f -> new double[] {Double.parseDouble(f[0]), Double.parseDouble(f[1])})
                .sorted(Comparator.comparingDouble(cell -> cell[0]))
                .toList();
        assertEquals(14 * 14, cells.size());
        for (int i = 1; i < cells.size(); i++) {
            assertTrue(cells.get(i)[1] >= cells.get(i - 1)[1] - 1.5, "brighter is stronger");
        }
        assertTrue(cells.getLast()[1] > cells.getFirst()[1] + 100);
        choose("palette", "1");
        assertEquals("#view=map&special=hide&colours=cividis", hash());
    }

    @Test
    void allHeadsAtOnce() throws IOException {
        browser.open(page, "#view=heads");
        screen("heads");
        assertEquals(
                72,
                browser.js("document.querySelectorAll('[data-cell]').length").getAsInt());
        browser.open(page, "#view=heads&pin=q10");
        screen("heads-pinned");
        assertEquals(
                "layer 3, head 1: it looks most at animal, 0.677",
                text("document.querySelector(\"[data-cell='3.1']\").getAttribute('aria-label')"));
        browser.click("[data-cell='5.11']");
        assertEquals("#heads=5.11&pin=q10", hash(), "a head opens as lines");
    }

    // ---------------------------------------------------------------- links, keys, files

    @Test
    void aLinkBringsTheStateBack() throws IOException {
        String link = "#view=map&heads=2.3,4&mix=max&mass=70&special=renorm&across=1&colours=grey&pin=q2,k5&theme=dark";
        browser.open(page, link);
        screen("map-dark");
        assertEquals(link, hash());
        assertEquals("map", text("document.querySelector('#views [aria-checked=true]').dataset.value"));
        assertEquals("max", text("document.getElementById('mix').value"));
        assertEquals(
                13,
                browser.js("document.querySelectorAll('.heads .cell[aria-pressed=true]').length")
                        .getAsInt());
        assertEquals("dark", text("document.documentElement.dataset.theme"));
        browser.js("location.hash = '#heads=3.1'");
        browser.await("document.querySelector('#views [aria-checked=true]').dataset.value === 'lines'");
        browser.open(page, "#view=nothing&heads=99.1,x&mass=1000&pin=q999,<b>&special=%ZZ&&=");
        assertEquals("", hash(), "what a link gets wrong is left out");
        assertEquals(256, lines().size());
    }

    @Test
    void withoutAMouse() throws IOException {
        browser.open(page, "");
        browser.js("document.getElementById('direction').querySelector('[tabindex=\"0\"]').focus()");
        browser.key("Tab");
        assertEquals("q0", text("document.activeElement.dataset.token"));
        for (int i = 0; i < IT; i++) {
            browser.key("ArrowDown");
        }
        assertEquals("q10", text("document.activeElement.dataset.token"));
        assertTrue(lines().stream().allMatch(line -> line.from == IT), "the word with the focus shows its lines");
        assertEquals(
                "it, word 11 of 16, looks at animal 0.677, [CLS] 0.102, it 0.064",
                text("document.activeElement.getAttribute('aria-label')"));
        screen("keyboard");
        browser.key("Enter");
        assertEquals("#pin=q10", hash());
        assertEquals("it pinned", text("document.getElementById('live').textContent"));
        browser.key("ArrowRight");
        assertEquals("k10", text("document.activeElement.dataset.token"));
        browser.key("Home");
        assertEquals("k0", text("document.activeElement.dataset.token"));
        browser.key("Escape");
        assertEquals("", hash());
        browser.open(page, "#view=map");
        browser.js("document.querySelector('#sheet svg').focus()");
        browser.key("ArrowDown");
        browser.key("ArrowDown");
        browser.key("ArrowRight");
        assertEquals(
                String.format(Locale.ROOT, "the → the: %.3f", weight(3, 1, 1, 1)),
                text("document.getElementById('live').textContent"));
        browser.open(page, "#view=heads");
        browser.js("document.querySelector(\"[data-cell='3.1']\").focus()");
        browser.key("ArrowDown");
        browser.key("Enter");
        assertEquals("#heads=4.1", hash());
        assertTrue(text("document.getElementById('live').textContent").startsWith("Lines, layer 4, head 1"));
    }

    @Test
    void everyControlHasAName() {
        browser.open(page, "#pin=q10");
        assertEquals(
                List.of(),
                texts("[...document.querySelectorAll('button, select, input, [role]')].filter(e => !(e.ariaLabel"
                        + " || e.textContent.trim() || e.labels?.length || e.getAttribute('aria-labelledby')"
                        + " || e.getAttribute('role') === 'status')).map(e => e.outerHTML)"));
        assertEquals(
                1,
                browser.js("document.querySelectorAll('#sheet [tabindex=\"0\"]').length")
                        .getAsInt());
    }

    @Test
    void savesWhatIsSeen() throws Exception {
        browser.downloadTo(downloads);
        browser.open(page, "#pin=q10&mass=90&special=hide");
        browser.click("#svg");
        Document svg = parse(saved("svg"));
        List<Line> seen = lines();
        var paths = svg.getElementsByTagName("path");
        assertEquals(seen.size(), paths.getLength());
        for (int i = 0; i < paths.getLength(); i++) {
            assertEquals(seen.get(i).width, Double.parseDouble(((Element) paths.item(i)).getAttribute("stroke-width")));
        }
        assertTrue(svg.getDocumentElement().getTextContent().contains("animal"));
        assertFalse(svg.getDocumentElement().getTextContent().contains("[CLS]"));
        browser.click("#png");
        BufferedImage image = ImageIO.read(saved("png").toFile());
        assertEquals(
                2
                        * Integer.parseInt(
                                svg.getDocumentElement().getAttribute("width").replaceAll("\\..*", "")),
                image.getWidth(),
                2);
        assertEquals(0xFFFFFFFF, image.getRGB(3, 3), "paper");
        assertEquals(0xFF0072B2, image.getRGB(centre(svg, "it")[0], centre(svg, "it")[1] - 18), "the pinned word");
    }

    private Path saved(String extension) throws IOException {
        Path file = downloads.resolve("the-animal-didn-t-cross-the-street-becau." + extension);
        for (int i = 0; i < 600 && (!Files.exists(file) || Files.size(file) == 0); i++) {
            browser.settle();
        }
        Files.createDirectories(SCREENS);
        Files.copy(file, SCREENS.resolve("saved." + extension), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        return file;
    }

    private static Document parse(Path svg) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(new InputSource(new StringReader(Files.readString(svg))));
    }

    /** Where a label stands in the image, which has two pixels for one. */
    private static int[] centre(Document svg, String label) {
        var texts = svg.getElementsByTagName("text");
        for (int i = 0; i < texts.getLength(); i++) {
            Element text = (Element) texts.item(i);
            if (text.getTextContent().equals(label)) {
                return new int[] {
                    (int) (2 * Double.parseDouble(text.getAttribute("x"))) - 60,
                    (int) (2 * Double.parseDouble(text.getAttribute("y")))
                };
            }
        }
        throw new AssertionError("no label " + label);
    }

    // ---------------------------------------------------------------- other texts

    @Test
    void strangeTokensAreText() throws IOException {
        List<String> nasty = AttentionPageTest.NASTY;
        int n = nasty.size();
        var random = new Random(7);
        float[] weights = new float[2 * n * n];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = random.nextFloat() / n;
        }
        weights[5] = Float.NaN;
        Path file = pages.resolve("nasty.html");
        AttentionPage.of(nasty)
                .title("<script>alert(1)</script>")
                .layer("<b>layer</b>", Tensor.of(weights, 2, n, n))
                .pinned(0)
                .write(file);
        for (String view : List.of("lines", "map", "heads", "lines&across=1")) {
            browser.open(file, "#view=" + view);
            screen("nasty-" + view.replace("&across=1", "-across"));
            assertEquals(3, browser.js("document.scripts.length").getAsInt(), "no script but the page's three");
            assertEquals(
                    0,
                    browser.js("document.querySelectorAll('img, b:not(#details b)').length")
                            .getAsInt());
        }
        browser.open(file, "");
        List<String> labels = texts("[...document.querySelectorAll('[data-token]')].map(t =>"
                + " (t.querySelector('title') ?? t.querySelector('text')).textContent)");
        for (String token : nasty) {
            assertTrue(labels.contains(token.isEmpty() ? "(empty)" : VisibleText.of(token)), token);
        }
    }

    @Test
    void aPairIsColouredBySegment() throws IOException {
        List<String> words = List.of("who", "slept", "?", "the", "cat", "slept", "on", "the", "mat", ".");
        browser.open(written("pair", AttentionPage.of(words).segments(0, 0, 0, 1, 1, 1, 1, 1, 1, 1), 10, 10), "");
        screen("pair");
        assertEquals(
                2,
                texts("[...new Set([...document.querySelectorAll('#sheet path')].map(p => p.getAttribute('stroke')))]")
                        .size());
    }

    @Test
    void aTranslationHasTwoTexts() throws IOException {
        List<String> outputs = List.of("l'", "accord", "sur", "la", "zone", "économique");
        List<String> inputs = List.of("the", "agreement", "on", "the", "European", "Economic", "Area", ".");
        browser.open(written("translation", AttentionPage.of(outputs, inputs).pinned(4), 6, 8), "");
        screen("translation");
        assertEquals(8, lines().size());
        assertTrue(browser.js("document.querySelector('#mix [value=rollout]').disabled")
                .getAsBoolean());
        browser.open(pages.resolve("translation.html"), "#view=map");
        assertEquals(
                48,
                browser.js("document.querySelectorAll('rect[data-row]').length").getAsInt());
    }

    private static Path written(String name, AttentionPage texts, int rows, int columns) throws IOException {
        var random = new Random(11);
        double[] weights = new double[2 * rows * columns];
        for (int i = 0; i < weights.length; i += columns) {
            double sum = 0;
            for (int j = 0; j < columns; j++) {
                weights[i + j] = Math.pow(random.nextDouble(), 6);
                sum += weights[i + j];
            }
            for (int j = 0; j < columns; j++) {
                weights[i + j] /= sum;
            }
        }
        Path file = pages.resolve(name + ".html");
        texts.title(name).layer(Tensor.of(weights, 2, rows, columns)).write(file);
        return file;
    }

    // ---------------------------------------------------------------- other readers

    @Test
    void lightAndDark() throws IOException {
        browser.preferDark(true);
        browser.open(page, "#pin=q10");
        assertEquals("dark", text("document.documentElement.dataset.theme"));
        screen("dark");
        browser.click("#theme");
        assertEquals("#pin=q10&theme=light", hash());
        assertEquals("light", text("document.documentElement.dataset.theme"));
    }

    @Test
    void aPhone() throws IOException {
        browser.size(400, 800);
        browser.open(page, "#pin=q10");
        screen("phone");
        assertTrue(browser.js("document.documentElement.scrollWidth <= 400").getAsBoolean(), "nothing sticks out");
    }

    @Test
    void aBrowserWithoutDecompression() throws IOException {
        browser.open(page, "#pin=q10&heads=all");
        List<Line> expected = lines();
        Path old = pages.resolve("old.html");
        // The first script of the page is what an old browser lacks; the policy knows no hash of it, so it goes too.
        String html = Files.readString(page)
                .replaceFirst("<meta http-equiv[^>]+>", "<script>DecompressionStream = undefined</script>");
        Files.writeString(old, html.replace("Uint8Array.fromBase64", "Uint8Array.from_Base64"));
        browser.open(old, "#pin=q10&heads=all");
        assertEquals("undefined", text("typeof DecompressionStream"));
        assertEquals(expected, lines());
        assertNotEquals(List.of(), expected);
    }
}
