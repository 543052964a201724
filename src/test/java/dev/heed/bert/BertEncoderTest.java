package dev.heed.bert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares the outputs of the whole model with the outputs of ONNX Runtime on the same file. */
@Tag("slow")
class BertEncoderTest {
    private static final double HIDDEN_TOLERANCE = 1e-4;
    private static final double WEIGHT_TOLERANCE = 2e-5;
    private static final BertEncoder ENCODER = new BertEncoder(Loaded.MODEL, new ReferenceBackend());

    private static OrtBert ort;

    @BeforeAll
    static void open() throws Exception {
        ort = new OrtBert(Loaded.MODEL_FILE, Loaded.MODEL.layers());
    }

    @AfterAll
    static void close() throws Exception {
        ort.close();
    }

    @Test
    void chosenRowsAndLargestWeightsAreThoseOfAllWeights() {
        List<BertToken> tokens =
                Loaded.TOKENIZER.encode("the animal didn't cross the street because it was too tired .");
        BertEncoding all = ENCODER.encode(tokens, 0, 1, 2, 3, 4, 5);
        List<Tensor> rows = ENCODER.rows(tokens, 10, 2);
        List<BertStrongest> strongest = ENCODER.strongest(tokens, 3);
        assertEquals(6, rows.size());
        assertEquals(6, strongest.size());
        for (int layer = 0; layer < 6; layer++) {
            Tensor weights = all.weights(layer);
            assertTrue(rows.get(layer).hasShape(12, 2, tokens.size()));
            for (int head = 0; head < 12; head++) {
                for (int j = 0; j < tokens.size(); j++) {
                    assertEquals(weights.get(head, 10, j), rows.get(layer).get(head, 0, j), WEIGHT_TOLERANCE);
                    assertEquals(weights.get(head, 2, j), rows.get(layer).get(head, 1, j), WEIGHT_TOLERANCE);
                }
                BertStrongest largest = strongest.get(layer);
                double[] row = weights.select(0, head).select(0, 7).toDoubleArray();
                for (int k = 0; k < 3; k++) {
                    int key = (int) largest.keys().get(head, 7, k);
                    assertEquals(row[key], largest.weights().get(head, 7, k), WEIGHT_TOLERANCE);
                }
                assertEquals(
                        java.util.Arrays.stream(row).max().orElseThrow(),
                        largest.weights().get(head, 7, 0),
                        WEIGHT_TOLERANCE);
            }
        }
        assertThrows(InvalidInputException.class, () -> ENCODER.strongest(tokens, 0));
        assertThrows(InvalidInputException.class, () -> ENCODER.rows(tokens));
        assertThrows(InvalidInputException.class, () -> ENCODER.rows(tokens, tokens.size()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hello",
                "A",
                "!",
                "the animal didn't cross the street because it was too tired .",
                "The animal didn't cross the street because it was too wide.",
                "Ça alors, déjà vu à l'Élysée: naïve façade!",
                "Übermäßig schöne Grüße aus Köln",
                "Łódź, Þingvellir, İstanbul, ﬁne",
                "東京は日本の首都です。",
                "我爱北京天安门",
                "한국어 문장도 읽는다",
                "Съешь же ещё этих мягких французских булок",
                "مرحبا بالعالم",
                "😀 smile, 👩‍👩‍👧 family and 🇩🇪 flag",
                "Wait... what?! (No way) -- \"really\"; he said: #1 & 100% @home",
                "MiXeD CaSe SENTENCE with ACRONYMS like NASA and iPhone",
                "In 1984, 3.14159 of 1,000,000 rows took 42ms on 2026-01-31.",
                "See https://example.org/a/b?c=d&e=%20f#g or mail me@example.org",
                "unaffordable antidisestablishmentarianism electroencephalographically",
                "for (int i = 0; i < n; i++) { sum += x[i] * w[i]; }",
                "  tabs\tand\nnew lines   and\u00A0hard spaces  ",
                "[MASK] and [UNK] and ##ing typed by hand [SEP] here",
                "x",
                "no no no no no no no no no no no no no no no no no no no no"
            })
    void equalsOnnxRuntime(String sentence) throws Exception {
        List<BertToken> tokens = Loaded.TOKENIZER.encode(sentence);
        BertEncoding ours = ENCODER.encode(tokens, 0, 1, 2, 3, 4, 5);
        assertEquals(Set.of(0, 1, 2, 3, 4, 5), ours.weights().keySet());
        OrtBert.Answer theirs = ort.run(tokens);
        compare("hidden", HIDDEN_TOLERANCE, theirs.hidden(), ours.hidden());
        for (int layer = 0; layer < Loaded.MODEL.layers(); layer++) {
            compare(
                    "weights of layer " + layer,
                    WEIGHT_TOLERANCE,
                    theirs.weights().get(layer),
                    ours.weights(layer));
            requireRowsSumToOne(ours.weights(layer));
        }
    }

    @Test
    void equalsOnnxRuntimeOnTheLongestSentence() throws Exception {
        String text = "A model of this kind reads at most five hundred and twelve pieces; this is one of many. ";
        List<BertToken> words = Loaded.TOKENIZER.encode(text.repeat(40));
        List<BertToken> tokens = new ArrayList<>(words.subList(0, 511));
        tokens.add(words.getLast());
        BertEncoding ours = ENCODER.encode(tokens, 5);
        OrtBert.Answer theirs = ort.run(tokens);
        compare("hidden", HIDDEN_TOLERANCE, theirs.hidden(), ours.hidden());
        compare("weights of layer 5", WEIGHT_TOLERANCE, theirs.weights().get(5), ours.weights(5));
    }

    /**
     * Compares the weights of one head of the first layer with weights computed in double from the named tensors of the
     * file.
     */
    @Test
    void weightsAreTheSoftmaxOfTheProjections() {
        List<BertToken> tokens = Loaded.TOKENIZER.encode("the cat sat on the mat");
        int head = 7;
        double[][] x = new double[tokens.size()][];
        for (int i = 0; i < x.length; i++) {
            x[i] = normalised(plus(
                    row("embeddings.word_embeddings.weight", tokens.get(i).id()),
                    row("embeddings.position_embeddings.weight", i),
                    row("embeddings.token_type_embeddings.weight", 0)));
        }
        double[][] q = project(x, "onnx::MatMul_787", "encoder.layer.0.attention.self.query.bias", head);
        double[][] k = project(x, "onnx::MatMul_788", "encoder.layer.0.attention.self.key.bias", head);
        Tensor weights = ENCODER.encode(tokens, 0).weights(0).select(0, head);
        for (int i = 0; i < x.length; i++) {
            double[] row = new double[x.length];
            double sum = 0;
            for (int j = 0; j < x.length; j++) {
                row[j] = Math.exp(dot(q[i], k[j]) / Math.sqrt(32));
                sum += row[j];
            }
            for (int j = 0; j < x.length; j++) {
                assertEquals(row[j] / sum, weights.get(i, j), 1e-6);
            }
        }
    }

    @Test
    void keepsOnlyTheLayersAskedForAndIsRepeatable() {
        List<BertToken> tokens = Loaded.TOKENIZER.encode("the cat sat on the mat");
        BertEncoding none = ENCODER.encode(tokens);
        BertEncoding some = ENCODER.encode(tokens, 4, 2, 4);
        assertEquals(Set.of(), none.weights().keySet());
        assertEquals(List.of(2, 4), List.copyOf(some.weights().keySet()));
        assertArrayEquals(none.hidden().toFloatArray(), some.hidden().toFloatArray());
        assertArrayEquals(new long[] {12, 8, 8}, some.weights(2).shape());
        var refusal = assertThrows(InvalidInputException.class, () -> some.weights(3));
        assertTrue(refusal.getMessage().contains("[2, 4]"), refusal.getMessage());
        assertThrows(InvalidInputException.class, () -> ENCODER.encode(tokens, 6));
        assertThrows(InvalidInputException.class, () -> ENCODER.encode(tokens, -1));
    }

    @Test
    void aBatchIsEachSentenceAlone() {
        List<List<BertToken>> sentences = Stream.of(
                        "the cat sat on the mat",
                        "yes",
                        "The animal didn't cross the street because it was too tired.",
                        "the dog sat on the mat",
                        "word ".repeat(400),
                        "word ".repeat(390))
                .map(Loaded.TOKENIZER::encode)
                .toList();
        List<BertEncoding> together = ENCODER.encodeAll(sentences);
        assertEquals(sentences.size(), together.size());
        for (int i = 0; i < sentences.size(); i++) {
            BertEncoding alone = ENCODER.encode(sentences.get(i));
            assertEquals(sentences.get(i), together.get(i).tokens());
            compare(
                    "sentence " + i,
                    2e-5,
                    alone.hidden().toFloatArray(),
                    together.get(i).hidden());
        }
        assertEquals(List.of(), ENCODER.encodeAll(List.of()));
        assertThrows(InvalidInputException.class, () -> ENCODER.encodeAll(List.of(sentences.get(0), List.of())));
    }

    @Test
    void embeddingsCompareSentences() {
        float[] cat = embedding("A cat is sleeping on the sofa.");
        float[] kitten = embedding("The kitten naps on a couch.");
        float[] market = embedding("Stock prices fell sharply on Monday.");
        assertEquals(1, dot(cat, cat), 1e-6);
        assertTrue(dot(cat, kitten) > 0.5, "cat and kitten " + dot(cat, kitten));
        assertTrue(dot(cat, market) < 0.1, "cat and market " + dot(cat, market));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        BertToken word = Loaded.TOKENIZER.encode("word").get(1);
        refused("got       513 tokens", Collections.nCopies(513, word));
        refused("The sentence is empty", List.of());
        refused("id=30522", List.of(new BertToken("x", 30522, 0, false)));
        refused("id=-1", List.of(new BertToken("x", -1, 0, false)));
        refused("segment=2", List.of(new BertToken("x", 5, 2, false)));
    }

    private static void refused(String named, List<BertToken> tokens) {
        var refusal = assertThrows(InvalidInputException.class, () -> ENCODER.encode(tokens));
        assertTrue(refusal.getMessage().contains(named), refusal.getMessage());
    }

    private static void compare(String what, double tolerance, float[] expected, Tensor actual) {
        float[] values = actual.toFloatArray();
        assertEquals(expected.length, values.length, what);
        double worst = 0;
        for (int i = 0; i < values.length; i++) {
            // For NaN, the comparison below is false, so NaN becomes the worst error.
            double error = Math.abs(expected[i] - values[i]);
            worst = error <= worst ? worst : error;
        }
        assertTrue(worst <= tolerance, what + " differ by up to " + worst);
    }

    private static void requireRowsSumToOne(Tensor weights) {
        float[] values = weights.toFloatArray();
        int keys = (int) weights.size(2);
        for (int from = 0; from < values.length; from += keys) {
            double sum = 0;
            for (int j = 0; j < keys; j++) {
                sum += values[from + j];
            }
            assertEquals(1, sum, 1e-6);
        }
    }

    private static float[] embedding(String sentence) {
        return ENCODER.encode(Loaded.TOKENIZER.encode(sentence)).embedding();
    }

    private static double dot(float[] a, float[] b) {
        double dot = 0;
        for (int i = 0; i < a.length; i++) {
            dot += a[i] * b[i];
        }
        return dot;
    }

    // ---------------------------------------------------------------- the first layer, computed in double

    private static double[] row(String tensor, long row) {
        return Loaded.GRAPH.initializer(tensor).tensor().select(0, row).toDoubleArray();
    }

    private static double[] vector(String tensor) {
        return Loaded.GRAPH.initializer(tensor).tensor().toDoubleArray();
    }

    private static double[] plus(double[]... terms) {
        double[] sum = new double[terms[0].length];
        for (double[] term : terms) {
            for (int j = 0; j < sum.length; j++) {
                sum[j] += term[j];
            }
        }
        return sum;
    }

    private static double[] normalised(double[] x) {
        double[] weight = vector("embeddings.LayerNorm.weight");
        double[] bias = vector("embeddings.LayerNorm.bias");
        double mean = 0;
        double square = 0;
        for (double e : x) {
            mean += e / x.length;
            square += e * e / x.length;
        }
        double[] y = new double[x.length];
        for (int j = 0; j < x.length; j++) {
            y[j] = (x[j] - mean) / Math.sqrt(square - mean * mean) * weight[j] + bias[j];
        }
        return y;
    }

    private static double[][] project(double[][] x, String weight, String bias, int head) {
        Tensor columns = Loaded.GRAPH.initializer(weight).tensor().split(1, 12).select(1, head);
        double[] added = vector(bias);
        double[][] y = new double[x.length][32];
        for (int i = 0; i < x.length; i++) {
            for (int d = 0; d < 32; d++) {
                y[i][d] = added[head * 32 + d] + dot(x[i], columns.select(1, d).toDoubleArray());
            }
        }
        return y;
    }

    private static double dot(double[] a, double[] b) {
        double dot = 0;
        for (int i = 0; i < a.length; i++) {
            dot += a[i] * b[i];
        }
        return dot;
    }
}
