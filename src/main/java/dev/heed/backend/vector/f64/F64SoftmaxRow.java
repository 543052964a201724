package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.KERNELS;

import java.util.Arrays;

/**
 * The softmax of one row of doubles; the result replaces the row. Blocks of a row are summed separately, lane by lane, and
 * the block sums are then added, so a sum of a million terms stays accurate.
 */
public final class F64SoftmaxRow {
    private static final int BLOCK = 1024;

    private F64SoftmaxRow() {}

    /**
     * Replaces the first {@code length} elements with their softmax, or with its logarithm if {@code log}. The array must have
     * room for {@code length} elements, rounded up to whole vectors.
     */
    public static void softmax(double[] x, int length, boolean log) {
        int whole = F64Lanes.lanes(length);
        Arrays.fill(x, length, whole, Double.NEGATIVE_INFINITY);
        double max = max(x, whole);
        if (max == Double.NEGATIVE_INFINITY) {
            Arrays.fill(x, 0, length, log ? max : 0);
            return;
        }
        double sum = 0;
        double rest = 0; // the rounding error of the sum (Kahan 1965)
        for (int at = 0; at < whole; at += BLOCK) {
            double blockSum = KERNELS.powers(x, at, Math.min(whole, at + BLOCK), max, !log) - rest;
            double next = sum + blockSum;
            rest = next - sum - blockSum;
            sum = next;
        }
        double logOfSum = Math.log(sum);
        for (int i = 0; i < length; i++) {
            x[i] = log ? x[i] - max - logOfSum : x[i] / sum;
        }
    }

    /** Replaces {@code dy} with {@code dx = y (dy - sum(dy y))}, or with {@code dy - e^y sum(dy)} for the logarithm. */
    public static void gradient(double[] y, double[] dy, int length, boolean log) {
        boolean empty = log;
        for (int i = 0; empty && i < length; i++) {
            empty = y[i] == Double.NEGATIVE_INFINITY;
        }
        double sum = 0;
        for (int at = 0; at < length; at += BLOCK) {
            double blockSum = 0;
            for (int i = at; i < Math.min(length, at + BLOCK); i++) {
                blockSum += log ? dy[i] : dy[i] * y[i];
            }
            sum += blockSum;
        }
        for (int i = 0; i < length; i++) {
            dy[i] = empty ? 0 : log ? dy[i] - Math.exp(y[i]) * sum : y[i] * (dy[i] - sum);
        }
    }

    /**
     * {@return the largest element, or NaN if the row contains NaN and otherwise only minus infinity} Any other NaN may be
     * skipped, because it makes the sum NaN.
     */
    private static double max(double[] x, int length) {
        double largest = KERNELS.max(x, length);
        boolean nan = false;
        for (int i = 0; largest == Double.NEGATIVE_INFINITY && i < length; i++) {
            nan |= Double.isNaN(x[i]);
        }
        return nan ? Double.NaN : largest;
    }
}
