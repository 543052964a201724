package dev.heed.mechanism;

import static dev.heed.backend.reference.CentralDifference.assertGradient;
import static dev.heed.backend.reference.CentralDifference.weighed;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionBackend;
import dev.heed.AttentionEngine;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares local-p attention with the explicit formula, its gradient with numerical derivatives, and every backend with
 * the reference.
 */
@Tag("slow")
class LocalAttentionTest {
    private static final AttentionEngine REFERENCE = Family.REFERENCE;

    private static LocalAttention local(long window) {
        var random = new RandomTensors(21);
        return new LocalAttention(random.normal(DType.F64, 3, 4), random.normal(DType.F64, 4), window);
    }

    /** Compares positions and output with the formula of the paper, computed from the modified scores. */
    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void itIsTheWrittenFormula(String name) {
        AttentionInputs inputs = Family.small(name);
        LocalAttention.Local found = local(2).on(REFERENCE).forward(inputs);
        AttentionResult kept = REFERENCE.forward(AttentionInputs.of(
                inputs.query(),
                inputs.key(),
                inputs.value(),
                inputs.options().withScores(dev.heed.ScoreStage.MODIFIED)));
        var random = new RandomTensors(21);
        double[] w = random.normal(DType.F64, 3, 4).toDoubleArray();
        double[] v = random.normal(DType.F64, 4).toDoubleArray();
        boolean short0 = name.startsWith("key lengths");
        for (long b = 0; b < 2; b++) {
            double length = short0 ? (b == 0 ? 0 : 3) : 5;
            for (long h = 0; h < 4; h++) {
                for (long i = 0; i < 3; i++) {
                    double u = 0;
                    for (int n = 0; n < 4; n++) {
                        double inner = 0;
                        for (int d = 0; d < 3; d++) {
                            inner += inputs.query().get(b, h, i, d) * w[d * 4 + n];
                        }
                        u += v[n] * Math.tanh(inner);
                    }
                    double p = length / (1 + Math.exp(-u));
                    assertEquals(p, found.positions().get(b, h, i), 1e-12);
                    double sum = 0;
                    for (long j = 0; j < 5; j++) {
                        sum += Math.abs(j - p) <= 2 ? Math.exp(kept.scores().get(b, h, i, j)) : 0;
                    }
                    for (long d = 0; d < 2; d++) {
                        double output = 0;
                        for (long j = 0; j < 5 && sum > 0; j++) {
                            if (Math.abs(j - p) <= 2) {
                                double near = Math.exp(-(j - p) * (j - p) / 2); // sigma = 1
                                output += Math.exp(kept.scores().get(b, h, i, j))
                                        / sum
                                        * near
                                        * inputs.value().get(b, h / 2, j, d);
                            }
                        }
                        assertEquals(output, found.output().get(b, h, i, d), 1e-12);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void itHasItsGradient(String name) {
        AttentionInputs inputs = Family.small(name);
        Tensor up = new RandomTensors(3).normal(DType.F64, 2, 4, 3, 2);
        var random = new RandomTensors(21);
        Tensor weight = random.normal(DType.F64, 3, 4);
        Tensor vector = random.normal(DType.F64, 4);
        LocalAttention local = new LocalAttention(weight, vector, 2).on(REFERENCE);
        LocalAttention.Gradients gradients = local.backward(inputs, up);
        var pairs = Family.pairs(inputs, gradients.attention());
        pairs.put(weight, gradients.weight());
        pairs.put(vector, gradients.vector());
        pairs.forEach((tensor, gradient) -> assertGradient(
                name, tensor, gradient, () -> weighed(local.forward(inputs).output(), up)));
    }

    @Test
    void headsMayHavePositionsOfTheirOwn() {
        AttentionInputs inputs = Family.small("plain");
        Tensor up = new RandomTensors(3).normal(DType.F64, 2, 4, 3, 2);
        var random = new RandomTensors(22);
        Tensor weight = random.normal(DType.F64, 4, 3, 2);
        Tensor vector = random.normal(DType.F64, 4, 2);
        LocalAttention local = new LocalAttention(weight, vector, 1).on(REFERENCE);
        LocalAttention.Gradients gradients = local.backward(inputs, up);
        assertGradient(
                "weight",
                weight,
                gradients.weight(),
                () -> weighed(local.forward(inputs).output(), up));
        assertGradient(
                "vector",
                vector,
                gradients.vector(),
                () -> weighed(local.forward(inputs).output(), up));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#fastCases")
    void everyBackendIsWithinBudget(String backend, AttentionInputs inputs) {
        long width = inputs.problem().shape().headDim();
        var random = new RandomTensors(23);
        Tensor weight = random.normal(DType.F32, width, 6);
        Tensor vector = random.normal(DType.F32, 6);
        LocalAttention local = new LocalAttention(weight, vector, 6);
        Family.assertWithinBudget(
                backend,
                inputs,
                false,
                (engine, in) -> local.on(engine).forward(in).output().toDoubleArray());
        Tensor up = random.normal(
                DType.F32,
                inputs.query().size(0),
                inputs.query().size(1),
                inputs.query().size(2),
                inputs.value().size(3));
        Family.assertWithinBudget(backend, inputs, true, (engine, in) -> {
            LocalAttention.Gradients g =
                    local.on(engine).backward(in, up.to(in.query().type()));
            return Stream.of(
                            Family.flat(g.attention()),
                            g.weight().toDoubleArray(),
                            g.vector().toDoubleArray())
                    .flatMapToDouble(DoubleStream::of)
                    .toArray();
        });
    }

    @Test
    void partsOfALongSequenceAreTheWhole() {
        Qkv qkv = Qkv.of("q1x1x60x4 kv1x40000 f32");
        AttentionInputs inputs = qkv.with(AttentionOptions.DEFAULT);
        assertTrue(QueryRows.chunks(inputs).size() > 1);
        var random = new RandomTensors(24);
        LocalAttention local = new LocalAttention(random.normal(DType.F32, 4, 5), random.normal(DType.F32, 5), 10);
        Tensor whole = local.forward(inputs).output();
        for (long i : new long[] {0, 25, 26, 27, 59}) {
            AttentionInputs one = AttentionInputs.of(
                    qkv.query().slice(2, i, i + 1), qkv.key(), qkv.value(), AttentionOptions.DEFAULT);
            assertArrayEquals(
                    local.on(REFERENCE).forward(one).output().toDoubleArray(),
                    whole.slice(2, i, i + 1).toDoubleArray(),
                    1e-5);
        }
    }

    @Test
    void deadRowsAreZeroAndNaNOutsideOfTheWindowsIsNotRead() {
        Qkv qkv = Qkv.of("q2x2x5x3 kv1x20 f32");
        LocalAttention local = new LocalAttention(Tensor.zeros(DType.F32, 3, 2), Tensor.zeros(DType.F32, 2), 3);
        // with parameters of zero, each position is half the length, 10, so each query attends to keys 7 to 13
        for (long[] outside : new long[][] {{0, 7}, {14, 20}}) {
            qkv.key().slice(2, outside[0], outside[1]).fill(Double.NaN);
            qkv.value().slice(2, outside[0], outside[1]).fill(Double.NaN);
        }
        qkv.key().select(0, 1).fill(Double.NaN);
        qkv.value().select(0, 1).fill(Double.NaN);
        AttentionInputs inputs = qkv.with(AttentionOptions.DEFAULT.withMask(Mask.keyLengths(20, 0)));
        Tensor up = Tensor.zeros(DType.F32, 2, 2, 5, 3).fill(1);
        for (AttentionBackend backend : Family.fast()) {
            LocalAttention here = local.on(AttentionEngine.of(backend));
            LocalAttention.Local found = here.forward(inputs);
            assertEquals(10, found.positions().get(0, 0, 0));
            assertEquals(0, RandomTensors.largest(found.output().select(0, 1)), backend.name());
            assertEquals(0, found.mass().get(1, 0, 0));
            for (double number : found.output().toDoubleArray()) {
                assertTrue(Double.isFinite(number), backend.name());
            }
            LocalAttention.Gradients gradients = here.backward(inputs, up);
            for (double number : Family.flat(gradients.attention())) {
                assertTrue(Double.isFinite(number), backend.name());
            }
        }
    }

    @Test
    void alignedIsTheWindowAroundTheQuerysOwnIndex() {
        assertEquals("""
                ##....
                ###...
                .###..
                ..###.
                """, LocalAttention.aligned(1, 6).picture(4, 6));
    }

    @Test
    void badInputIsRefused() {
        Tensor weight = Tensor.zeros(DType.F64, 3, 4);
        Tensor vector = Tensor.zeros(DType.F64, 4);
        AttentionInputs inputs = Family.small("plain");
        assertThrows(InvalidInputException.class, () -> new LocalAttention(weight, vector, 0));
        assertThrows(InvalidInputException.class, () -> new LocalAttention(weight, Tensor.zeros(DType.F64, 5), 1));
        assertThrows(InvalidInputException.class, () -> new LocalAttention(weight, vector, 5).forward(inputs));
        assertThrows(InvalidInputException.class, () -> LocalAttention.aligned(0, 5));
        assertThrows(InvalidInputException.class, () -> LocalAttention.aligned(5, 5));
        assertThrows(
                InvalidInputException.class,
                () -> new LocalAttention(Tensor.zeros(DType.F64, 2, 4), vector, 2).forward(inputs));
    }
}
