package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertClose;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests of properties that a linear layer has for any input. */
interface LinearContract extends ContractChapter {
    @ParameterizedTest
    @ValueSource(ints = {1, 7, 64, 65, 300})
    default void theUnitMatrixChangesNothing(int width) {
        Tensor unit = Tensor.zeros(DType.F32, width, width);
        for (int i = 0; i < width; i++) {
            unit.set(1, i, i);
        }
        Tensor x = new RandomTensors(1).normal(DType.F32, 5, width);
        assertSameBits(x, linear(x, new LinearWeights(unit, null), Activation.IDENTITY));
    }

    @ParameterizedTest
    @EnumSource
    default void theActivationFollowsTheBias(Activation activation) {
        Tensor x = Tensor.zeros(DType.F32, 3, 4);
        float[] bias = new float[70];
        for (int i = 0; i < bias.length; i++) {
            bias[i] = (i - 35) / 7f;
        }
        Tensor y =
                linear(x, new LinearWeights(Tensor.zeros(DType.F32, 4, 70).fill(1), Tensor.of(bias, 70)), activation);
        for (int i = 0; i < bias.length; i++) {
            assertEquals(activation.apply(bias[i]), y.get(2, i), 1e-6, activation + " of " + bias[i]);
        }
    }

    @Test
    default void geluOfAnythingIsNoNanAndLosesNoLargeNumber() {
        float[] bias = {-Float.MAX_VALUE, -1e30f, -100, -20, -15, 15, 100, 1e30f, Float.MAX_VALUE};
        Tensor y = linear(
                Tensor.zeros(DType.F32, 1, 1),
                new LinearWeights(Tensor.zeros(DType.F32, 1, bias.length), Tensor.of(bias, bias.length)),
                Activation.GELU);
        for (int i = 0; i < bias.length; i++) {
            assertEquals(Math.max(bias[i], 0), y.get(0, i), 1e-30, "gelu of " + bias[i]);
        }
    }

    @Test
    default void nanStaysInItsRow() {
        var random = new RandomTensors(2);
        LinearWeights w = new LinearWeights(random.normal(DType.F32, 30, 90), random.normal(DType.F32, 90));
        Tensor x = random.normal(DType.F32, 9, 30);
        Tensor clean = linear(x, w, Activation.GELU);
        x.set(Double.NaN, 4, 7);
        Tensor y = linear(x, w, Activation.GELU);
        assertAll(Double.NaN, y.select(0, 4));
        assertSameBits(clean.select(0, 3), y.select(0, 3));
        assertSameBits(clean.select(0, 5), y.select(0, 5));
    }

    @Test
    default void transposedWeightsAndStridedRowsAreReadWhereTheyLie() {
        var random = new RandomTensors(3);
        Tensor w = random.normal(DType.F32, 50, 20);
        Tensor x = random.normal(DType.F32, 8, 40);
        Tensor expected = linear(
                x.slice(1, 3, 23).copy(), new LinearWeights(w.transpose(0, 1).copy(), null), Activation.RELU);
        assertSameBits(
                expected, linear(x.slice(1, 3, 23), new LinearWeights(w.transpose(0, 1), null), Activation.RELU));
    }

    @Test
    default void rowsDoNotDependOnTheirNeighbours() {
        var random = new RandomTensors(4);
        LinearWeights w = new LinearWeights(random.normal(DType.F32, 70, 130), random.normal(DType.F32, 130));
        Tensor x = random.normal(DType.F32, 203, 70);
        Tensor y = linear(x, w, Activation.TANH);
        for (int rows : new int[] {1, 2, 6, 97}) {
            assertSameBits(y.slice(0, 0, rows), linear(x.slice(0, 0, rows), w, Activation.TANH));
        }
    }

    /**
     * A backend may pack a constant once, so calls with constant weights are compared with calls with the same weights, not
     * declared constant.
     */
    @Test
    default void constantsServeManyCalls() {
        var random = new RandomTensors(5);
        LinearWeights w = new LinearWeights(random.normal(DType.F32, 33, 65), random.normal(DType.F32, 65));
        LinearWeights constant = w.asConstant();
        for (int rows = 1; rows < 9; rows++) {
            Tensor x = random.normal(DType.F32, rows, 33);
            assertSameBits(linear(x, w, Activation.GELU), linear(x, constant, Activation.GELU));
        }
    }

    @Test
    default void gradientsOfAConstantLossAreThePlainSums() {
        LinearWeights w = new LinearWeights(Tensor.zeros(DType.F32, 4, 3).fill(2), Tensor.zeros(DType.F32, 3));
        LinearProblem problem = w.problem(5, Activation.IDENTITY);
        assumeSupported(problem);
        Tensor dx = Tensor.zeros(DType.F32, 5, 4);
        LinearWeights dw = w.zerosLike();
        try (LinearPlan plan = subject().plan(problem)) {
            plan.backward(
                    Tensor.zeros(DType.F32, 5, 4).fill(1),
                    w,
                    Tensor.zeros(DType.F32, 5, 3).fill(1),
                    dx,
                    dw);
        }
        assertAll(6, dx);
        assertAll(5, dw.weight());
        assertAll(5, java.util.Objects.requireNonNull(dw.bias()));
        assertClose(w.weight(), Tensor.zeros(DType.F32, 4, 3).fill(2), 0);
    }
}
