package dev.heed.mechanism;

import static dev.heed.backend.reference.CentralDifference.assertGradient;
import static dev.heed.backend.reference.CentralDifference.weighed;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Attention;
import dev.heed.AttentionBackend;
import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.Backends;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that hard attention draws keys with probabilities equal to their weights, that it draws the same keys on every
 * backend, and that its estimators have the right expectation.
 */
@Tag("slow")
class HardAttentionTest {
    private static final AttentionEngine REFERENCE = Family.REFERENCE;

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void sumsOverAllChoicesAreTheExpectedGradient(String name) {
        AttentionInputs inputs = Family.small(name);
        Tensor up = new RandomTensors(3).normal(DType.F64, 2, 4, 3, 2);
        AttentionInputs soft = AttentionInputs.of(
                inputs.query(), inputs.key(), inputs.value(), inputs.options().withLse());
        AttentionGradients expected = REFERENCE.backward(soft, REFERENCE.forward(soft), up, null);
        // Rows are independent and the reward is a sum over rows, so each pass can choose the same key in all rows.
        double[] sum = new double[Family.flat(expected).length];
        for (int key = 0; key < 5; key++) {
            Tensor keys = seen(inputs, key);
            Choice choice = HardAttention.argmax().on(REFERENCE).given(inputs, keys);
            Tensor slopes = Tensor.zeros(DType.F64, 2, 4, 3);
            Tensor shares = Tensor.zeros(DType.F64, 2, 4, 3, 2);
            for (long b = 0; b < 2; b++) {
                for (long h = 0; h < 4; h++) {
                    for (long i = 0; i < 3; i++) {
                        double p = keys.get(b, h, i) < 0
                                ? 0
                                : Math.exp(choice.logProbability().get(b, h, i));
                        double reward = 0;
                        for (long d = 0; d < 2; d++) {
                            reward += up.get(b, h, i, d) * choice.output().get(b, h, i, d);
                            shares.set(p * up.get(b, h, i, d), b, h, i, d);
                        }
                        slopes.set(p * (reward - 0.37), b, h, i); // any baseline
                    }
                }
            }
            double[] chunk = Family.flat(choice.backward(shares, slopes));
            for (int n = 0; n < sum.length; n++) {
                sum[n] += chunk[n];
            }
        }
        assertRelative(Family.flat(expected), sum, 1e-9);
    }

    /**
     * Returns the loss of one row. It is not linear in the context, so that the mean of the losses over all choices
     * differs from the loss of the mean context.
     */
    private static double loss(Tensor output, long b, long h, long i) {
        return Math.pow(output.get(b, h, i, 0), 3) + output.get(b, h, i, 0) * output.get(b, h, i, 1);
    }

    private static double derivative(Tensor output, long b, long h, long i, long d) {
        double x = output.get(b, h, i, 0);
        return d == 0 ? 3 * x * x + output.get(b, h, i, 1) : x;
    }

    /**
     * Returns the expected loss of all rows: the probability of each key is its weight times {@code 1 - share}, and the
     * probability of the expected context is {@code share}.
     */
    private static double mixedLoss(AttentionInputs inputs, double share) {
        double sum = 0;
        for (long key = Choice.EXPECTED; key < 5; key++) {
            Choice choice =
                    key == -1 ? null : HardAttention.argmax().on(REFERENCE).given(inputs, seen(inputs, key));
            for (long n = 0; choice != null && n < 24; n++) {
                long b = n / 12;
                long h = n / 3 % 4;
                long i = n % 3;
                double p = key == Choice.EXPECTED
                        ? share
                        : (1 - share) * Math.exp(choice.logProbability().get(b, h, i));
                sum += choice.keys().get(b, h, i) == -1 ? 0 : p * loss(choice.output(), b, h, i);
            }
        }
        return sum;
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void sumsOverChoicesAndExpectedContextsAreTheExpectedGradient(String name) {
        AttentionInputs inputs = Family.small(name);
        double share = 0.5;
        AttentionGradients sum = AttentionGradients.allocate(inputs);
        for (long key = Choice.EXPECTED; key < 5; key++) {
            if (key == -1) {
                continue;
            }
            Choice choice = HardAttention.argmax().on(REFERENCE).given(inputs, seen(inputs, key));
            Tensor slopes = Tensor.zeros(DType.F64, 2, 4, 3);
            Tensor shares = Tensor.zeros(DType.F64, 2, 4, 3, 2);
            for (long n = 0; n < 24; n++) {
                long b = n / 12;
                long h = n / 3 % 4;
                long i = n % 3;
                boolean drawn = choice.keys().get(b, h, i) != -1;
                double p = key == Choice.EXPECTED
                        ? share
                        : (1 - share) * Math.exp(choice.logProbability().get(b, h, i));
                for (long d = 0; drawn && d < 2; d++) {
                    shares.set(p * derivative(choice.output(), b, h, i, d), b, h, i, d);
                }
                // neither the baseline nor the gradient of a row without a drawn key has an effect on the sum
                slopes.set(drawn ? p * (loss(choice.output(), b, h, i) - 0.37) : 5, b, h, i);
            }
            Family.pairs(inputs, choice.backward(shares, slopes))
                    .forEach((tensor, chunk) ->
                            GradientSum.add(Family.pairs(inputs, sum).get(tensor), chunk));
        }
        Family.pairs(inputs, sum)
                .forEach((tensor, gradient) -> assertGradient(name, tensor, gradient, () -> mixedLoss(inputs, share)));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void anExpectedContextIsSoftAttentionForwardAndBack(String name) {
        AttentionInputs inputs = Family.small(name);
        Tensor up = new RandomTensors(3).normal(DType.F64, 2, 4, 3, 2);
        AttentionInputs soft = AttentionInputs.of(
                inputs.query(), inputs.key(), inputs.value(), inputs.options().withLse());
        AttentionResult result = REFERENCE.forward(soft);
        double[] exact = Family.flat(REFERENCE.backward(soft, result, up, null));
        Choice choice = HardAttention.sampled(3, 1).on(REFERENCE).choose(inputs);
        assertArrayEquals(result.output().toDoubleArray(), choice.output().toDoubleArray(), 0);
        assertArrayEquals(new double[24], choice.logProbability().toDoubleArray(), 0);
        Tensor any = new RandomTensors(4).normal(DType.F64, 2, 4, 3);
        assertRelative(exact, Family.flat(choice.backward(up, any)), 1e-14);
        assertRelative(exact, Family.flat(choice.straightThrough(up)), 1e-14);
        var estimator = new ScoreFunctionGradient(1, 0);
        assertArrayEquals(new double[exact.length], Family.flat(estimator.gradients(choice, any)), 0);
    }

    @Test
    void halfOfTheBatchTakesTheExpectedContextAndTheOthersWhatTheSeedDraws() {
        AttentionInputs inputs = Qkv.of("q4000x2x3x1 kv1x4 f32")
                .with(AttentionOptions.DEFAULT.withMask(Mask.dense(Tensor.of(
                        new boolean[] {true, true, true, true, false, false, false, false, false, true, true, true},
                        3,
                        4))));
        Tensor sampled = HardAttention.sampled(9).choose(inputs).keys();
        assertArrayEquals(
                sampled.toDoubleArray(),
                HardAttention.sampled(9, 0).choose(inputs).keys().toDoubleArray());
        Tensor mixed = HardAttention.sampled(9, 0.5).choose(inputs).keys();
        int expected = 0;
        for (long b = 0; b < 4000; b++) {
            boolean soft = mixed.get(b, 0, 0) == Choice.EXPECTED;
            expected += soft ? 1 : 0;
            for (long h = 0; h < 2; h++) {
                for (long i = 0; i < 3; i++) {
                    double drawn = sampled.get(b, h, i);
                    assertEquals(soft && drawn >= 0 ? Choice.EXPECTED : drawn, mixed.get(b, h, i));
                }
            }
        }
        assertEquals(2000, expected, 5 * Math.sqrt(4000 * 0.25));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#fastCases")
    void expectedContextsAreWithinBudget(String backend, AttentionInputs inputs) {
        Tensor keys = HardAttention.sampled(6).on(REFERENCE).choose(inputs).keys();
        keys.slice(1, 0, 1).fill(Choice.EXPECTED);
        Tensor up = new RandomTensors(1).normal(DType.F64, keys.shape());
        var shape = inputs.problem().shape();
        Tensor down = new RandomTensors(2)
                .normal(inputs.query().type(), shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.valueHeadDim());
        Family.assertWithinBudget(
                backend,
                inputs,
                false,
                (engine, in) -> HardAttention.argmax()
                        .on(engine)
                        .given(in, keys)
                        .output()
                        .toDoubleArray());
        Family.assertWithinBudget(
                backend,
                inputs,
                true,
                (engine, in) -> Family.flat(HardAttention.argmax()
                        .on(engine)
                        .given(in, keys)
                        .backward(down.to(in.query().type()), up)));
    }

    /**
     * Returns the given key for every row, but -1 for rows in which this key is masked. For the expected context,
     * returns -1 for rows in which all keys are masked.
     */
    private static Tensor seen(AttentionInputs inputs, long key) {
        Tensor keys = Tensor.zeros(DType.I64, 2, 4, 3);
        for (long b = 0; b < 2; b++) {
            for (long h = 0; h < 4; h++) {
                for (long i = 0; i < 3; i++) {
                    var mask = inputs.options().mask().on(3, 5);
                    boolean there = false;
                    for (long j = Math.max(0, key); j <= (key < 0 ? 4 : key); j++) {
                        there |= mask.takesPart(b, h, i, j);
                    }
                    keys.set(there ? key : -1, b, h, i);
                }
            }
        }
        return keys;
    }

    private static void assertRelative(double[] expected, double[] got, double tolerance) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        assertArrayEquals(expected, got, tolerance * largest);
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void theEntropyTermIsTheSlopeOfTheEntropy(String name) {
        AttentionInputs inputs = Family.small(name);
        Tensor up = new RandomTensors(5).normal(DType.F64, 2, 4, 3);
        AttentionGradients gradients = Entropy.of(inputs, REFERENCE).backward(up);
        Family.pairs(inputs, gradients)
                .forEach((tensor, gradient) -> assertGradient(
                        name,
                        tensor,
                        gradient,
                        () -> weighed(Entropy.of(inputs, REFERENCE).values(), up)));
    }

    /**
     * Compares the gradient of the entropy with its score-function gradient: the sum over all choices of
     * {@code p (-ln p) d ln p}.
     */
    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void sumsOverAllChoicesAreTheEntropyGradientToo(String name) {
        AttentionInputs inputs = Family.small(name);
        double[] exact = Family.flat(Entropy.of(inputs, REFERENCE)
                .backward(Tensor.zeros(DType.F64, 2, 4, 3).fill(1)));
        double[] sum = new double[exact.length];
        for (int key = 0; key < 5; key++) {
            Tensor keys = seen(inputs, key);
            Choice choice = HardAttention.argmax().on(REFERENCE).given(inputs, keys);
            Tensor slopes = Tensor.zeros(DType.F64, 2, 4, 3);
            for (long b = 0; b < 2; b++) {
                for (long h = 0; h < 4; h++) {
                    for (long i = 0; i < 3; i++) {
                        double log = choice.logProbability().get(b, h, i);
                        slopes.set(keys.get(b, h, i) < 0 ? 0 : -Math.exp(log) * log, b, h, i);
                    }
                }
            }
            double[] chunk = Family.flat(choice.backward(slopes));
            for (int n = 0; n < sum.length; n++) {
                sum[n] += chunk[n];
            }
        }
        assertRelative(exact, sum, 1e-9);
    }

    @Test
    void theEstimatorKeepsAMovingBaseline() {
        AttentionInputs inputs = Family.small("plain");
        var estimator = new ScoreFunctionGradient(2, 0.3);
        Choice choice = HardAttention.sampled(1).on(REFERENCE).choose(inputs);
        Tensor reward = Tensor.of(new double[] {1, 3}, 2, 1, 1);
        double[] first = Family.flat(estimator.gradients(choice, reward));
        assertEquals(0.2, estimator.baseline(), 1e-15);
        double[] second = Family.flat(estimator.gradients(choice, reward));
        assertEquals(0.38, estimator.baseline(), 1e-15);
        double[] log =
                Family.flat(choice.backward(Tensor.zeros(DType.F64, 2, 4, 3).fill(1)));
        double[] entropy = Family.flat(Entropy.of(inputs, REFERENCE)
                .backward(Tensor.zeros(DType.F64, 2, 4, 3).fill(1)));
        for (int n = 0; n < 36; n++) { // the queries of the first batch entry, whose reward is 1
            assertEquals(-2 * log[n] - 0.3 * entropy[n], first[n], 1e-12);
            assertEquals(-2 * 0.8 * log[n] - 0.3 * entropy[n], second[n], 1e-12);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void theLogProbabilityIsThatOfTheWeights(String name) {
        AttentionInputs inputs = Family.small(name);
        AttentionResult soft = Attention.scaledDotProduct(
                inputs.query(),
                inputs.key(),
                inputs.value(),
                inputs.options().withWeights().withBackend("reference"));
        Choice choice = HardAttention.sampled(11).on(REFERENCE).choose(inputs);
        for (long b = 0; b < 2; b++) {
            for (long h = 0; h < 4; h++) {
                for (long i = 0; i < 3; i++) {
                    long key = (long) choice.keys().get(b, h, i);
                    double weight = key < 0 ? 1 : soft.weights().get(b, h, i, key);
                    assertEquals(Math.log(weight), choice.logProbability().get(b, h, i), 1e-12);
                    for (long d = 0; d < 2; d++) {
                        double value = key < 0 ? 0 : inputs.value().get(b, h / 2, key, d);
                        assertEquals(value, choice.output().get(b, h, i, d), 1e-15);
                    }
                }
            }
        }
    }

    @Test
    void aMillionSamplesMatchTheWeights() {
        int rows = 1_000_000;
        float[] scores = {0.3f, -1.2f, 0, 1.1f, -0.4f, 0.9f};
        Tensor query = Tensor.of(new float[] {1}, 1, 1, 1, 1).expand(1, 1, rows, 1);
        Tensor key = Tensor.of(scores, 1, 1, 6, 1);
        AttentionInputs inputs = AttentionInputs.of(query, key, key, AttentionOptions.DEFAULT);
        Choice choice = HardAttention.sampled(20_17).choose(inputs);
        long[] counts = new long[6];
        for (int i = 0; i < rows; i++) {
            counts[(int) choice.keys().get(0, 0, i)]++;
        }
        double sum = 0;
        for (float score : scores) {
            sum += Math.exp(score);
        }
        for (int j = 0; j < 6; j++) {
            double p = Math.exp(scores[j]) / sum;
            double sigma = Math.sqrt(rows * p * (1 - p));
            assertEquals(rows * p, counts[j], 5 * sigma, "key " + j);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#fastCases")
    void theSameSeedTakesTheSameKeysOnEveryBackend(String backend, AttentionInputs inputs) {
        for (long seed = 0; seed < 20; seed++) {
            Tensor expected =
                    HardAttention.sampled(seed).on(REFERENCE).choose(inputs).keys();
            Tensor got = HardAttention.sampled(seed)
                    .on(AttentionEngine.of(Backends.named(backend)))
                    .choose(inputs)
                    .keys();
            assertArrayEquals(expected.toDoubleArray(), got.toDoubleArray(), "seed " + seed);
        }
        assertArrayEquals(
                HardAttention.argmax().on(REFERENCE).choose(inputs).keys().toDoubleArray(),
                HardAttention.argmax()
                        .on(AttentionEngine.of(Backends.named(backend)))
                        .choose(inputs)
                        .keys()
                        .toDoubleArray());
    }

    @Test
    void partsOfRowsDrawWhatTheWholeDraws() {
        AttentionInputs inputs = Qkv.of("q1x2x20x4 kv1x60000 f32").with(AttentionOptions.DEFAULT.causal());
        assertTrue(QueryRows.chunks(inputs).size() > 1);
        Tensor keys = HardAttention.sampled(4).choose(inputs).keys();
        for (long i = 0; i < 20; i++) {
            assertTrue(keys.get(0, 0, i) >= 0 && keys.get(0, 0, i) <= 60000 - 20 + i, "row " + i);
        }
        assertArrayEquals(
                HardAttention.sampled(4).on(REFERENCE).choose(inputs).keys().toDoubleArray(), keys.toDoubleArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"f32", "f64"})
    void tiesGoToTheLowestKey(String type) {
        DType t = DType.valueOf(type.toUpperCase(java.util.Locale.ROOT));
        Tensor same = Tensor.zeros(t, 1, 1, 40, 4).fill(0.5);
        AttentionOptions options =
                AttentionOptions.DEFAULT.withMask(Mask.spans(Tensor.of(new long[] {3, 40}, 1, 1, 1, 2)));
        Choice choice = HardAttention.argmax().choose(AttentionInputs.of(same, same, same, options));
        for (int i = 0; i < 40; i++) {
            assertEquals(3, choice.keys().get(0, 0, i));
            assertEquals(-Math.log(37), choice.logProbability().get(0, 0, i), 1e-5);
        }
    }

    @Test
    void rowsWithNothingToSeeTakeNothingAndNaNStaysWhereItIsMasked() {
        Qkv qkv = Qkv.of("q2x2x5x4 kv2x7 f32");
        qkv.key().slice(2, 4, 7).fill(Double.NaN);
        qkv.value().slice(2, 4, 7).fill(Double.NaN);
        qkv.key().select(0, 1).fill(Double.NaN);
        qkv.value().select(0, 1).fill(Double.NaN);
        AttentionInputs inputs = qkv.with(AttentionOptions.DEFAULT.withMask(Mask.keyLengths(4, 0)));
        for (AttentionBackend backend : Family.fast()) {
            Choice choice =
                    HardAttention.sampled(2).on(AttentionEngine.of(backend)).choose(inputs);
            AttentionGradients gradients =
                    new ScoreFunctionGradient(1, 0.1).gradients(choice, Tensor.of(new float[] {1}, 1));
            for (double number : Family.flat(gradients)) {
                assertTrue(Double.isFinite(number), backend.name());
            }
            for (long h = 0; h < 2; h++) {
                for (long i = 0; i < 5; i++) {
                    assertEquals(-1, choice.keys().get(1, h, i));
                    assertEquals(0, choice.logProbability().get(1, h, i));
                    assertEquals(0, choice.output().get(1, h, i, 0));
                    assertTrue(choice.keys().get(0, h, i) >= 0 && choice.keys().get(0, h, i) < 4);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#fastCases")
    void logProbabilitiesAndGradientsAreWithinBudget(String backend, AttentionInputs inputs) {
        Tensor keys = HardAttention.sampled(6).on(REFERENCE).choose(inputs).keys();
        Tensor up = new RandomTensors(1).normal(DType.F64, keys.shape());
        Family.assertWithinBudget(
                backend,
                inputs,
                false,
                (engine, in) -> HardAttention.argmax()
                        .on(engine)
                        .given(in, keys)
                        .logProbability()
                        .toDoubleArray());
        Family.assertWithinBudget(
                backend,
                inputs,
                true,
                (engine, in) -> Family.flat(
                        HardAttention.argmax().on(engine).given(in, keys).backward(up)));
        Family.assertWithinBudget(
                backend,
                inputs,
                false,
                (engine, in) -> Entropy.of(in, engine).values().toDoubleArray());
        Family.assertWithinBudget(
                backend,
                inputs,
                true,
                (engine, in) -> Family.flat(Entropy.of(in, engine).backward(up)));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void straightThroughIsSoftForQueriesAndKeysAndHardForValues(String name) {
        AttentionInputs inputs = Family.small(name);
        Tensor up = new RandomTensors(3).normal(DType.F64, 2, 4, 3, 2);
        AttentionInputs soft = AttentionInputs.of(
                inputs.query(), inputs.key(), inputs.value(), inputs.options().withLse());
        AttentionGradients softly = REFERENCE.backward(soft, REFERENCE.forward(soft), up, null);
        Choice choice = HardAttention.sampled(8).on(REFERENCE).choose(inputs);
        AttentionGradients through = choice.straightThrough(up);
        assertArrayEquals(softly.query().toDoubleArray(), through.query().toDoubleArray(), 1e-15);
        assertArrayEquals(softly.key().toDoubleArray(), through.key().toDoubleArray(), 1e-15);
        AttentionGradients hard = choice.backward(up, Tensor.zeros(DType.F64, 2, 4, 3));
        assertArrayEquals(hard.value().toDoubleArray(), through.value().toDoubleArray(), 1e-15);
        assertGradient(
                "value",
                inputs.value(),
                through.value(),
                () -> weighed(
                        HardAttention.argmax()
                                .on(REFERENCE)
                                .given(inputs, choice.keys())
                                .output(),
                        up));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void gumbelSoftmaxHasItsGradient(String name) {
        AttentionInputs inputs = Family.small(name);
        Tensor up = new RandomTensors(3).normal(DType.F64, 2, 4, 3, 2);
        GumbelSoftmax relaxed = new GumbelSoftmax(0.7, 5).on(REFERENCE);
        Family.pairs(inputs, relaxed.backward(inputs, up))
                .forEach((tensor, gradient) ->
                        assertGradient(name, tensor, gradient, () -> weighed(relaxed.forward(inputs), up)));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void coldGumbelSoftmaxIsTheDrawnKey(String name) {
        AttentionInputs inputs = Family.small(name);
        Tensor cold = new GumbelSoftmax(1e-4, 5).on(REFERENCE).forward(inputs);
        Tensor drawn = HardAttention.sampled(5).on(REFERENCE).choose(inputs).output();
        assertArrayEquals(drawn.toDoubleArray(), cold.toDoubleArray(), 1e-9);
    }

    @Test
    void gumbelSoftmaxAtOneHalfIsThatOfTheWrittenFormula() {
        AttentionInputs inputs = Family.small("bias");
        Tensor bias = new QueryRows(inputs, 0, 3).fullBias();
        new Gumbel(5).addTo(bias, 0);
        AttentionOptions twice = inputs.options()
                .withScale(2 / Math.sqrt(3))
                .withBias(Tensor.of(
                        Arrays.stream(bias.toDoubleArray()).map(x -> 2 * x).toArray(), bias.shape()))
                .withBackend("reference");
        assertArrayEquals(
                Attention.scaledDotProduct(inputs.query(), inputs.key(), inputs.value(), twice)
                        .output()
                        .toDoubleArray(),
                new GumbelSoftmax(0.5, 5).on(REFERENCE).forward(inputs).toDoubleArray(),
                1e-12);
    }

    @Test
    void badInputIsRefused() {
        AttentionInputs inputs = Family.small("plain");
        for (double tau : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(InvalidInputException.class, () -> new GumbelSoftmax(tau, 1));
        }
        assertThrows(InvalidInputException.class, () -> new ScoreFunctionGradient(0, 1));
        assertThrows(InvalidInputException.class, () -> new ScoreFunctionGradient(1, -1));
        Choice choice = HardAttention.argmax().choose(inputs);
        assertThrows(
                InvalidInputException.class,
                () -> new ScoreFunctionGradient(1, 0).gradients(choice, Tensor.of(new double[] {Double.NaN}, 1)));
        assertThrows(InvalidInputException.class, () -> choice.backward(Tensor.zeros(DType.F64, 2, 4, 4)));
        assertThrows(InvalidInputException.class, () -> choice.straightThrough(Tensor.zeros(DType.F64, 2, 4, 3, 3)));
        assertThrows(
                InvalidInputException.class,
                () -> HardAttention.argmax()
                        .given(inputs, Tensor.zeros(DType.I64, 2, 4, 3).fill(5)));
        assertThrows(
                InvalidInputException.class,
                () -> HardAttention.argmax()
                        .given(inputs, Tensor.zeros(DType.I64, 2, 4, 3).fill(-3)));
        for (double share : new double[] {-0.1, 1.1, Double.NaN}) {
            assertThrows(InvalidInputException.class, () -> HardAttention.sampled(1, share));
        }
        assertThrows(
                InvalidInputException.class,
                () -> HardAttention.argmax().given(inputs, Tensor.zeros(DType.F64, 2, 4, 3)));
        for (AttentionOptions options : new AttentionOptions[] {
            AttentionOptions.DEFAULT.withDropout(0.1, 1),
            AttentionOptions.DEFAULT.withSink(Tensor.zeros(DType.F64, 4)),
            AttentionOptions.DEFAULT.withWeights()
        }) {
            AttentionInputs unfit = AttentionInputs.of(inputs.query(), inputs.key(), inputs.value(), options);
            assertThrows(
                    InvalidInputException.class, () -> HardAttention.argmax().choose(unfit));
        }
    }
}
