package dev.heed.backend.vector.f64;

import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.Loops;
import org.jspecify.annotations.Nullable;

/**
 * Entry points of the f64 inner loops, the counterpart of {@link Loops}: each calls vector code, or plain Java if
 * {@link Lanes#SCALAR}. Only {@link #accumulateAttended} is always plain Java.
 */
final class WideLoops {
    /** The maximum of a row before any key is read. It is finite, so that the difference of two such maxima is not NaN. */
    static final double NOTHING = -Double.MAX_VALUE;

    /**
     * The weight of a masked key, {@code -0.0}. The weight of an attended key is {@code +0.0} if it underflows, so the value
     * of the key is still read, even if it is NaN.
     */
    static final double MASKED_WEIGHT = -0.0;

    /** The bits of {@link #MASKED_WEIGHT}. */
    static final long MASKED_WEIGHT_BITS = Double.doubleToRawLongBits(MASKED_WEIGHT);

    private WideLoops() {}

    /** Whether a weight is {@link #MASKED_WEIGHT}. */
    static boolean masked(double weight) {
        return Double.doubleToRawLongBits(weight) == MASKED_WEIGHT_BITS;
    }

    static void accumulate(
            double[] a,
            int aOffset,
            int rowStep,
            int depthStep,
            int rows,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride,
            int lanes) {
        if (Lanes.SCALAR) {
            ScalarF64.accumulate(
                    a,
                    aOffset,
                    rowStep,
                    depthStep,
                    rows,
                    b,
                    bOffset,
                    bDepthStride,
                    depth,
                    c,
                    cOffset,
                    cRowStride,
                    lanes);
        } else {
            F64Kernel.accumulate(
                    a,
                    aOffset,
                    rowStep,
                    depthStep,
                    rows,
                    b,
                    bOffset,
                    bDepthStride,
                    depth,
                    c,
                    cOffset,
                    cRowStride,
                    lanes);
        }
    }

    /**
     * Computes {@link #accumulate}, but skips elements whose weight is {@link #MASKED_WEIGHT}, so they may be non-finite. If
     * all elements are finite, the result has the same bits as {@link #accumulate}.
     *
     * @param weightsAreLeft whether A holds the weights; if false, B does
     */
    static void accumulateAttended(
            boolean weightsAreLeft,
            double[] a,
            int aOffset,
            int rowStep,
            int depthStep,
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
                    double x = a[aOffset + r * rowStep + k * depthStep];
                    double y = b[bOffset + k * bDepthStride + i];
                    sum = masked(weightsAreLeft ? x : y) ? sum : Lanes.fma(x, y, sum);
                }
                c[cOffset + r * cRowStride + i] += sum;
            }
        }
    }

    static void dots(
            double[] a, int aOffset, int rowStep, int rows, double[] b, int depth, double[] c, int cOffset, int lanes) {
        if (Lanes.SCALAR) {
            ScalarF64.dots(a, aOffset, rowStep, rows, b, depth, c, cOffset, lanes);
        } else {
            F64Kernel.dots(a, aOffset, rowStep, 1, rows, b, 0, lanes, depth, c, cOffset, lanes, lanes);
        }
    }

    static boolean finite(double[] data, int at, int step, int count, int width) {
        return Lanes.SCALAR
                ? ScalarF64.finite(data, at, step, count, width)
                : F64FiniteRows.finite(data, at, step, count, width);
    }

    static void raiseMaxima(double[] tile, int at, int keys, int lanes, double[] maxima) {
        if (Lanes.SCALAR) {
            ScalarF64.raiseMaxima(tile, at, keys, lanes, maxima);
        } else {
            F64Softmax.raiseMaxima(tile, at, keys, lanes, maxima);
        }
    }

    static boolean weigh(double[] tile, int at, int keys, int lanes, double[] maxima, double[] sums) {
        return Lanes.SCALAR
                ? ScalarF64.weigh(tile, at, keys, lanes, maxima, sums)
                : F64Softmax.weigh(tile, at, keys, lanes, maxima, sums);
    }

    static void normalise(double[] tile, int at, int keys, int lanes, double[] inverses) {
        if (Lanes.SCALAR) {
            ScalarF64.normalise(tile, at, keys, lanes, inverses);
        } else {
            F64Softmax.normalise(tile, at, keys, lanes, inverses);
        }
    }

    static void addWeighted(double[] weights, double[] gradients, int at, int keys, int lanes, double[] deltas) {
        if (Lanes.SCALAR) {
            ScalarF64.addWeighted(weights, gradients, at, keys, lanes, deltas);
        } else {
            F64Softmax.addWeighted(weights, gradients, at, keys, lanes, deltas);
        }
    }

    static void scoreGradients(
            double[] weights, double[] gradients, int at, int keys, int lanes, double[] deltas, double[] lseGradients) {
        if (Lanes.SCALAR) {
            ScalarF64.scoreGradients(weights, gradients, at, keys, lanes, deltas, lseGradients);
        } else {
            F64Softmax.scoreGradients(weights, gradients, at, keys, lanes, deltas, lseGradients);
        }
    }

    static void multiplyDerivatives(
            double[] gradients, double @Nullable [] derivatives, int at, int keys, int lanes, double scale) {
        if (Lanes.SCALAR) {
            ScalarF64.multiplyDerivatives(gradients, derivatives, at, keys, lanes, scale);
        } else {
            F64Softmax.multiplyDerivatives(gradients, derivatives, at, keys, lanes, scale);
        }
    }

    /** {@return the largest of the first {@code length} elements, which must form whole vectors} NaN may be skipped. */
    static double max(double[] x, int length) {
        return Lanes.SCALAR ? ScalarF64.max(x, length) : F64Softmax.max(x, length);
    }

    /** {@return the sum of {@code e^(x - max)} over a block of whole vectors} If {@code keep}, the powers replace x. */
    static double powers(double[] x, int from, int to, double max, boolean keep) {
        return Lanes.SCALAR ? ScalarF64.powers(x, from, to, max, keep) : F64Softmax.powers(x, from, to, max, keep);
    }
}
