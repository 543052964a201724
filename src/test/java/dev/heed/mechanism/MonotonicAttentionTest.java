package dev.heed.mechanism;

import static dev.heed.backend.reference.CentralDifference.assertGradient;
import static dev.heed.backend.reference.CentralDifference.weighed;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionBackend;
import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.ScoreStage;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares the weights of monotonic attention with the explicit sum over all scans, its hard form with the expected
 * form at probabilities near 0 and 1, and its gradient with numerical derivatives.
 */
@Tag("slow")
class MonotonicAttentionTest {
    private static final MonotonicAttention MONOTONIC = new MonotonicAttention().on(Family.REFERENCE);

    /**
     * Compares the weights with the probability of stopping at key j, summed over every start k up to j without the
     * recurrence in q.
     */
    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void weightsAreTheSumOverAllWalks(String name) {
        AttentionInputs inputs = Family.small(name);
        AttentionResult kept = Family.REFERENCE.forward(AttentionInputs.of(
                inputs.query(), inputs.key(), inputs.value(), inputs.options().withScores(ScoreStage.MODIFIED)));
        Tensor weights = MONOTONIC.expectedWeights(inputs);
        for (long b = 0; b < 2; b++) {
            for (long h = 0; h < 4; h++) {
                double[] before = {1, 0, 0, 0, 0};
                for (long i = 0; i < 3; i++) {
                    double[] now = new double[5];
                    for (int j = 0; j < 5; j++) {
                        for (int k = 0; k <= j; k++) {
                            double walk = before[k];
                            for (int l = k; l < j; l++) {
                                walk *= 1 - sigmoid(kept.scores().get(b, h, i, l));
                            }
                            now[j] += walk * sigmoid(kept.scores().get(b, h, i, j));
                        }
                        assertEquals(now[j], weights.get(b, h, i, j), 1e-14);
                    }
                    before = now;
                }
            }
        }
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void itHasItsGradient(String name) {
        AttentionInputs inputs = Family.small(name);
        Tensor up = new RandomTensors(3).normal(DType.F64, 2, 4, 3, 2);
        AttentionGradients gradients = MONOTONIC.backward(inputs, up);
        Family.pairs(inputs, gradients)
                .forEach((tensor, gradient) ->
                        assertGradient(name, tensor, gradient, () -> weighed(MONOTONIC.expected(inputs), up)));
    }

    @Test
    void certainStepsAreTheHardForm() {
        Qkv qkv = Qkv.of("q2x4x6x5 kv2x9 f64");
        AttentionInputs inputs =
                qkv.with(AttentionOptions.DEFAULT.withScale(1e4).withMask(Mask.keyLengths(9, 4)));
        MonotonicAttention.Hard hard = MONOTONIC.hard(inputs);
        assertArrayEquals(
                MONOTONIC.expected(inputs).toDoubleArray(), hard.output().toDoubleArray(), 1e-9);
        Tensor keys = hard.keys();
        boolean moved = false;
        for (long b = 0; b < 2; b++) {
            for (long h = 0; h < 4; h++) {
                for (long i = 1; i < 6; i++) {
                    double now = keys.get(b, h, i);
                    double before = keys.get(b, h, i - 1);
                    assertTrue(now == -1 || (before != -1 && now >= before), before + " then " + now);
                    moved |= now > before;
                }
            }
        }
        assertTrue(moved);
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#fastCases")
    void everyBackendIsWithinBudget(String backend, AttentionInputs inputs) {
        Tensor up = new RandomTensors(4)
                .normal(
                        DType.F32,
                        inputs.query().size(0),
                        inputs.query().size(1),
                        inputs.query().size(2),
                        inputs.value().size(3));
        Family.assertWithinBudget(
                backend,
                inputs,
                false,
                (engine, in) -> new MonotonicAttention().on(engine).expected(in).toDoubleArray());
        Family.assertWithinBudget(
                backend,
                inputs,
                true,
                (engine, in) -> Family.flat(new MonotonicAttention().on(engine).backward(in, up)));
    }

    @Test
    void maskedNaNIsNotReadAndDeadRowsAreZero() {
        Qkv qkv = Qkv.of("q2x2x5x3 kv1x8 f32");
        qkv.key().slice(2, 5, 8).fill(Double.NaN);
        qkv.value().slice(2, 5, 8).fill(Double.NaN);
        qkv.key().select(0, 1).fill(Double.NaN);
        qkv.value().select(0, 1).fill(Double.NaN);
        AttentionInputs inputs = qkv.with(AttentionOptions.DEFAULT.withMask(Mask.keyLengths(5, 0)));
        Tensor up = Tensor.zeros(DType.F32, 2, 2, 5, 3).fill(1);
        for (AttentionBackend backend : Family.fast()) {
            MonotonicAttention here = new MonotonicAttention().on(AttentionEngine.of(backend));
            assertEquals(0, RandomTensors.largest(here.expected(inputs).select(0, 1)));
            assertEquals(-1, here.hard(inputs).keys().get(1, 0, 0));
            for (double number : here.expected(inputs).toDoubleArray()) {
                assertTrue(Double.isFinite(number), backend.name());
            }
            for (double number : Family.flat(here.backward(inputs, up))) {
                assertTrue(Double.isFinite(number), backend.name());
            }
        }
    }

    @Test
    void badInputIsRefused() {
        AttentionInputs inputs = Family.small("plain");
        assertThrows(
                InvalidInputException.class, () -> MONOTONIC.backward(inputs, Tensor.zeros(DType.F64, 2, 4, 3, 3)));
        AttentionInputs dropped = AttentionInputs.of(
                inputs.query(), inputs.key(), inputs.value(), inputs.options().withDropout(0.1, 1));
        assertThrows(InvalidInputException.class, () -> MONOTONIC.expected(dropped));
    }
}
