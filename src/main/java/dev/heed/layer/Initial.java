package dev.heed.layer;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.function.DoubleSupplier;
import java.util.random.RandomGenerator;

/**
 * A source of initial parameter values: random values from a generator, zeros or ones. The same seed and the same calls
 * give the same bits.
 */
public final class Initial {
    private final RandomGenerator random;
    private final DType type;

    /**
     * Creates a source of initial parameter values.
     *
     * @param random a generator with a fixed algorithm and seed, such as {@code new java.util.Random(seed)}
     * @param type f32 or f64
     */
    public Initial(RandomGenerator random, DType type) {
        this.random = random;
        this.type = type;
    }

    /**
     * {@return a matrix {@code [in, out]} of elements uniformly distributed from {@code -sqrt(6 / (in + out))} to
     * {@code sqrt(6 / (in + out))} (Glorot and Bengio 2010, equation 16)}
     */
    public Tensor glorot(long in, long out) {
        double limit = Math.sqrt(6.0 / (in + out));
        return draw(in * out, () -> limit * (2 * random.nextDouble() - 1), in, out);
    }

    /** {@return a tensor of normally distributed elements with mean 0 and the given standard deviation} */
    public Tensor normal(double deviation, long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return draw(count, () -> deviation * random.nextGaussian(), shape);
    }

    /** {@return a tensor of zeros} */
    public Tensor zeros(long... shape) {
        return Tensor.zeros(type, shape);
    }

    /** {@return a tensor of ones} */
    public Tensor ones(long... shape) {
        return Tensor.zeros(type, shape).fill(1);
    }

    /**
     * {@return a matrix {@code [size, size * blocks]} of orthogonal square blocks, side by side (Saxe et al. 2014,
     * section 3)} Each block is made by Gram-Schmidt orthogonalisation of normally distributed rows, with two passes
     * per row. The matrix is a state weight of a recurrent cell.
     *
     * @param size rows and columns of a block
     * @param blocks number of blocks, one per gate
     */
    public Tensor orthogonal(int size, int blocks) {
        double[] whole = new double[size * size * blocks];
        for (int block = 0; block < blocks; block++) {
            double[][] rows = new double[size][size];
            for (int r = 0; r < size; r++) {
                for (int c = 0; c < size; c++) {
                    rows[r][c] = random.nextGaussian();
                }
                for (int twice = 0; twice < 2; twice++) {
                    for (int other = 0; other < r; other++) {
                        axpy(-dot(rows[r], rows[other]), rows[other], rows[r]);
                    }
                }
                double length = Math.sqrt(dot(rows[r], rows[r]));
                for (int c = 0; c < size; c++) {
                    rows[r][c] /= length;
                    whole[r * size * blocks + block * size + c] = rows[r][c];
                }
            }
        }
        return Tensor.of(whole, size, (long) size * blocks).to(type);
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static void axpy(double factor, double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            y[i] += factor * x[i];
        }
    }

    private Tensor draw(long count, DoubleSupplier next, long... shape) {
        double[] numbers = new double[Math.toIntExact(count)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = next.getAsDouble();
        }
        return Tensor.of(numbers, shape).to(type);
    }
}
