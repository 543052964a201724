package dev.heed.backend.vector.kernels;

import dev.heed.AttentionShape;

/**
 * Gradients of score function parameters. Sums {@code [batch, numHeads, width]} are added over the batch, and over the heads
 * if they share a parameter, in a fixed order.
 */
public final class ParameterSums {
    private ParameterSums() {}

    /** {@return the sums over the batch: {@code [numHeads, width]}, or {@code [width]} if the heads share the parameter} */
    public static double[] overBatch(double[] sums, AttentionShape s, int width, boolean perHead) {
        double[] total = new double[perHead ? Math.toIntExact(s.numHeads()) * width : width];
        for (int cell = 0; cell < s.batch() * s.numHeads(); cell++) {
            int to = perHead ? (int) (cell % s.numHeads()) * width : 0;
            for (int d = 0; d < width; d++) {
                total[to + d] += sums[cell * width + d];
            }
        }
        return total;
    }

    /**
     * {@return the gradients of the Gaussian widths {@code w}, one per head or one for all heads, computed from sums of
     * {@code dS (q - k)^2}}
     */
    public static double[] ofWidths(double[] sums, AttentionShape s, int width, double[] w) {
        double[] total = new double[w.length];
        for (int cell = 0; cell < s.batch() * s.numHeads(); cell++) {
            int h = w.length == 1 ? 0 : (int) (cell % s.numHeads());
            for (int d = 0; d < width; d++) {
                total[h] -= w[h] * sums[cell * width + d];
            }
        }
        return total;
    }
}
