package dev.heed.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Activation;
import dev.heed.Attention;
import dev.heed.AttentionOptions;
import dev.heed.RandomTensors;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Compares the outputs of the layers with explicit formulas. */
class CompositionTest {
    private final Tape tape = new Tape(new ReferenceBackend(), DType.F64);
    private final Initial initial = new Initial(new Random(3), DType.F64);
    private final RandomTensors random = new RandomTensors(4);

    @AfterEach
    void close() {
        tape.close();
    }

    private Tensor normal(long... shape) {
        return random.normal(DType.F64, shape);
    }

    /** Compares the scores, the weights and the output with softmax(Q K' / sqrt(d)) V, computed in loops. */
    @Test
    void everyStepOfSelfAttentionIsReadable() {
        Tensor x = normal(1, 4, 3);
        SelfAttention layer = SelfAttention.create(initial, 3, 2, 5);
        SelfAttention.Steps steps = layer.steps(tape, tape.input(x), AttentionOptions.DEFAULT);
        Tensor scores = Objects.requireNonNull(steps.scores());
        Tensor weights = Objects.requireNonNull(steps.weights());
        for (int i = 0; i < 4; i++) {
            double sum = 0;
            double[] row = new double[4];
            for (int j = 0; j < 4; j++) {
                double dot = 0;
                for (int k = 0; k < 2; k++) {
                    dot += product(x, layer.queryWeight(), i, k) * product(x, layer.keyWeight(), j, k);
                }
                assertEquals(dot / Math.sqrt(2), scores.get(0, i, j), 1e-12);
                row[j] = Math.exp(dot / Math.sqrt(2));
                sum += row[j];
            }
            for (int c = 0; c < 5; c++) {
                double expected = 0;
                for (int j = 0; j < 4; j++) {
                    assertEquals(row[j] / sum, weights.get(0, i, j), 1e-12);
                    expected += row[j] / sum * product(x, layer.valueWeight(), j, c);
                }
                assertEquals(expected, steps.output().tensor().get(0, i, c), 1e-12);
            }
        }
    }

    private static double product(Tensor x, Tensor w, int row, int column) {
        double sum = 0;
        for (int k = 0; k < w.size(0); k++) {
            sum += x.get(0, row, k) * w.get(k, column);
        }
        return sum;
    }

    @Test
    void equalMapsReduceToPlainAttention() {
        Linear map = Linear.create(initial, 4, 3);
        Tensor query = normal(2, 3, 3);
        Tensor x = normal(2, 5, 4);
        KeyValueAttention.Steps steps = new KeyValueAttention(map, map, Activation.TANH)
                .forward(tape, tape.input(query), tape.input(x), AttentionOptions.DEFAULT);
        Tensor mapped =
                map.forward(tape, tape.input(x), Activation.TANH).tensor().unsqueeze(1);
        Tensor plain = Attention.scaledDotProduct(
                        query.unsqueeze(1), mapped, mapped, AttentionOptions.DEFAULT.withBackend("reference"))
                .output();
        assertArrayEquals(
                plain.toDoubleArray(), steps.output().tensor().toDoubleArray(), 0, "the same attention, bit for bit");
    }

    @Test
    void keyValuePredictLooksBackThroughItsWindowOnly() {
        var layer = KeyValuePredictAttention.create(initial, 2, 3, 2);
        Tensor h = normal(1, 5, 6);
        KeyValuePredictAttention.Steps steps = layer.forward(tape, tape.input(h));
        for (int t = 0; t < 5; t++) {
            double sum = 0;
            for (int j = 0; j < 5; j++) {
                boolean seen = j < t && j >= t - 2;
                assertEquals(seen, steps.weights().get(0, t, j) > 0, t + " is the query, the key is " + j);
                sum += steps.weights().get(0, t, j);
            }
            assertEquals(t == 0 ? 0 : 1, sum, 1e-12);
        }
        // h* = tanh(r W_r + p W_x), element-wise
        Tensor r = steps.read().tensor();
        for (int t = 0; t < 5; t++) {
            for (int c = 0; c < 2; c++) {
                double z = 0;
                for (int k = 0; k < 2; k++) {
                    z += r.get(0, t, k) * layer.readWeight().get(k, c)
                            + h.get(0, t, 4 + k) * layer.predictWeight().get(k, c);
                }
                assertEquals(Math.tanh(z), steps.output().tensor().get(0, t, c), 1e-12);
            }
        }
        assertThrows(InvalidInputException.class, () -> KeyValuePredictAttention.create(initial, 2, 3, 0));
    }

    @Test
    void weightsOfEveryHeadComeOut() {
        MultiHead layer = MultiHead.create(initial, 8, 4, 2);
        MultiHead.Result result = layer.forward(
                tape,
                tape.input(normal(2, 3, 8)),
                AttentionOptions.DEFAULT.causal().withWeights());
        Tensor weights = Objects.requireNonNull(result.weights());
        assertArrayEquals(new long[] {2, 4, 3, 3}, weights.shape());
        for (int h = 0; h < 4; h++) {
            assertEquals(1, weights.get(0, h, 0, 0), 1e-12, "the first row attends to itself only");
            assertEquals(0, weights.get(0, h, 0, 1));
        }
    }

    /** Compares the Java loops of one additive step with the same attention on the reference backend. */
    @Test
    void theAdditiveStepIsTheAdditiveScore() {
        Tensor query = normal(3, 4);
        Tensor memory = normal(5, 3, 4);
        Tensor v = normal(4);
        int[] lengths = {5, 1, 3};
        Tensor heads = memory.transpose(0, 1).unsqueeze(1);
        var onBackend = Attention.scaledDotProduct(
                query.reshape(3, 1, 1, 4),
                heads,
                heads,
                AttentionOptions.DEFAULT
                        .withScore(ScoreFunction.additive(v))
                        .withMask(Mask.keyLengths(5, 1, 3))
                        .withWeights()
                        .withBackend("reference"));
        Value keys = tape.input(memory);
        var byLoops = AdditiveStep.align(tape, tape.input(query), keys, keys, tape.parameter(v), lengths);
        assertArrayEquals(
                onBackend.output().toDoubleArray(), byLoops.context().tensor().toDoubleArray(), 1e-13);
        assertArrayEquals(
                Objects.requireNonNull(onBackend.weights()).toDoubleArray(),
                Objects.requireNonNull(byLoops.weights()).toDoubleArray(),
                1e-13);
    }

    @Test
    void whatLiesBeyondALengthChangesNothing() {
        var encoder = new Bidirectional(GruCell.create(initial, 2, 3), LstmCell.create(initial, 2, 3));
        Tensor x = normal(4, 1, 2);
        Bidirectional.Read longer = encoder.forward(tape, tape.input(x), new int[] {2});
        Bidirectional.Read alone = encoder.forward(tape, tape.input(x.slice(0, 0, 2)), new int[] {2});
        assertArrayEquals(
                alone.last().tensor().toDoubleArray(), longer.last().tensor().toDoubleArray());
        assertArrayEquals(
                alone.annotations().tensor().toDoubleArray(),
                longer.annotations().tensor().slice(0, 0, 2).toDoubleArray());
        assertThrows(InvalidInputException.class, () -> encoder.forward(tape, tape.input(x), new int[] {5}));
    }

    @Test
    void layerNormIsThatOfTheEncoder() {
        LayerNorm norm = new LayerNorm(normal(5).to(DType.F32), normal(5).to(DType.F32), 1e-12);
        Tensor x = normal(3, 5).to(DType.F32);
        float[] rows = x.toFloatArray();
        norm.inPlace().apply(rows, 3);
        try (var narrow = new Tape(new VectorBackend(1), DType.F32)) {
            assertArrayEquals(
                    rows, norm.forward(narrow, narrow.input(x)).tensor().toFloatArray(), 1e-6f);
        }
    }

    @Test
    void firstValuesAreWhatTheySay() {
        double[] glorot = initial.glorot(30, 20).toDoubleArray();
        double limit = Math.sqrt(6.0 / 50);
        double largest = 0;
        for (double w : glorot) {
            largest = Math.max(largest, Math.abs(w));
        }
        assertTrue(largest <= limit && largest > 0.9 * limit, largest + " of " + limit);
        Tensor blocks = initial.orthogonal(6, 2);
        for (int block = 0; block < 2; block++) {
            Tensor q = blocks.slice(1, block * 6, block * 6 + 6);
            for (int a = 0; a < 6; a++) {
                for (int b = 0; b < 6; b++) {
                    double dot = 0;
                    for (int c = 0; c < 6; c++) {
                        dot += q.get(a, c) * q.get(b, c);
                    }
                    assertEquals(a == b ? 1 : 0, dot, 1e-12);
                }
            }
        }
        assertArrayEquals(
                GradientCheck.initial(9, DType.F32).glorot(3, 4).toFloatArray(),
                GradientCheck.initial(9, DType.F32).glorot(3, 4).toFloatArray());
    }

    @Test
    void parametersAreNamedInOrder() {
        var block = TransformerEncoderBlock.create(initial, 4, 2, 2, 8);
        assertEquals(
                List.of("attentionNorm.weight", "attentionNorm.bias", "attention.query"),
                block.parameters().keySet().stream().limit(3).toList());
        assertEquals(16, block.parameters().size());
    }

    @Test
    void wrongTypesAndShapesAreRefused() {
        assertThrows(InvalidInputException.class, () -> new Tape(new ReferenceBackend(), DType.BF16));
        Value x = tape.input(normal(2, 3));
        assertThrows(InvalidInputException.class, () -> tape.add(x, tape.input(normal(2, 4))));
        assertThrows(InvalidInputException.class, () -> tape.parameter(normal(2).to(DType.F32)));
        assertThrows(InvalidInputException.class, () -> tape.backward(x, normal(2, 4)));
        assertThrows(InvalidInputException.class, () -> tape.rows(x, 2));
        assertThrows(
                InvalidInputException.class,
                () -> new ScoredAlignment(ScoreFunction.location(normal(3, 2)))
                        .remember(tape, tape.input(normal(3, 1, 3)), x, new int[] {3}));
    }
}
