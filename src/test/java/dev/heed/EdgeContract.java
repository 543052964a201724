package dev.heed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.math.BigInteger;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests of numbers near the limits of their types: scales, sinks, parameters, offsets, rows and values. */
interface EdgeContract extends ContractChapter {
    /** Numbers of queries for which backends may choose different loops. */
    int[] QUERIES = {1, 20};

    private static Tensor filled(DType type, double value, long... shape) {
        return Tensor.zeros(type, shape).fill(value);
    }

    /** Tests LSE and weights of equal scores with a sink, for scales and sinks of every magnitude. */
    @ParameterizedTest
    @ValueSource(doubles = {0, -0.0, 1e-45, 1e-38, -1e-38, 1e-30, 1e-12, 0.125, -0.125, 1e12, 1e30, -1e30, 1e38, -1e38})
    default void aSinkDoesNotDependOnTheUnitOfTheScale(double scale) {
        for (double logit : new double[] {-3e38, -1e20, -2, 0, 1, 4, 6, 90, 1e4, 1e20, 3e38}) {
            for (int queries : QUERIES) {
                AttentionResult result = forward(AttentionInputs.of(
                        filled(DType.F32, 1, 1, 1, queries, 1),
                        filled(DType.F32, 1, 1, 1, 3, 1),
                        filled(DType.F32, 1, 1, 1, 3, 1),
                        AttentionOptions.DEFAULT
                                .withScale(scale)
                                .withSink(filled(DType.F32, logit, 1))
                                .withLse()
                                .withWeights()
                                .withTopK(1)));
                double score = (float) scale;
                double sink = (float) logit;
                double top = Math.max(score, sink);
                double lse = top + Math.log(3 * Math.exp(score - top) + Math.exp(sink - top));
                double weight = Math.exp(score - top) / (3 * Math.exp(score - top) + Math.exp(sink - top));
                String text = "scale " + scale + ", sink " + logit + ", " + queries + " queries";
                double near = Math.abs(lse) * 1e-6 + 1e-6;
                assertEquals(lse, Objects.requireNonNull(result.lse()).get(0, 0, queries - 1), near, text);
                assertEquals(weight, Objects.requireNonNull(result.weights()).get(0, 0, queries - 1, 2), 1e-6, text);
                assertEquals(
                        weight, Objects.requireNonNull(result.topKWeights()).get(0, 0, 0, 0), 1e-6, text);
                assertEquals(3 * weight, result.output().get(0, 0, queries - 1, 0), 3e-6, text);
            }
        }
    }

    /**
     * Tests that equal keys have equal weights where scores have large rounding errors: the scores are near 1e4 or above, and
     * scores that differ by one rounding have weights that differ by 0.1 % or more.
     */
    @ParameterizedTest
    @EnumSource(names = {"F64", "F32", "F16", "BF16"})
    default void equalKeysHaveEqualWeights(DType type) {
        var random = new RandomTensors(11);
        for (long width : new long[] {3, 8, 20, 64, 100}) {
            Tensor key = random.normal(type, 1, 1, 1, width);
            for (long queries : new long[] {1, 2, 3, 13}) {
                Tensor query = random.normal(DType.F64, 1, 2, queries, width);
                Tensor large = Tensor.zeros(type, query.shape());
                for (long i = 0; i < query.elementCount(); i++) {
                    large.put(i, 5000 * query.at(i));
                }
                for (long keys : new long[] {1, 2, 3, 5, 6, 7, 67, 79, 300, 1500}) {
                    Tensor value = Tensor.zeros(type, 1, 1, keys, 4);
                    for (long j = 0; j < keys; j++) {
                        value.select(2, j).fill(j % 2 == 0 ? 1 : -1);
                    }
                    AttentionInputs inputs = AttentionInputs.of(
                            large, key.expand(1, 1, keys, width).copy(), value, AttentionOptions.DEFAULT);
                    Tensor output = forward(inputs).output();
                    double mean = keys % 2 == 0 ? 0 : 1.0 / keys;
                    double tolerance = Math.max(1e-6, Qkv.unit(type));
                    for (double element : output.toDoubleArray()) {
                        assertEquals(mean, element, tolerance, inputs.problem().toString());
                    }
                }
            }
        }
    }

    /**
     * Tests causal masks and windows whose offsets and bounds are at the ends of a long or an int. All scores are equal, so
     * the output is the mean index of the attended keys.
     */
    @ParameterizedTest
    @ValueSource(
            longs = {
                Long.MIN_VALUE,
                Long.MIN_VALUE + 2,
                -(1L << 62),
                -(1L << 32) - 1,
                -(1L << 31),
                (1L << 30) + 1,
                (1L << 31) - 1,
                1L << 31,
                1L << 62,
                Long.MAX_VALUE - 2,
                Long.MAX_VALUE
            })
    default void positionsDoNotOverflow(long offset) {
        int keys = 7;
        Tensor indices = Tensor.of(new float[] {0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6}, 2, 1, keys, 1);
        CausalAlignment alignment = CausalAlignment.offset(offset, offset == Long.MIN_VALUE ? 0 : -offset);
        long far = offset == Long.MIN_VALUE ? Long.MAX_VALUE - 1 : Math.abs(offset);
        long all = Mask.Window.UNBOUNDED;
        Mask[] masks = {
            Mask.causal(alignment),
            new Mask.Window(2, all, alignment),
            new Mask.Window(all, 2, alignment),
            new Mask.Window(all, all, alignment),
            new Mask.Window(far == all ? all - 1 : far, 1, alignment),
            new Mask.Window(3, far == all ? all - 1 : far, alignment),
            new Mask.Window(all - 1, all - 1, alignment),
        };
        for (int queries : QUERIES) {
            Tensor zeros = Tensor.zeros(DType.F32, 2, 1, queries, 1);
            for (Mask mask : masks) {
                Tensor output = output(AttentionInputs.of(
                        zeros,
                        Tensor.zeros(DType.F32, 2, 1, keys, 1),
                        indices,
                        AttentionOptions.DEFAULT.withMask(mask)));
                for (int b = 0; b < 2; b++) {
                    for (int i = 0; i < queries; i++) {
                        assertEquals(
                                mean(mask, b, i, keys), output.get(b, 0, i, 0), 1e-5, mask.pattern() + " row " + i);
                    }
                }
            }
        }
    }

    /** The mean index of the attended keys by the definition, computed without overflow; 0 if there are none. */
    private static double mean(Mask mask, int batch, int query, int keys) {
        Mask.Window window = mask instanceof Mask.Causal causal ? causal.window() : (Mask.Window) mask;
        BigInteger position =
                BigInteger.valueOf(window.alignment().offsetOf(batch, 1, 1)).add(BigInteger.valueOf(query));
        double sum = 0;
        int count = 0;
        for (int j = 0; j < keys; j++) {
            BigInteger distance = BigInteger.valueOf(j).subtract(position);
            boolean unbounded = window.left() == Mask.Window.UNBOUNDED;
            boolean attended = unbounded || distance.negate().compareTo(BigInteger.valueOf(window.left())) <= 0;
            unbounded = window.right() == Mask.Window.UNBOUNDED;
            attended &= unbounded || distance.compareTo(BigInteger.valueOf(window.right())) <= 0;
            sum += attended ? j : 0;
            count += attended ? 1 : 0;
        }
        return count == 0 ? 0 : sum / count;
    }

    /** Compares cosine scores of rows of every magnitude, forward and backward, with the reference. */
    @ParameterizedTest
    @ValueSource(doubles = {1e-25, 1e-10, 1e-3, 1e3, 1e10, 1e19, 1e25, 3e37})
    default void cosineDoesNotDependOnTheLengthOfRows(double size) {
        for (DType type : new DType[] {DType.F32, DType.BF16}) {
            for (int queries : QUERIES) {
                var random = new RandomTensors(7);
                Tensor query =
                        times(random.normal(DType.F32, 1, 2, queries, 8), size).to(type);
                Tensor key = times(random.normal(DType.F32, 1, 1, 7, 8), size).to(type);
                Tensor value = random.normal(type, 1, 1, 7, 5);
                Tensor strength = Tensor.of(new float[] {2, -3}, 2, 1);
                AttentionInputs inputs = AttentionInputs.of(
                        query, key, value, AttentionOptions.DEFAULT.withScore(ScoreFunction.cosine(strength)));
                AttentionResult result = forward(inputs);
                AttentionGradients ours = gradients(inputs);
                try (var reference = new ReferenceBackend();
                        AttentionPlan plan = reference.plan(inputs.problem())) {
                    AttentionResult truth = AttentionResult.allocate(inputs.problem());
                    plan.forward(inputs, truth);
                    AttentionGradients right = AttentionGradients.allocate(inputs);
                    Tensor dOutput =
                            new RandomTensors(99).normal(type, result.output().shape());
                    plan.backward(inputs, truth, dOutput, null, right);
                    double ulps = type == DType.F32 ? 1e-5 : 2e-2;
                    assertNear(truth.output(), result.output(), ulps);
                    assertNear(right.query(), ours.query(), ulps);
                    assertNear(right.key(), ours.key(), ulps);
                    assertNear(right.value(), ours.value(), ulps);
                }
            }
        }
    }

    private static Tensor times(Tensor tensor, double factor) {
        float[] numbers = tensor.toFloatArray();
        for (int n = 0; n < numbers.length; n++) {
            numbers[n] = (float) Math.clamp(numbers[n] * factor, -Float.MAX_VALUE, Float.MAX_VALUE);
        }
        return Tensor.of(numbers, tensor.shape());
    }

    /** Asserts that no element differs by more than a share of the largest one. */
    private static void assertNear(Tensor right, Tensor ours, double share) {
        double[] expected = right.toDoubleArray();
        double[] got = ours.toDoubleArray();
        double largest = Float.MIN_NORMAL;
        for (double x : expected) {
            largest = Math.max(largest, Math.abs(x));
        }
        assertArrayEquals(expected, got, largest * share);
    }

    /** Compares parameters in f64 with the same parameters in f32, under problems of narrower types. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    default void parametersMayBeF64(DType type) {
        var random = new RandomTensors(8);
        Tensor query = random.normal(type, 1, 2, 3, 4);
        Tensor key = random.normal(type, 1, 2, 7, 4);
        Tensor value = random.normal(type, 1, 2, 7, 5);
        Tensor square = random.normal(DType.F32, 4, 4);
        Tensor perHead = random.normal(DType.F32, 2, 4, 4);
        Tensor tall = random.normal(DType.F32, 8, 4);
        Tensor wide = random.normal(DType.F32, 4, 7);
        Tensor vector = random.normal(DType.F32, 4);
        for (ScoreFunction score : new ScoreFunction[] {
            ScoreFunction.general(square),
            ScoreFunction.general(perHead),
            ScoreFunction.location(wide),
            ScoreFunction.additive(vector),
            ScoreFunction.additive(square, square, vector, vector),
            ScoreFunction.concat(tall, vector),
            ScoreFunction.cosine(Tensor.of(new float[] {2, 3}, 2, 1)),
            ScoreFunction.gaussian(Tensor.of(new float[] {0.5f, 1}, 2))
        }) {
            AttentionInputs narrow = AttentionInputs.of(query, key, value, AttentionOptions.DEFAULT.withScore(score));
            AttentionInputs wider = AttentionInputs.of(
                    query, key, value, AttentionOptions.DEFAULT.withScore(score.map(tensor -> tensor.to(DType.F64))));
            double share = type == DType.F32 ? 1e-5 : 2e-2;
            assertNear(output(narrow), output(wider), share);
            AttentionGradients expected = gradients(narrow);
            AttentionGradients got = gradients(wider);
            assertNear(expected.query(), got.query(), share);
            var parameters = Objects.requireNonNull(got.score()).parameters();
            Objects.requireNonNull(expected.score())
                    .parameters()
                    .forEach((name, tensor) ->
                            assertNear(tensor, Objects.requireNonNull(parameters.get(name), name), share));
        }
    }

    /** Tests the least and the largest softcap of f32, and larger and smaller ones in f64. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    default void softcapsOfEveryMagnitudeAreExact(DType type) {
        double[] caps = type == DType.F32
                ? new double[] {Float.MIN_NORMAL, 1e-30, 1, 1e30, Float.MAX_VALUE}
                : new double[] {1e-300, 1e-46, 1e39, Double.MAX_VALUE};
        Tensor key = Tensor.of(new double[] {0, 5}, 1, 1, 2, 1).to(type);
        Tensor value = Tensor.of(new double[] {0, 1}, 1, 1, 2, 1).to(type);
        for (double cap : caps) {
            for (int queries : QUERIES) {
                Tensor query = filled(type, 1, 1, 1, queries, 1);
                AttentionInputs inputs = AttentionInputs.of(
                        query, key, value, AttentionOptions.DEFAULT.withScale(1).withSoftcap(cap));
                double right = 1 / (1 + Math.exp(-cap * Math.tanh(5 / cap)));
                assertEquals(right, output(inputs).get(0, 0, queries - 1, 0), 1e-6, "softcap " + cap);
                for (double gradient : gradients(inputs).query().toDoubleArray()) {
                    assertEquals(true, Double.isFinite(gradient), "softcap " + cap);
                }
            }
        }
    }

    /** Tests softcaps that only f64 can hold in f32 problems whose partial results are computed in f64. */
    @ParameterizedTest
    @ValueSource(doubles = {1e-300, 1e-46, 1e39, Double.MAX_VALUE})
    default void partialResultsInF64HaveTheNumbersOfF64(double cap) {
        for (DType type : new DType[] {DType.F32, DType.BF16}) {
            for (int queries : QUERIES) {
                AttentionInputs inputs = AttentionInputs.of(
                        filled(type, 1, 1, 1, queries, 1),
                        Tensor.of(new double[] {0, 5}, 1, 1, 2, 1).to(type),
                        Tensor.of(new double[] {0, 1}, 1, 1, 2, 1).to(type),
                        AttentionOptions.DEFAULT.withScale(1).withSoftcap(cap).withPartial(DType.F64));
                double right = 1 / (1 + Math.exp(-cap * Math.tanh(5 / cap)));
                assertEquals(right, output(inputs).get(0, 0, queries - 1, 0), 1e-12);
            }
        }
    }

    /** Tests the largest width of a Gaussian score: a key at distance 0 scores 0, and the others get no weight. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "F64"})
    default void theLargestWidthSelectsEqualKeys(DType type) {
        double width = type == DType.F64 ? 0x1p511 : 0x1p63;
        Tensor key = Tensor.of(new double[] {1, 2, 3, 4}, 1, 1, 2, 2).to(type);
        Tensor value = Tensor.of(new double[] {7, 5}, 1, 1, 2, 1).to(type);
        for (int queries : QUERIES) {
            Tensor query = Tensor.of(new double[] {1, 2}, 1, 1, 1, 2).to(type).expand(1, 1, queries, 2);
            for (ScoreFunction score : new ScoreFunction[] {
                ScoreFunction.gaussian(width), ScoreFunction.gaussian(Tensor.of(new double[] {width}, 1))
            }) {
                AttentionInputs inputs =
                        AttentionInputs.of(query, key, value, AttentionOptions.DEFAULT.withScore(score));
                assertEquals(7, output(inputs).get(0, 0, queries - 1, 0));
            }
        }
    }

    /** Tests that the largest ALiBi slope leaves a query its own position only. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F64"})
    default void theLargestSlopeSelectsTheOwnPosition(DType type) {
        double slope = type == DType.F64 ? Double.MAX_VALUE : Float.MAX_VALUE;
        for (int queries : QUERIES) {
            Tensor zeros = Tensor.zeros(type, 1, 1, queries, 4);
            Tensor value = Tensor.zeros(type, 1, 1, queries, 1);
            for (int i = 0; i < queries; i++) {
                value.set(i, 0, 0, i, 0);
            }
            AttentionOptions options = AttentionOptions.DEFAULT.withAlibi(Tensor.of(new double[] {slope}, 1));
            Tensor output = output(AttentionInputs.of(zeros, zeros, value, options));
            for (int i = 0; i < queries; i++) {
                assertEquals(i, output.get(0, 0, i, 0));
            }
        }
    }

    /** Tests that a dropout just below 1 gives no NaN: it drops every weight. */
    @ParameterizedTest
    @ValueSource(doubles = {1 - 0x1p-40, 1 - 0x1p-53})
    default void dropoutJustBelowOneDropsEverything(double probability) {
        for (int queries : QUERIES) {
            Tensor ones = filled(DType.F32, 1, 1, 1, queries, 4);
            AttentionInputs inputs =
                    AttentionInputs.of(ones, ones, ones, AttentionOptions.DEFAULT.withDropout(probability, 1));
            for (double x : output(inputs).toDoubleArray()) {
                assertEquals(0, x);
            }
            for (double x : gradients(inputs).value().toDoubleArray()) {
                assertEquals(0, x);
            }
        }
    }

    /**
     * Tests the bounds of clause 8: a mean of equal values is finite if the sum of the values is, and scores are right if
     * the product of a query and a key is finite in f32.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 33})
    default void insideTheRangeOfF32NothingOverflows(int keys) {
        double largest = 0.99 * Float.MAX_VALUE / keys;
        for (DType type : new DType[] {DType.F32, DType.BF16}) {
            for (int queries : QUERIES) {
                Tensor zeros = Tensor.zeros(type, 1, 1, queries, 2);
                Tensor value = filled(type, largest, 1, 1, keys, 3);
                Tensor mean = output(
                        AttentionInputs.of(zeros, Tensor.zeros(type, 1, 1, keys, 2), value, AttentionOptions.DEFAULT));
                double stored = value.get(0, 0, 0, 0);
                assertEquals(stored, mean.get(0, 0, queries - 1, 2), stored * (type == DType.F32 ? 1e-5 : 1e-2));
                for (double sign : new double[] {-1, 1}) { // two products, whose sum is 0.98 of the largest f32
                    double factor = Math.sqrt(0.49 * Float.MAX_VALUE);
                    AttentionResult result = forward(AttentionInputs.of(
                            filled(DType.F32, factor, 1, 1, queries, 2),
                            filled(DType.F32, sign * factor, 1, 1, keys, 2),
                            filled(DType.F32, 1, 1, 1, keys, 1),
                            AttentionOptions.DEFAULT.withScale(1).withLse()));
                    assertEquals(1, result.output().get(0, 0, queries - 1, 0), 1e-5);
                    double lse = Objects.requireNonNull(result.lse()).get(0, 0, queries - 1);
                    assertEquals(sign * 0.98 * Float.MAX_VALUE, lse, 1e-5 * Float.MAX_VALUE);
                }
            }
        }
    }

    /** Tests GELU far from 0 in f64: the tail has a small relative error. */
    @ParameterizedTest
    @ValueSource(doubles = {-1, -2, -3, -6, -10, -20, 6})
    default void geluKeepsItsTailInF64(double x) {
        Tensor identity = Tensor.of(new double[] {1}, 1, 1);
        double y = linear(Tensor.of(new double[] {x}, 1, 1), new LinearWeights(identity, null), Activation.GELU)
                .get(0, 0);
        double right = Activation.GELU.apply(x); // tested against 100 digits by ActivationTest
        assertEquals(right, y, Math.abs(right) * 1e-13);
    }
}
