package dev.heed.backend.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.RandomTensors;
import dev.heed.tensor.Tensor;
import java.util.function.DoubleSupplier;

/**
 * Assertions that compare gradients with fourth-order central differences of the loss f:
 * {@code (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / (12 h)}. With {@code h = 1e-3}, truncation and rounding errors are
 * both below 1e-10 for losses around 1.
 */
public final class CentralDifference {
    private static final double STEP = 1e-3;
    private static final double RELATIVE = 1e-6;

    private CentralDifference() {}

    /**
     * Asserts that every element of the gradient is the derivative of the loss with respect to the same element of the
     * input. The error must be at most 1e-6 times the derivative's magnitude, or 1e-6 times a floor: 1% of the largest
     * gradient element, but at least 1e-3.
     */
    public static void assertGradient(String name, Tensor input, Tensor gradient, DoubleSupplier loss) {
        double[] saved = input.toDoubleArray();
        double[] slopes = gradient.toDoubleArray();
        double floor = Math.max(1e-3, RandomTensors.largest(gradient) / 100);
        for (int i = 0; i < saved.length; i++) {
            double[] moved = saved.clone();
            double[] f = new double[4];
            double[] steps = {STEP, -STEP, 2 * STEP, -2 * STEP};
            for (int n = 0; n < 4; n++) {
                moved[i] = saved[i] + steps[n];
                input.copyFrom(Tensor.of(moved, input.shape()));
                f[n] = loss.getAsDouble();
            }
            double slope = (8 * (f[0] - f[1]) - (f[2] - f[3])) / (12 * STEP);
            assertEquals(
                    slope, slopes[i], RELATIVE * Math.max(floor, Math.abs(slope)), name + " gradient, element " + i);
        }
        input.copyFrom(Tensor.of(saved, input.shape()));
    }

    /**
     * Asserts that the derivative of the loss along a random direction is the inner product of the direction and the
     * gradients, within a relative error of 1e-6.
     */
    public static void assertDirectionalDerivative(Tensor[] inputs, Tensor[] gradients, DoubleSupplier loss) {
        Tensor[] saved = new Tensor[inputs.length];
        Tensor[] directions = new Tensor[inputs.length];
        double expected = 0;
        for (int n = 0; n < inputs.length; n++) {
            saved[n] = inputs[n].copy();
            directions[n] = new RandomTensors(n).normal(inputs[n].type(), inputs[n].shape());
            double[] direction = directions[n].toDoubleArray();
            double[] gradient = gradients[n].toDoubleArray();
            for (int i = 0; i < gradient.length; i++) {
                expected += direction[i] * gradient[i];
            }
        }
        double[] f = new double[4];
        double[] steps = {STEP, -STEP, 2 * STEP, -2 * STEP};
        for (int k = 0; k < 4; k++) {
            for (int n = 0; n < inputs.length; n++) {
                double[] cells = saved[n].toDoubleArray();
                double[] direction = directions[n].toDoubleArray();
                for (int i = 0; i < cells.length; i++) {
                    cells[i] += steps[k] * direction[i];
                }
                inputs[n].copyFrom(Tensor.of(cells, inputs[n].shape()));
            }
            f[k] = loss.getAsDouble();
        }
        double slope = (8 * (f[0] - f[1]) - (f[2] - f[3])) / (12 * STEP);
        assertTrue(Math.abs(expected) > 1e-3, "the derivative along the direction is too small to compare");
        assertEquals(expected, slope, RELATIVE * Math.abs(expected));
    }

    /**
     * {@return the loss {@code sum y * dy}, whose gradient with respect to the output {@code y} is {@code dy}} Elements
     * with {@code dy = 0} are left out, even if {@code y} is non-finite.
     */
    public static double weighed(Tensor output, Tensor gradient) {
        double sum = 0;
        double[] y = output.toDoubleArray();
        double[] dy = gradient.toDoubleArray();
        for (int i = 0; i < y.length; i++) {
            sum += dy[i] == 0 ? 0 : y[i] * dy[i];
        }
        return sum;
    }
}
