package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Base class of tests that use a page like a user, in a browser without a network; screenshots are saved in target/screens. */
abstract class PageInBrowser {
    static final Path SCREENS = Path.of("target/screens");
    static final int IT = 10;
    static final int ANIMAL = 2;
    static final int LAST = 15;

    private static final String SENTENCE = "The animal didn't cross the street because it was too tired.";

    static Chromium browser;
    static Path page;

    @TempDir
    static Path pages;

    /** The encoded sentence, computed when the first page is written and shared by all tests. */
    private static final class Animal {
        static final BertModel MODEL = MiniLm.model();
        static final BertEncoding SEEN = seen();

        private static BertEncoding seen() {
            try (BertTokenizer tokenizer = MiniLm.tokenizer()) {
                int[] layers = IntStream.range(0, MODEL.layers()).toArray();
                return new BertEncoder(MODEL, new ReferenceBackend()).encode(tokenizer.encode(SENTENCE), layers);
            }
        }
    }

    @BeforeAll
    static void writeThePage() throws IOException {
        browser = Chromium.start();
        BertEncoding animal = Animal.SEEN;
        AttentionPage written = AttentionPage.of(
                        animal.tokens().stream().map(BertToken::text).toList())
                .title(SENTENCE)
                .note("all-MiniLM-L6-v2, 6 layers of 12 heads")
                .special(List.of(0, LAST));
        for (int layer = 0; layer < Animal.MODEL.layers(); layer++) {
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

    static void screen(String name) throws IOException {
        browser.screenshot(SCREENS.resolve(name + ".png"));
    }

    static List<String> texts(String script) {
        JsonArray array = browser.js(script).getAsJsonArray();
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonElement::getAsString)
                .toList();
    }

    static String text(String script) {
        return browser.js(script).getAsString();
    }

    static String hash() {
        return text("location.hash");
    }

    /** A drawn line. */
    record Line(int from, int to, double weight, double width, double opacity) {}

    static List<Line> lines() {
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

    static double weight(int layer, int head, int from, int to) {
        return Animal.SEEN.weights(layer).get(head, from, to);
    }

    static void choose(String select, String value) {
        browser.js("(() => { const s = document.getElementById('" + select + "'); s.value = '" + value
                + "'; s.dispatchEvent(new Event('change')); })()");
        browser.settle();
    }

    static double weightOf(List<Line> lines, int to) {
        return lines.stream()
                .filter(line -> line.to() == to)
                .mapToDouble(Line::weight)
                .max()
                .orElse(0);
    }

    /** Writes a page with two heads whose rows sum to 1, with most of the weight on few columns. */
    static Path written(String name, AttentionPage texts, int rows, int columns) throws IOException {
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
}
