package dev.heed.pooling;

import static dev.heed.backend.reference.CentralDifference.assertGradient;
import static dev.heed.backend.reference.CentralDifference.weighed;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionBackend;
import dev.heed.AttentionEngine;
import dev.heed.AttentionOptions;
import dev.heed.Backends;
import dev.heed.RandomTensors;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.verify.ErrorBudget;
import dev.heed.verify.Measure;
import dev.heed.verify.NaiveBackend;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * For every kernel K, compares kernel pooling with {@code sum_i K(x - x_i) y_i / sum_j K(x - x_j)}, and its gradient with
 * numerical derivatives.
 */
class KernelPoolingTest {
    private static final AttentionEngine REFERENCE = AttentionEngine.of(Backends.named("reference"));

    static Stream<Arguments> kernels() {
        return Stream.of(
                kernel("constant", SmoothingKernel.constant(), u -> 1, 1),
                kernel("gaussian", SmoothingKernel.gaussian(0.7), u -> Math.exp(-u * u / 2), 0.7),
                kernel(
                        "learned",
                        SmoothingKernel.gaussian(Tensor.of(new double[] {1.6}, 1)),
                        u -> Math.exp(-u * u / 2),
                        1 / 1.6),
                kernel("boxcar", SmoothingKernel.boxcar(1.7), u -> u <= 1 ? 1 : 0, 1.7),
                kernel("epanechikov", SmoothingKernel.epanechikov(1.9), u -> Math.max(0, 1 - u * u), 1.9));
    }

    private static Arguments kernel(
            String name, SmoothingKernel kernel, DoubleUnaryOperator written, double bandwidth) {
        return Arguments.of(name, kernel, written, bandwidth);
    }

    private static Tensor[] data() {
        var random = new RandomTensors(31);
        return new Tensor[] {
            random.normal(DType.F64, 2, 4, 2), random.normal(DType.F64, 2, 6, 2), random.normal(DType.F64, 2, 6, 3)
        };
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void itIsTheWrittenQuotient(String name, SmoothingKernel kernel, DoubleUnaryOperator written, double bandwidth) {
        Tensor[] x = data();
        KernelPooling pooling = new KernelPooling(kernel).on(REFERENCE);
        Tensor output = pooling.forward(x[0], x[1], x[2], Mask.keyLengths(6, 4));
        Tensor weights = pooling.weights(x[0], x[1], x[2], Mask.keyLengths(6, 4));
        boolean empty = false;
        for (long b = 0; b < 2; b++) {
            for (long i = 0; i < 4; i++) {
                double[] k = new double[b == 0 ? 6 : 4];
                double sum = 0;
                for (int j = 0; j < k.length; j++) {
                    double distance =
                            Math.hypot(x[0].get(b, i, 0) - x[1].get(b, j, 0), x[0].get(b, i, 1) - x[1].get(b, j, 1));
                    k[j] = written.applyAsDouble(distance / bandwidth);
                    sum += k[j];
                }
                empty |= sum == 0;
                for (long d = 0; d < 3; d++) {
                    double expected = 0;
                    for (int j = 0; j < k.length && sum > 0; j++) {
                        expected += k[j] / sum * x[2].get(b, j, d);
                        assertEquals(k[j] / sum, weights.get(b, i, j), 1e-13);
                    }
                    assertEquals(expected, output.get(b, i, d), 1e-13, name);
                }
            }
        }
        assertTrue(!empty || written.applyAsDouble(100) == 0, name);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void itHasItsGradient(String name, SmoothingKernel kernel, DoubleUnaryOperator written, double bandwidth) {
        Tensor[] x = data();
        Tensor up = new RandomTensors(2).normal(DType.F64, 2, 4, 3);
        KernelPooling pooling = new KernelPooling(kernel).on(REFERENCE);
        Mask mask = Mask.keyLengths(6, 4);
        KernelPooling.Gradients g = pooling.backward(x[0], x[1], x[2], mask, up);
        assertGradient("query", x[0], g.query(), () -> weighed(pooling.forward(x[0], x[1], x[2], mask), up));
        assertGradient("key", x[1], g.key(), () -> weighed(pooling.forward(x[0], x[1], x[2], mask), up));
        assertGradient("value", x[2], g.value(), () -> weighed(pooling.forward(x[0], x[1], x[2], mask), up));
        if (kernel instanceof SmoothingKernel.Learned(Tensor width)) {
            assertGradient("width", width, g.width(), () -> weighed(pooling.forward(x[0], x[1], x[2], mask), up));
        } else {
            assertEquals(null, g.width());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void queriesFarFromEveryKeyGetZeroAndMaskedNaNIsNotRead(
            String name, SmoothingKernel kernel, DoubleUnaryOperator written, double bandwidth) {
        Tensor query = Tensor.of(new double[] {0, 100}, 2, 1);
        Tensor key = Tensor.of(new double[] {0.1, 0.2, Double.NaN}, 3, 1);
        Tensor value = Tensor.of(new double[] {1, 3, Double.NaN}, 3, 1);
        KernelPooling pooling = new KernelPooling(kernel).on(REFERENCE);
        Tensor output = pooling.forward(query, key, value, Mask.keyLengths(2));
        assertTrue(output.get(0, 0) > 1 && output.get(0, 0) < 3);
        boolean compact = written.applyAsDouble(100) == 0 && !name.equals("gaussian") && !name.equals("learned");
        if (compact) {
            assertEquals(0, output.get(1, 0), name);
        } else {
            assertTrue(output.get(1, 0) >= 1 && output.get(1, 0) <= 3, name);
        }
        KernelPooling.Gradients g =
                pooling.backward(query, key, value, Mask.keyLengths(2), Tensor.of(new double[] {1, 1}, 2, 1));
        for (Tensor tensor : new Tensor[] {g.query(), g.key(), g.value()}) {
            for (double number : tensor.toDoubleArray()) {
                assertTrue(Double.isFinite(number), name);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void everyBackendIsWithinBudget(
            String name, SmoothingKernel kernel, DoubleUnaryOperator written, double bandwidth) {
        var random = new RandomTensors(32);
        Tensor[] x = {
            random.normal(DType.F32, 3, 19, 2), random.normal(DType.F32, 3, 41, 2), random.normal(DType.F32, 3, 41, 1)
        };
        Tensor up = random.normal(DType.F32, 3, 19, 1);
        Mask mask = Mask.keyLengths(41, 7, 30);
        Function<AttentionEngine, Function<Tensor[], double[]>> forward = engine -> in -> new KernelPooling(kernel)
                .on(engine)
                .forward(in[0], in[1], in[2], mask)
                .toDoubleArray();
        Function<AttentionEngine, Function<Tensor[], double[]>> backward = engine -> in -> {
            KernelPooling.Gradients g =
                    new KernelPooling(kernel).on(engine).backward(in[0], in[1], in[2], mask, up.to(in[0].type()));
            return Stream.of(g.query(), g.key(), g.value())
                    .flatMapToDouble(tensor -> java.util.Arrays.stream(tensor.toDoubleArray()))
                    .toArray();
        };
        Tensor[] wide = {x[0].to(DType.F64), x[1].to(DType.F64), x[2].to(DType.F64)};
        AttentionEngine naive = AttentionEngine.of(new NaiveBackend());
        for (AttentionBackend backend : Backends.all()) {
            String problem = "q3x1x19x2 kv1x41 dv1 f32 mask=keylens lse"
                    + switch (name) {
                        case "constant" -> "";
                        case "gaussian" -> " score=gaussian:1.0";
                        case "learned" -> " score=gaussian:learned";
                        default -> " score=custom:manhattan";
                    };
            boolean can = backend.notReadyReasons().isEmpty()
                    && backend.notSupportedReasons(dev.heed.Problem.parse(problem))
                            .isEmpty();
            if (can) {
                AttentionEngine engine = AttentionEngine.of(backend);
                Measure there = ErrorBudget.forward(DType.F32)
                        .measure(
                                "output",
                                forward.apply(engine).apply(x),
                                forward.apply(REFERENCE).apply(wide),
                                forward.apply(naive).apply(x),
                                Double.POSITIVE_INFINITY);
                assertTrue(there.passed(), backend.name() + " " + name + " " + there);
                Measure back = ErrorBudget.gradient(DType.F32)
                        .measure(
                                "gradients",
                                backward.apply(engine).apply(x),
                                backward.apply(REFERENCE).apply(wide),
                                backward.apply(naive).apply(x),
                                Double.POSITIVE_INFINITY);
                assertTrue(back.passed(), backend.name() + " " + name + " " + back);
            }
        }
    }

    @Test
    void learnedQueriesPoolEverySequenceOfABatch() {
        var random = new RandomTensors(33);
        Tensor queries = random.normal(DType.F64, 2, 3);
        Tensor x = random.normal(DType.F64, 2, 5, 3);
        Tensor up = random.normal(DType.F64, 2, 2, 3);
        AttentionOptions options = AttentionOptions.DEFAULT
                .withMask(Mask.keyLengths(5, 2))
                .withScore(ScoreFunction.additive(
                        random.normal(DType.F64, 3, 4), random.normal(DType.F64, 3, 4), random.normal(DType.F64, 4)));
        QueryPooling pooling = new QueryPooling(queries, options).on(REFERENCE);
        Tensor other = random.normal(DType.F64, 2, 5, 3);
        QueryPooling.Gradients g = pooling.backward(x, other, up);
        assertGradient("queries", queries, g.queries(), () -> weighed(pooling.forward(x, other), up));
        assertGradient("key", x, g.key(), () -> weighed(pooling.forward(x, other), up));
        assertGradient("value", other, g.value(), () -> weighed(pooling.forward(x, other), up));
        options.score()
                .parameters()
                .forEach((name, parameter) -> assertGradient(
                        name,
                        parameter,
                        g.score().parameters().get(name),
                        () -> weighed(pooling.forward(x, other), up)));
        QueryPooling alone = new QueryPooling(queries, options.withMask(Mask.NONE)).on(REFERENCE);
        assertArrayEquals(
                pooling.forward(x, other).select(0, 0).toDoubleArray(),
                alone.forward(x.select(0, 0), other.select(0, 0)).toDoubleArray(),
                1e-15);
    }

    @Test
    void badInputIsRefused() {
        for (double bandwidth : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(InvalidInputException.class, () -> SmoothingKernel.gaussian(bandwidth));
            assertThrows(InvalidInputException.class, () -> SmoothingKernel.boxcar(bandwidth));
            assertThrows(InvalidInputException.class, () -> SmoothingKernel.epanechikov(bandwidth));
        }
        assertThrows(InvalidInputException.class, () -> SmoothingKernel.gaussian(Tensor.zeros(DType.F32, 2)));
        Tensor x = Tensor.zeros(DType.F32, 3, 2);
        KernelPooling pooling = new KernelPooling(SmoothingKernel.gaussian(1));
        assertThrows(InvalidInputException.class, () -> pooling.forward(x, Tensor.zeros(DType.F32, 3, 1), x));
        assertThrows(InvalidInputException.class, () -> pooling.forward(x, x, Tensor.zeros(DType.F32, 4, 2)));
        assertThrows(InvalidInputException.class, () -> pooling.forward(Tensor.zeros(DType.F32, 3), x, x));
        assertThrows(InvalidInputException.class, () -> Tensor.zeros(DType.F32, 0, 3, 2)); // an empty batch
    }
}
