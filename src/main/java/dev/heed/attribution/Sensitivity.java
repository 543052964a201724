package dev.heed.attribution;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * Gradient-based attribution: how much output position {@code i} depends on input position {@code j}, measured by the
 * Frobenius norm of the Jacobian block {@code dy_i / dx_j} (the sequential Jacobian of Graves 2012; for images Simonyan et
 * al. 2014). The result is f64 {@code [outputs, inputs]} and can be compared with attention weights.
 */
public final class Sensitivity {
    private Sensitivity() {}

    /** {@return the exact norms, from one backward pass per element of the output} */
    public static Tensor exact(Differentiable function, Tensor input) {
        requireSequence(input);
        Tensor output = function.forward(input);
        requireSequence(output);
        double[][] squares = squares(input, output);
        for (long i = 0; i < output.size(0); i++) {
            for (long c = 0; c < output.size(1); c++) {
                Tensor up = Tensor.zeros(output.type(), output.shape());
                up.set(1, i, c);
                add(squares[(int) i], function.backward(input, up), 1);
            }
        }
        return roots(squares);
    }

    /**
     * {@return the norms of the gradients of the dot products {@code u_i . y_i} with respect to {@code x_j}, from one
     * backward pass per output position {@code i}}
     *
     * @param direction {@code u}, of the shape of the output, for example the gradient of a loss
     */
    public static Tensor along(Differentiable function, Tensor input, Tensor direction) {
        requireSequence(input);
        Tensor output = function.forward(input);
        requireSequence(output);
        if (!direction.hasShape(output.shape())) {
            throw new InvalidInputException(
                    "The direction does not fit the output",
                    output.toString(),
                    direction.toString(),
                    "the direction needs the shape of the output");
        }
        double[][] squares = squares(input, output);
        for (long i = 0; i < output.size(0); i++) {
            Tensor up = Tensor.zeros(output.type(), output.shape());
            up.select(0, i).copyFrom(direction.select(0, i).to(output.type()));
            add(squares[(int) i], function.backward(input, up), 1);
        }
        return roots(squares);
    }

    /**
     * {@return an estimate of {@link #exact} from random directions {@code u} whose elements are independently 1 or -1
     * (Hutchinson 1990)} The expected square of an estimated norm is the square of the exact norm. An estimated norm is
     * at most {@code sqrt(width)} times the exact norm, for outputs of {@code width} elements. The error of the squared
     * norms is inversely proportional to the square root of the number of probes.
     *
     * @param probes number of backward passes per output position
     * @param seed the same seed gives the same estimate
     */
    public static Tensor estimated(Differentiable function, Tensor input, int probes, long seed) {
        requireSequence(input);
        if (probes < 1) {
            throw new InvalidInputException(
                    "The number of probes must be positive", "1 probe or more", probes + " probes", "16");
        }
        Tensor output = function.forward(input);
        requireSequence(output);
        var random = new SplittableRandom(seed);
        double[][] squares = squares(input, output);
        for (int probe = 0; probe < probes; probe++) {
            for (long i = 0; i < output.size(0); i++) {
                Tensor up = Tensor.zeros(output.type(), output.shape());
                for (long c = 0; c < output.size(1); c++) {
                    up.set(random.nextBoolean() ? 1 : -1, i, c);
                }
                add(squares[(int) i], function.backward(input, up), 1.0 / probes);
            }
        }
        return roots(squares);
    }

    private static double[][] squares(Tensor input, Tensor output) {
        return new double[Math.toIntExact(output.size(0))][Math.toIntExact(input.size(0))];
    }

    private static void add(double[] squares, Tensor gradient, double share) {
        double[] numbers = gradient.toDoubleArray();
        int width = numbers.length / squares.length;
        for (int n = 0; n < numbers.length; n++) {
            squares[n / width] += share * numbers[n] * numbers[n];
        }
    }

    private static Tensor roots(double[][] squares) {
        Tensor roots = Tensor.zeros(DType.F64, squares.length, squares[0].length);
        for (int i = 0; i < squares.length; i++) {
            for (int j = 0; j < squares[i].length; j++) {
                roots.set(Math.sqrt(squares[i][j]), i, j);
            }
        }
        return roots;
    }

    private static void requireSequence(Tensor tensor) {
        if (tensor.rank() != 2 || !tensor.type().isFloating()) {
            throw new InvalidInputException(
                    "The sensitivity needs sequences",
                    "numbers [length, width]",
                    tensor.toString(),
                    "select(0, b) selects one batch entry");
        }
    }
}
