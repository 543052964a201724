package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertClose;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.DType;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests of properties that softmax, multi-head attention and the rotary embedding have for any input. */
interface LayerContract extends ContractChapter {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 15, 16, 17, 1000, 1_000_000})
    default void softmaxRowsSumToOne(int n) {
        Tensor input = new RandomTensors(n).normal(DType.F32, 2, n);
        double[] y = softmax(input, 1, false).toDoubleArray();
        double[] logs = softmax(input, 1, true).toDoubleArray();
        for (int row = 0; row < 2; row++) {
            double sum = 0;
            for (int i = row * n; i < (row + 1) * n; i++) {
                sum += y[i];
                assertEquals(Math.log(y[i]), logs[i], 1e-4);
            }
            assertEquals(1, sum, 2e-5);
        }
    }

    @Test
    default void softmaxOfARowOfOneIsOne() {
        Tensor input = new RandomTensors(1).normal(DType.F32, 5, 1);
        assertAll(1, softmax(input, 1, false));
        assertAll(0, softmax(input, 1, true));
    }

    @Test
    default void softmaxOfEqualNumbersIsUniform() {
        assertClose(
                Tensor.zeros(DType.F32, 1_000_000).fill(1e-6),
                softmax(Tensor.zeros(DType.F32, 1_000_000).fill(7), 0, false),
                1e-11);
    }

    @Test
    default void softmaxAlongAnAxisIsSoftmaxOfTheTransposed() {
        Tensor input = new RandomTensors(2).normal(DType.F32, 3, 17, 5);
        Tensor expected = softmax(input.transpose(1, 2).copy(), 2, false).transpose(1, 2);
        assertClose(expected, softmax(input, 1, false), 1e-6);
        assertClose(expected, softmax(input.transpose(1, 2), 2, false).transpose(1, 2), 1e-6);
    }

    @Test
    default void softmaxRowsOfMinusInfinityAreZero() {
        Tensor input = new RandomTensors(3).normal(DType.F32, 3, 40);
        input.select(0, 1).fill(Double.NEGATIVE_INFINITY);
        Tensor clean = softmax(new RandomTensors(3).normal(DType.F32, 3, 40), 1, false);
        Tensor output = softmax(input, 1, false);
        assertAll(0, output.select(0, 1));
        assertSameBits(clean.select(0, 2), output.select(0, 2));
        assertAll(Double.NEGATIVE_INFINITY, softmax(input, 1, true).select(0, 1));
    }

    @Test
    default void softmaxKeepsNanAndInfinityInTheirRows() {
        Tensor input = new RandomTensors(4).normal(DType.F32, 4, 40);
        Tensor clean = softmax(input, 1, false);
        input.set(Double.NaN, 1, 33);
        input.set(Double.POSITIVE_INFINITY, 2, 5);
        Tensor output = softmax(input, 1, false);
        assertAll(Double.NaN, output.select(0, 1));
        assertTrue(Double.isNaN(output.get(2, 5)));
        assertSameBits(clean.select(0, 0), output.select(0, 0));
        assertSameBits(clean.select(0, 3), output.select(0, 3));
    }

    @Test
    default void multiHeadWithUnitProjectionsIsPlainAttention() {
        Qkv qkv = Qkv.of("q2x4x9x8 kv4x9 f32");
        AttentionOptions options = AttentionOptions.DEFAULT.causal().withLse();
        AttentionResult plain = forward(qkv.with(options));
        MultiHeadInputs inputs = MultiHeadInputs.of(
                joined(qkv.query()), joined(qkv.key()), joined(qkv.value()), units(32), 4, 4, options);
        AttentionResult result = multiHead(inputs);
        assertClose(joined(plain.output()), result.output(), 1e-5);
        assertClose(Objects.requireNonNull(plain.lse()), Objects.requireNonNull(result.lse()), 1e-5);
    }

    @Test
    default void multiHeadReadsTransposedWeightsWhereTheyLie() {
        var random = new RandomTensors(5);
        Tensor x = random.normal(DType.F32, 2, 7, 24);
        var weights = MultiHeadWeights.of(
                        random.normal(DType.F32, 24, 24),
                        random.normal(DType.F32, 24, 12),
                        random.normal(DType.F32, 24, 12),
                        random.normal(DType.F32, 24, 10))
                .withBiases(
                        random.normal(DType.F32, 24), null, random.normal(DType.F32, 12), random.normal(DType.F32, 10));
        var turned = MultiHeadWeights.of(
                        turned(weights.query()),
                        turned(weights.key()),
                        turned(weights.value()),
                        turned(weights.output()))
                .withBiases(weights.queryBias(), null, weights.valueBias(), weights.outputBias());
        Tensor expected = multiHead(MultiHeadInputs.of(x, x, x, weights, 4, 2, AttentionOptions.DEFAULT))
                .output();
        Tensor actual = multiHead(MultiHeadInputs.of(x, x, x, turned, 4, 2, AttentionOptions.DEFAULT))
                .output();
        assertClose(expected, actual, 1e-5 * RandomTensors.largest(expected));
    }

    @Test
    default void rotaryKeepsLengthsAndTurnsBack() {
        for (boolean interleaved : new boolean[] {false, true}) {
            Tensor x = new RandomTensors(6).normal(DType.F32, 2, 3, 5, 12);
            RotaryInputs inputs = RotaryInputs.of(x, table(true, 5, 4), table(false, 5, 4), positions(), interleaved);
            Tensor turned = rotary(inputs);
            assertSameBits(x.slice(3, 8, 12).copy(), turned.slice(3, 8, 12).copy());
            assertSameBits(x.select(2, 0).copy(), turned.select(2, 0).copy());
            for (long s = 0; s < 5; s++) {
                assertEquals(
                        length(x.select(0, 1).select(0, 2).select(0, s)),
                        length(turned.select(0, 1).select(0, 2).select(0, s)),
                        1e-5);
            }
            Tensor back = Tensor.zeros(DType.F32, x.shape());
            try (RotaryPlan plan = subject().plan(inputs.problem())) {
                plan.backward(inputs, turned, back);
            }
            assertClose(x, back, 1e-5);
        }
    }

    /** Scores of rotated queries and keys depend only on the distance of their positions. */
    @Test
    default void rotaryScoresDependOnTheDistance() {
        var random = new RandomTensors(7);
        Tensor q = random.normal(DType.F32, 1, 1, 1, 8).expand(1, 1, 5, 8).copy();
        Tensor k = random.normal(DType.F32, 1, 1, 1, 8).expand(1, 1, 5, 8).copy();
        Tensor cos = table(true, 5, 4);
        Tensor sin = table(false, 5, 4);
        Tensor at = Tensor.of(new long[] {0, 1, 2, 3, 4}, 1, 5);
        Tensor turnedQ = rotary(RotaryInputs.of(q, cos, sin, at, false));
        Tensor turnedK = rotary(RotaryInputs.of(k, cos, sin, at, false));
        for (long distance = 0; distance < 4; distance++) {
            for (long s = 1; s + distance < 5; s++) {
                assertEquals(dot(turnedQ, turnedK, 0, distance), dot(turnedQ, turnedK, s, s + distance), 1e-5);
            }
        }
    }

    private static MultiHeadWeights units(int n) {
        Tensor unit = Tensor.zeros(DType.F32, n, n);
        for (int i = 0; i < n; i++) {
            unit.set(1, i, i);
        }
        return MultiHeadWeights.of(unit, unit, unit, unit);
    }

    /** {@return the same matrix, stored column-major} */
    private static Tensor turned(Tensor matrix) {
        return matrix.transpose(0, 1).copy().transpose(0, 1);
    }

    private static Tensor joined(Tensor heads) {
        return Layout.BSHD.toBhsd(heads).reshape(heads.size(0), heads.size(2), heads.size(1) * heads.size(3));
    }

    private static Tensor positions() {
        return Tensor.of(new long[] {0, 3, 1, 4, 2, 0, 1, 2, 3, 4}, 2, 5);
    }

    private static Tensor table(boolean cosine, int rows, int half) {
        Tensor table = Tensor.zeros(DType.F32, rows, half);
        for (int p = 0; p < rows; p++) {
            for (int i = 0; i < half; i++) {
                double angle = p / Math.pow(10, i);
                table.set(cosine ? Math.cos(angle) : Math.sin(angle), p, i);
            }
        }
        return table;
    }

    private static double length(Tensor row) {
        double sum = 0;
        for (double x : row.toDoubleArray()) {
            sum += x * x;
        }
        return Math.sqrt(sum);
    }

    private static double dot(Tensor q, Tensor k, long i, long j) {
        double sum = 0;
        for (long d = 0; d < q.size(3); d++) {
            sum += q.get(0, 0, i, d) * k.get(0, 0, j, d);
        }
        return sum;
    }
}
