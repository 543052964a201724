package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.heed.Attention;
import dev.heed.AttentionOptions;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.view.text.VisibleText;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the HTML file of a page; the subclasses of {@link PageInBrowser} test the page in a browser. */
class AttentionPageTest {
    static final List<String> NASTY = List.of(
            "<script>alert(1)</script>",
            "</script><img src=x onerror=alert(2)>",
            "a \"b\" & 'c'",
            "line\nbreak",
            "\u001b[31m\0",
            "<!--",
            "שלום",
            "مرحبا",
            "注意力",
            "👩‍🚀",
            "\u202eevil",
            "\ud800",
            "{{json}}",
            "",
            "a".repeat(90));

    @TempDir
    Path directory;

    /** One decoded head, as the browser reads it. */
    private record Head(List<int[]> keys, List<double[]> weights, float[] rests) {}

    private static String part(String html, String id) {
        Matcher found = Pattern.compile("<script type=\"[^\"]+\" id=\"" + id + "\">([^<]*)</script>")
                .matcher(html);
        assertTrue(found.find(), id);
        return found.group(1);
    }

    private static JsonObject meta(String html) {
        return JsonParser.parseString(part(html, "meta")).getAsJsonObject();
    }

    private static List<Head> heads(String html) throws IOException {
        JsonObject meta = meta(html);
        int rows = meta.getAsJsonArray("left").size();
        byte[] packed = Base64.getDecoder().decode(part(html, "weights"));
        byte[] bytes = new InflaterInputStream(new ByteArrayInputStream(packed)).readAllBytes();
        ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        List<Head> heads = new ArrayList<>();
        for (var layer : meta.getAsJsonArray("layers")) {
            double scale = layer.getAsJsonObject().get("scale").getAsDouble();
            for (int h = 0; h < layer.getAsJsonObject().get("heads").getAsInt(); h++) {
                heads.add(head(data, rows, scale));
            }
        }
        assertFalse(data.hasRemaining());
        return heads;
    }

    private static Head head(ByteBuffer data, int rows, double scale) {
        var head = new Head(new ArrayList<>(), new ArrayList<>(), new float[rows]);
        int total = 0;
        for (int i = 0; i < rows; i++) {
            int count = Short.toUnsignedInt(data.getShort());
            head.keys.add(new int[count]);
            head.weights.add(new double[count]);
            total += count;
        }
        for (int[] keys : head.keys) {
            int next = 0;
            for (int e = 0; e < keys.length; e++) {
                int gap = 0;
                int shift = 0;
                byte part;
                do {
                    part = data.get();
                    gap |= (part & 0x7F) << shift;
                    shift += 7;
                } while (part < 0);
                keys[e] = next + gap;
                next = keys[e] + 1;
            }
        }
        int at = data.position();
        for (double[] weights : head.weights) {
            for (int e = 0; e < weights.length; e++, at++) {
                int code = Byte.toUnsignedInt(data.get(at)) << 8 | Byte.toUnsignedInt(data.get(at + total));
                weights[e] = code == 0xFFFF ? Double.NaN : scale * (code / 65534.0) * (code / 65534.0);
            }
        }
        data.position(data.position() + 2 * total);
        for (int i = 0; i < rows; i++) {
            head.rests[i] = data.getFloat();
        }
        return head;
    }

    private static Tensor rows(double[]... rows) {
        double[] all = new double[rows.length * rows[0].length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, all, i * rows[0].length, rows[0].length);
        }
        return Tensor.of(all, 1, rows.length, rows[0].length);
    }

    private static List<String> words(int count) {
        return IntStream.range(0, count).mapToObj(i -> "w" + i).toList();
    }

    @Test
    void weightsTravelWithinTheirCode() throws IOException {
        var random = new Random(3);
        double[][] rows = new double[40][40];
        for (double[] row : rows) {
            for (int j = 0; j < row.length; j++) {
                row[j] = Math.pow(random.nextDouble(), 8);
            }
        }
        rows[3][7] = 0;
        rows[4][0] = 1;
        Head head = heads(AttentionPage.of(words(40)).layer(rows(rows)).html()).getFirst();
        for (int i = 0; i < 40; i++) {
            double[] back = new double[40];
            for (int e = 0; e < head.keys.get(i).length; e++) {
                back[head.keys.get(i)[e]] = head.weights.get(i)[e];
            }
            for (int j = 0; j < 40; j++) {
                assertEquals(rows[i][j], back[j], 1.6e-5 * Math.sqrt(rows[i][j]) + 6e-11, i + ", " + j);
            }
            assertEquals(0, head.rests[i], 1e-8);
        }
        assertEquals(1, head.weights.get(4)[0], "1 is exact");
    }

    @Test
    void aRowKeepsItsLargestAndSaysWhatItLeavesOut() throws IOException {
        double[] row = {0.1, 0.3, 0.05, 0.3, 0.15, 0.1};
        String html = AttentionPage.of(List.of("a"), words(6))
                .perRow(4)
                .layer(rows(row))
                .html();
        Head head = heads(html).getFirst();
        assertEquals("[0, 1, 3, 4]", java.util.Arrays.toString(head.keys.getFirst()), "the lower key among equals");
        assertEquals(0.15, head.rests[0], 1e-6);
    }

    @Test
    void theKernelsOwnLargestWeightsAreThePage() throws IOException {
        var random = new Random(5);
        float[] numbers = new float[2 * 30 * 8];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        Tensor x = Tensor.of(numbers, 1, 2, 30, 8);
        AttentionOptions options =
                AttentionOptions.DEFAULT.causal().withWeights().withTopK(5).withBackend(new ReferenceBackend().name());
        var result = Attention.scaledDotProduct(x, x, x, options);
        List<Head> listed = heads(AttentionPage.of(words(30))
                .strongest(
                        "layer 0",
                        result.topKWeights().select(0, 0),
                        result.topKIndices().select(0, 0))
                .html());
        List<Head> dense = heads(AttentionPage.of(words(30))
                .perRow(5)
                .layer(result.weights().select(0, 0))
                .html());
        for (int h = 0; h < 2; h++) {
            for (int i = 0; i < 30; i++) {
                assertEquals(Math.min(5, i + 1), listed.get(h).keys.get(i).length, "causal");
                assertEquals(
                        java.util.Arrays.toString(dense.get(h).keys.get(i)),
                        java.util.Arrays.toString(listed.get(h).keys.get(i)));
                assertEquals(dense.get(h).rests[i], listed.get(h).rests[i], 1e-5);
            }
        }
    }

    @Test
    void whatIsNoNumberStaysNoNumber() throws IOException {
        Head head = heads(AttentionPage.of(List.of("a"), words(3))
                        .layer(rows(new double[] {Double.NaN, 0.5, Double.POSITIVE_INFINITY}))
                        .html())
                .getFirst();
        assertTrue(Double.isNaN(head.weights.getFirst()[0])
                && Double.isNaN(head.weights.getFirst()[2]));
        assertEquals(0.5, head.weights.getFirst()[1], 2e-5);
        assertEquals(
                0,
                heads(AttentionPage.of(words(2))
                                .layer(Tensor.of(new float[4], 1, 2, 2))
                                .html())
                        .getFirst()
                        .keys
                        .getFirst()
                        .length);
    }

    @Test
    void weightsAboveOneHaveAScale() throws IOException {
        String html = AttentionPage.of(words(2))
                .layer(rows(new double[] {3, 12}, new double[] {0.25, 0}))
                .html();
        assertEquals(
                12,
                meta(html)
                        .getAsJsonArray("layers")
                        .get(0)
                        .getAsJsonObject()
                        .get("scale")
                        .getAsDouble());
        assertEquals(3, heads(html).getFirst().weights.getFirst()[0], 1e-3);
        assertEquals(0.25, heads(html).getFirst().weights.get(1)[0], 1e-4);
    }

    @Test
    void textsCannotLeaveTheirPlace() {
        int n = NASTY.size();
        String html = AttentionPage.of(NASTY)
                .title("<script>alert('title')</script>{{weights}}")
                .note("</script><b>")
                .layer("<i>layer</i>", Tensor.of(new float[n * n], 1, n, n))
                .html();
        assertEquals(
                3,
                Collections.frequency(
                        List.of(html.split("(?=<script)")).stream()
                                .map(piece -> piece.startsWith("<script"))
                                .toList(),
                        true));
        assertFalse(html.contains("alert('title')") || html.contains("<i>layer") || html.contains("<img"), html);
        assertFalse(html.contains("\u202e") || html.contains("\u001b") || html.contains("\ud800"), "controls");
        JsonObject meta = meta(html);
        for (int i = 0; i < n; i++) {
            assertEquals(
                    VisibleText.of(NASTY.get(i)),
                    meta.getAsJsonArray("left").get(i).getAsString());
        }
        assertTrue(
                html.contains("<title>&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt;{{weights}}</title>"), html);
    }

    @Test
    void nothingIsLoadedFromAnywhere() {
        String html = AttentionPage.of(words(3))
                .layer(Tensor.of(new float[9], 1, 3, 3))
                .html();
        assertTrue(html.contains("default-src 'none'"), html);
        assertEquals(
                List.of("http://www.w3.org/2000/svg"),
                Pattern.compile("https?://[^\"' )]+")
                        .matcher(html)
                        .results()
                        .map(match -> match.group())
                        .distinct()
                        .toList(),
                "a name, not an address");
        assertFalse(html.contains("src=") || html.contains("href=\"") || html.contains("@import"), "no reference");
    }

    @Test
    void writesTheSameToAFile() throws IOException {
        AttentionPage page = AttentionPage.of(words(3))
                .segments(0, 0, 1)
                .special(List.of(2, 0, 2))
                .layer(Tensor.of(new float[9], 1, 3, 3))
                .opensAt(0)
                .pinned(1);
        Path file = directory.resolve("page.html");
        page.write(file);
        assertEquals(page.html(), Files.readString(file));
        assertThrows(IOException.class, () -> page.write(directory));
        JsonObject meta = meta(page.html());
        assertEquals("[0,0,1]", meta.get("segments").toString());
        assertEquals("[0,2]", meta.get("specialLeft").toString());
        assertEquals(
                "{\"layer\":0,\"head\":-1,\"pinned\":[1]}", meta.get("open").toString());
    }

    @Test
    void whatDoesNotFitIsRefused() {
        AttentionPage page = AttentionPage.of(words(2));
        Tensor weights = Tensor.of(new float[] {1, 0, 0.5f, 0.5f}, 1, 2, 2);
        refused("1 or more", () -> AttentionPage.of(List.of()));
        refused("1 layer or more", page::html);
        refused("[heads, 2, 2]", () -> page.layer(Tensor.of(new float[6], 1, 2, 3)));
        refused("[heads, 2, 2]", () -> page.layer(Tensor.of(new float[4], 2, 2)));
        refused(">= 0", () -> page.layer(Tensor.of(new float[] {1, -1, 0, 0}, 1, 2, 2)));
        refused("1 to 65535", () -> page.perRow(0));
        refused("2 numbers", () -> page.segments(0));
        refused("a page of one text", () -> AttentionPage.of(words(2), words(3)).segments(0, 1));
        refused("0 to 1", () -> page.special(List.of(2)));
        refused("both sides", () -> AttentionPage.of(words(2), words(3)).special(List.of(0)));
        refused("0 to 1", () -> page.pinned(-1));
        refused("heads 0 to 0", () -> page.layer(weights).opensAt(0, 1).html());
        refused("layers 0 to 0", () -> page.layer(weights).opensAt(1).html());
        refused("same shape", () -> page.strongest("layer", weights, Tensor.of(new long[] {0, 1}, 1, 2, 1)));
        refused("0 to 1", () -> page.strongest("layer", weights, Tensor.of(new long[] {0, 1, 2, 0}, 1, 2, 2)));
        refused("differ", () -> page.strongest("layer", weights, Tensor.of(new long[] {0, 1, 1, 1}, 1, 2, 2)));
    }

    private static void refused(String expected, Runnable call) {
        String message = assertThrows(InvalidInputException.class, call::run).oneLine();
        assertTrue(message.contains(expected), message);
    }
}
