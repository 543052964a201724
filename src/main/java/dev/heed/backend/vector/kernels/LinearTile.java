package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;
import static dev.heed.backend.vector.kernels.Species.fma;

import dev.heed.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/** The bias and activation of a linear layer, applied to one panel of its product while the panel is in cache. */
interface LinearTile extends Kernels {
    float MINUS_HALF_LOG2E = (float) (-0.5 / Math.log(2));

    /** For arguments below {@code -FAR}, GELU is 0 in f32. */
    float FAR = 15;

    // The tail of the normal distribution times e^(u^2 / 2), as a polynomial in t = 1 / (1 + 0.28 u) without constant
    // term. It is fitted for the smallest relative error over 0 <= u <= 15, which is 6e-8.
    float T = 0.28f;
    float C1 = 0x1.c97ca8p-4f;
    float C2 = 0x1.ca7666p-4f;
    float C3 = 0x1.9f4e9ap-4f;
    float C4 = 0x1.71d0b4p-4f;
    float C5 = 0x1.d66930p-5f;
    float C6 = 0x1.e79050p-7f;
    float C7 = 0x1.32f48cp-4f;
    float C8 = -0x1.5f9896p-4f;
    float C9 = 0x1.7dac4ep-6f;

    @Override
    default void finishLinear(
            Activation activation, float @Nullable [] bias, int from, float[] x, int at, int step, int rows) {
        if (bias != null) {
            addBias(bias, from, x, at, step, rows);
        }
        for (int r = 0; r < rows && activation != Activation.IDENTITY; r++) {
            switch (activation) {
                case IDENTITY -> {}
                case RELU -> relu(x, at + r * step);
                case GELU -> gelu(x, at + r * step);
                case TANH -> tanh(x, at + r * step);
            }
        }
    }

    private static void addBias(float[] bias, int from, float[] x, int at, int step, int rows) {
        FloatVector b0 = FloatVector.fromArray(SPECIES, bias, from);
        FloatVector b1 = FloatVector.fromArray(SPECIES, bias, from + V);
        FloatVector b2 = FloatVector.fromArray(SPECIES, bias, from + 2 * V);
        FloatVector b3 = FloatVector.fromArray(SPECIES, bias, from + 3 * V);
        for (int r = 0, p = at; r < rows; r++, p += step) {
            FloatVector.fromArray(SPECIES, x, p).add(b0).intoArray(x, p);
            FloatVector.fromArray(SPECIES, x, p + V).add(b1).intoArray(x, p + V);
            FloatVector.fromArray(SPECIES, x, p + 2 * V).add(b2).intoArray(x, p + 2 * V);
            FloatVector.fromArray(SPECIES, x, p + 3 * V).add(b3).intoArray(x, p + 3 * V);
        }
    }

    private static void relu(float[] x, int at) {
        for (int i = at; i < at + PANEL; i += V) {
            FloatVector value = FloatVector.fromArray(SPECIES, x, i);
            value.blend(0f, value.compare(VectorOperators.LT, 0f)).intoArray(x, i); // NaN stays NaN
        }
    }

    private static void tanh(float[] x, int at) {
        for (int i = at; i < at + PANEL; i += V) {
            ScoreTile.tanh(FloatVector.fromArray(SPECIES, x, i)).intoArray(x, i);
        }
    }

    /**
     * Computes GELU as {@code max(x, 0) - |x| Q(|x|)}, with the upper tail Q of the normal distribution. There is no
     * cancellation for either sign of x.
     */
    private static void gelu(float[] x, int at) {
        for (int i = at; i < at + PANEL; i += V) {
            FloatVector value = FloatVector.fromArray(SPECIES, x, i);
            FloatVector size = value.abs();
            FloatVector u = size.blend(FAR, size.compare(VectorOperators.GT, FAR));
            FloatVector t = FloatVector.broadcast(SPECIES, 1f).div(u.mul(T).add(1f));
            FloatVector y = t.mul(C9).add(C8);
            y = fma(y, t, FloatVector.broadcast(SPECIES, C7));
            y = fma(y, t, FloatVector.broadcast(SPECIES, C6));
            y = fma(y, t, FloatVector.broadcast(SPECIES, C5));
            y = fma(y, t, FloatVector.broadcast(SPECIES, C4));
            y = fma(y, t, FloatVector.broadcast(SPECIES, C3));
            y = fma(y, t, FloatVector.broadcast(SPECIES, C2));
            y = fma(y, t, FloatVector.broadcast(SPECIES, C1)).mul(t);
            FloatVector power = SoftmaxTile.exp2(u.mul(u).mul(MINUS_HALF_LOG2E));
            FloatVector tail = u.mul(power).mul(y);
            value.blend(0f, value.compare(VectorOperators.LT, 0f)).sub(tail).intoArray(x, i);
        }
    }
}
