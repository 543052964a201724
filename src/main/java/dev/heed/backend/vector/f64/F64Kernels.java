package dev.heed.backend.vector.f64;

import dev.heed.backend.vector.kernels.Kernels;
import dev.heed.backend.vector.kernels.Lanes;
import org.jspecify.annotations.Nullable;

/**
 * The f64 loops that an instruction set supplies, the counterpart of {@link Kernels}. A tile is a block {@code [key][query]} whose
 * rows are {@code lanes} elements long, whole vectors.
 */
interface F64Kernels {
    /** The loops of this process. */
    F64Kernels KERNELS = Lanes.SCALAR ? new ScalarF64() : new VectorF64();

    /** The maximum of a row before any key is read. It is finite, so that the difference of two such maxima is not NaN. */
    double NOTHING = -Double.MAX_VALUE;

    /**
     * The weight of a masked key, {@code -0.0}. The weight of an attended key is {@code +0.0} if it underflows, so the value
     * of the key is still read, even if it is NaN.
     */
    double MASKED_WEIGHT = -0.0;

    /** The bits of {@link #MASKED_WEIGHT}. */
    long MASKED_WEIGHT_BITS = Double.doubleToRawLongBits(MASKED_WEIGHT);

    /** {@return whether a weight is {@link #MASKED_WEIGHT}} */
    static boolean masked(double weight) {
        return Double.doubleToRawLongBits(weight) == MASKED_WEIGHT_BITS;
    }

    /**
     * Computes {@code C += A B} with fused multiply-adds (see {@link Lanes#FUSED}). Each element of {@code A B} is one sum that
     * starts at 0 and runs in the order of depth. The caller must divide a long depth into blocks, so that a long sum is a sum
     * of short sums.
     *
     * @param a element {@code [r][k]} is at {@code aOffset + r * aRowStride + k * aDepthStride}
     * @param b row {@code k} begins at {@code bOffset + k * bDepthStride}
     * @param c row {@code r} begins at {@code cOffset + r * cRowStride}
     * @param lanes columns of B and C, whole vectors
     */
    void accumulate(
            double[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride,
            int lanes);

    /**
     * Computes {@link #accumulate}, but skips elements whose weight is {@link #MASKED_WEIGHT}, so they may be non-finite. If
     * all elements are finite, the result has the same bits as {@link #accumulate}.
     *
     * @param weightsAreLeft whether A holds the weights; if false, B does
     */
    default void accumulateAttended(
            boolean weightsAreLeft,
            double[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride,
            int lanes) {
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < lanes; i++) {
                double sum = 0;
                for (int k = 0; k < depth; k++) {
                    double x = a[aOffset + r * aRowStride + k * aDepthStride];
                    double y = b[bOffset + k * bDepthStride + i];
                    sum = masked(weightsAreLeft ? x : y) ? sum : Lanes.fma(x, y, sum);
                }
                c[cOffset + r * cRowStride + i] += sum;
            }
        }
    }

    /**
     * Computes {@code C = A B}; parameters are as in {@link #accumulate}. Every product and every sum is rounded, without fused
     * multiply-adds. Scores must have the exact bits of the formula as written, because one score far above all others
     * determines the softmax of its row.
     */
    void dots(
            double[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride,
            int lanes);

    /** {@return whether all elements of the rows are finite} */
    boolean finite(double[] data, int at, int step, int count, int width);

    /** Raises the maxima to include the scores of a tile. A NaN may become a maximum or not; the sum of its row is NaN. */
    void raiseMaxima(double[] tile, int at, int keys, int lanes, double[] maxima);

    /** Replaces scores with weights {@code e^(score - max)} and adds them to the sums; returns whether any cell is masked. */
    boolean weigh(double[] tile, int at, int keys, int lanes, double[] maxima, double[] sums);

    /** Multiplies the weights of a tile by the inverse sums; masked cells stay masked, even in a row of NaN. */
    void normalise(double[] tile, int at, int keys, int lanes, double[] inverses);

    /**
     * Adds {@code deltas [query] += sum over keys of weights * gradients}; a masked key adds nothing, even if its gradient
     * is NaN.
     */
    void addWeighted(double[] weights, double[] gradients, int at, int keys, int lanes, double[] deltas);

    /** Computes {@code dS = P * (dP - delta + dLSE)}; masked cells stay masked, even if {@code dP} is NaN. */
    void scoreGradients(
            double[] weights, double[] gradients, int at, int keys, int lanes, double[] deltas, double[] lseGradients);

    /** Computes {@code dS = scale * dS * derivative}, the gradients of the dot products; masked cells stay masked. */
    void multiplyDerivatives(
            double[] gradients, double @Nullable [] derivatives, int at, int keys, int lanes, double scale);

    /** {@return the largest of the first {@code length} elements, which must form whole vectors} NaN may be skipped. */
    double max(double[] x, int length);

    /** {@return the sum of {@code e^(x - max)} over a block of whole vectors} If {@code keep}, the powers replace x. */
    double powers(double[] x, int from, int to, double max, boolean keep);
}
