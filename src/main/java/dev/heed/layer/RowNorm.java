package dev.heed.layer;

import dev.heed.tensor.InvalidInputException;

/**
 * Layer normalisation in place, for inference: a {@link LayerNorm} with its parameters in {@code float} arrays.
 *
 * @param weight {@code [width]}
 * @param bias {@code [width]}
 * @param epsilon added to the variance, so that rows of equal elements stay finite; 2^-126 or more
 */
public record RowNorm(float[] weight, float[] bias, double epsilon) {
    /** Checks epsilon. */
    public RowNorm {
        requireEpsilon(epsilon);
    }

    /** Checks that the reciprocal of the square root of epsilon is a positive f32 number. */
    static void requireEpsilon(double epsilon) {
        if (!(epsilon >= Float.MIN_NORMAL && epsilon <= Float.MAX_VALUE)) {
            throw new InvalidInputException(
                    "The epsilon of a layer normalisation does not fit",
                    "an epsilon from " + Float.MIN_NORMAL + " to " + Float.MAX_VALUE,
                    String.valueOf(epsilon),
                    "1e-5");
        }
    }

    /** Normalises each row of {@code x}, {@code [rows, width]}, in place. */
    public void apply(float[] x, int rows) {
        for (int r = 0; r < rows; r++) {
            normalise(x, r * weight.length);
        }
    }

    /** Adds {@code residual} to {@code x}, both {@code [rows, width]}, and normalises each row of the sum in place. */
    public void apply(float[] x, float[] residual, int rows) {
        int width = weight.length;
        for (int r = 0; r < rows; r++) {
            for (int i = r * width; i < (r + 1) * width; i++) {
                x[i] += residual[i];
            }
            normalise(x, r * width);
        }
    }

    private void normalise(float[] x, int from) {
        int width = weight.length;
        double mean = sum(x, from, width, 0, false) / width;
        double variance = sum(x, from, width, mean, true) / width;
        float centre = (float) mean;
        float factor = (float) (1 / Math.sqrt(variance + epsilon));
        for (int i = 0; i < width; i++) {
            x[from + i] = (x[from + i] - centre) * factor * weight[i] + bias[i];
        }
    }

    /**
     * Sums {@code x - shift}, or its square, in four accumulators, because with one accumulator, each addition would
     * wait for the previous one.
     */
    private static double sum(float[] x, int from, int count, double shift, boolean squared) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = from;
        for (; i + 4 <= from + count; i += 4) {
            double p = x[i] - shift;
            double q = x[i + 1] - shift;
            double r = x[i + 2] - shift;
            double s = x[i + 3] - shift;
            a += squared ? p * p : p;
            b += squared ? q * q : q;
            c += squared ? r * r : r;
            d += squared ? s * s : s;
        }
        for (; i < from + count; i++) {
            double p = x[i] - shift;
            a += squared ? p * p : p;
        }
        return (a + b) + (c + d);
    }
}
