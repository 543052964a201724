package dev.heed.attribution;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionEngine;
import dev.heed.AttentionOptions;
import dev.heed.Backends;
import dev.heed.RandomTensors;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Compares sensitivities with norms of Jacobians from finite differences, and rollout with products computed by hand. */
class AttributionTest {
    private static final AttentionEngine REFERENCE = AttentionEngine.of(Backends.named("reference"));

    private static Differentiable twoLayers() {
        return Differentiable.selfAttention(AttentionOptions.DEFAULT.causal(), REFERENCE)
                .residual()
                .then(Differentiable.selfAttention(AttentionOptions.DEFAULT.withScale(0.4), REFERENCE));
    }

    @Test
    void exactIsTheNormOfDifferences() {
        Tensor x = new RandomTensors(1).normal(DType.F64, 4, 3);
        Differentiable f = twoLayers();
        Tensor found = Sensitivity.exact(f, x);
        double h = 1e-5;
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
                double square = 0;
                for (int d = 0; d < 3; d++) {
                    double[] up = x.toDoubleArray();
                    double[] down = x.toDoubleArray();
                    up[j * 3 + d] += h;
                    down[j * 3 + d] -= h;
                    Tensor above = f.forward(Tensor.of(up, 4, 3));
                    Tensor below = f.forward(Tensor.of(down, 4, 3));
                    for (int c = 0; c < 3; c++) {
                        double difference = (above.get(i, c) - below.get(i, c)) / (2 * h);
                        square += difference * difference;
                    }
                }
                assertEquals(Math.sqrt(square), found.get(i, j), 1e-6 * Math.max(1e-3, Math.sqrt(square)));
            }
        }
    }

    @Test
    void causalAttentionDependsOnNothingLater() {
        Tensor x = new RandomTensors(2).normal(DType.F32, 5, 4);
        Tensor found = Sensitivity.exact(Differentiable.selfAttention(AttentionOptions.DEFAULT.causal()), x);
        for (int i = 0; i < 5; i++) {
            for (int j = 0; j < 5; j++) {
                assertTrue(j <= i ? found.get(i, j) > 0 : found.get(i, j) == 0, i + ", " + j);
            }
        }
    }

    @Test
    void theEstimateIsUnbiasedAndRepeats() {
        Tensor x = new RandomTensors(3).normal(DType.F64, 4, 3);
        Tensor exact = Sensitivity.exact(twoLayers(), x);
        Tensor estimate = Sensitivity.estimated(twoLayers(), x, 400, 7);
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
                assertEquals(exact.get(i, j), estimate.get(i, j), 0.15 * exact.get(i, j));
            }
        }
        assertArrayEquals(
                Sensitivity.estimated(twoLayers(), x, 2, 9).toDoubleArray(),
                Sensitivity.estimated(twoLayers(), x, 2, 9).toDoubleArray());
    }

    @Test
    void alongOneColumnIsThatColumnsNorm() {
        Tensor x = new RandomTensors(4).normal(DType.F64, 4, 1);
        Tensor ones = Tensor.zeros(DType.F64, 4, 1).fill(1);
        assertArrayEquals(
                Sensitivity.exact(twoLayers(), x).toDoubleArray(),
                Sensitivity.along(twoLayers(), x, ones).toDoubleArray(),
                1e-15);
    }

    @Test
    void rolloutMultipliesTheLayers() {
        Tensor first = Tensor.of(new double[] {1, 0, 0.5, 0.5}, 2, 2);
        Tensor second = Tensor.of(new double[] {0, 1, 1, 0, 1, 0, 0, 1}, 2, 2, 2); // the mean of the heads is one half
        // first: (W + I) / 2 = [1 0; .25 .75]; second: [.75 .25; .25 .75]
        assertArrayEquals(
                new double[] {0.75 + 0.0625, 0.1875, 0.25 + 0.1875, 0.5625},
                Rollout.of(List.of(first, second)).toDoubleArray(),
                1e-15);
        assertArrayEquals(
                new double[] {1, 0, 0, 1}, Rollout.of(List.of(first), 0).toDoubleArray());
        assertArrayEquals(first.toDoubleArray(), Rollout.of(List.of(first), 1).toDoubleArray());
    }

    @Test
    void rowsOfRolloutSumToOneEvenWhereAHeadSeesNothing() {
        Tensor weights = Tensor.zeros(DType.F32, 2, 3, 3); // row 0 is fully masked in both heads
        weights.select(1, 1).fill(1.0 / 3);
        weights.select(1, 2).fill(1.0 / 3);
        Tensor rollout = Rollout.of(List.of(weights, weights, weights));
        for (int i = 0; i < 3; i++) {
            assertEquals(1, rollout.get(i, 0) + rollout.get(i, 1) + rollout.get(i, 2), 1e-6);
        }
    }

    @Test
    void badInputIsRefused() {
        Tensor x = Tensor.zeros(DType.F32, 3, 2);
        Differentiable f = Differentiable.selfAttention(AttentionOptions.DEFAULT);
        assertThrows(InvalidInputException.class, () -> Sensitivity.exact(f, x.unsqueeze(0)));
        assertThrows(InvalidInputException.class, () -> Sensitivity.estimated(f, x, 0, 1));
        assertThrows(InvalidInputException.class, () -> Sensitivity.along(f, x, Tensor.zeros(DType.F32, 3, 3)));
        assertThrows(InvalidInputException.class, () -> Rollout.of(List.of()));
        assertThrows(InvalidInputException.class, () -> Rollout.of(List.of(Tensor.zeros(DType.F32, 2, 3))));
        assertThrows(InvalidInputException.class, () -> Rollout.of(List.of(Tensor.zeros(DType.F32, 2, 2)), 1.5));
    }
}
