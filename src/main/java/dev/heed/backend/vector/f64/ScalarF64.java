package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.masked;
import static dev.heed.backend.vector.f64.F64Lanes.V;

import dev.heed.backend.vector.kernels.Lanes;
import org.jspecify.annotations.Nullable;

/**
 * The loops of {@link F64Kernel} and {@link F64Softmax} in plain Java. Sums run in the same order as with vectors of eight
 * lanes. Eight sums at a time are kept in scalar registers.
 */
final class ScalarF64 implements F64Kernels {
    @Override
    public void accumulate(
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
            for (int v = 0; v < lanes; v += 8) {
                double s0 = 0;
                double s1 = 0;
                double s2 = 0;
                double s3 = 0;
                double s4 = 0;
                double s5 = 0;
                double s6 = 0;
                double s7 = 0;
                for (int k = 0, p = aOffset + r * rowStep, q = bOffset + v;
                        k < depth;
                        k++, p += depthStep, q += bDepthStride) {
                    double x = a[p];
                    s0 = Lanes.fma(x, b[q], s0);
                    s1 = Lanes.fma(x, b[q + 1], s1);
                    s2 = Lanes.fma(x, b[q + 2], s2);
                    s3 = Lanes.fma(x, b[q + 3], s3);
                    s4 = Lanes.fma(x, b[q + 4], s4);
                    s5 = Lanes.fma(x, b[q + 5], s5);
                    s6 = Lanes.fma(x, b[q + 6], s6);
                    s7 = Lanes.fma(x, b[q + 7], s7);
                }
                int to = cOffset + r * cRowStride + v;
                c[to] += s0;
                c[to + 1] += s1;
                c[to + 2] += s2;
                c[to + 3] += s3;
                c[to + 4] += s4;
                c[to + 5] += s5;
                c[to + 6] += s6;
                c[to + 7] += s7;
            }
        }
    }

    @Override
    public void dots(
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
            for (int v = 0; v < lanes; v += 8) {
                double s0 = 0;
                double s1 = 0;
                double s2 = 0;
                double s3 = 0;
                double s4 = 0;
                double s5 = 0;
                double s6 = 0;
                double s7 = 0;
                for (int k = 0, p = aOffset + r * rowStep, q = bOffset + v;
                        k < depth;
                        k++, p += depthStep, q += bDepthStride) {
                    double x = a[p];
                    s0 += x * b[q];
                    s1 += x * b[q + 1];
                    s2 += x * b[q + 2];
                    s3 += x * b[q + 3];
                    s4 += x * b[q + 4];
                    s5 += x * b[q + 5];
                    s6 += x * b[q + 6];
                    s7 += x * b[q + 7];
                }
                int to = cOffset + r * cRowStride + v;
                c[to] = s0;
                c[to + 1] = s1;
                c[to + 2] = s2;
                c[to + 3] = s3;
                c[to + 4] = s4;
                c[to + 5] = s5;
                c[to + 6] = s6;
                c[to + 7] = s7;
            }
        }
    }

    @Override
    public boolean finite(double[] data, int at, int step, int count, int width) {
        double spoiled = 0;
        for (int j = 0; j < count; j++) {
            for (int d = at + j * step; d < at + j * step + width; d++) {
                spoiled += data[d] * 0;
            }
        }
        return spoiled == 0;
    }

    @Override
    public void raiseMaxima(double[] tile, int at, int keys, int lanes, double[] maxima) {
        for (int i = 0; i < lanes; i++) {
            double max = maxima[i];
            for (int j = 0, p = at + i; j < keys; j++, p += lanes) {
                max = tile[p] > max ? tile[p] : max; // NaN is skipped; it makes the sum of its row NaN
            }
            maxima[i] = max;
        }
    }

    @Override
    public boolean weigh(double[] tile, int at, int keys, int lanes, double[] maxima, double[] sums) {
        boolean hides = false;
        for (int i = 0; i < lanes; i++) {
            double sum = 0;
            for (int j = 0, p = at + i; j < keys; j++, p += lanes) {
                boolean masked = tile[p] == Double.NEGATIVE_INFINITY;
                double y = masked ? MASKED_WEIGHT : Math.exp(tile[p] - maxima[i]);
                hides |= masked;
                sum += y;
                tile[p] = y;
            }
            sums[i] += sum;
        }
        return hides;
    }

    @Override
    public void normalise(double[] tile, int at, int keys, int lanes, double[] inverses) {
        for (int i = 0; i < lanes; i++) {
            for (int j = 0, p = at + i; j < keys; j++, p += lanes) {
                tile[p] = masked(tile[p]) ? MASKED_WEIGHT : tile[p] * inverses[i];
            }
        }
    }

    @Override
    public void addWeighted(double[] weights, double[] gradients, int at, int keys, int lanes, double[] deltas) {
        for (int i = 0; i < lanes; i++) {
            double sum = 0;
            for (int j = 0, p = at + i; j < keys; j++, p += lanes) {
                sum += masked(weights[p]) ? 0 : weights[p] * gradients[p];
            }
            deltas[i] += sum;
        }
    }

    @Override
    public void scoreGradients(
            double[] weights, double[] gradients, int at, int keys, int lanes, double[] deltas, double[] lseGradients) {
        for (int i = 0; i < lanes; i++) {
            for (int j = 0, p = at + i; j < keys; j++, p += lanes) {
                gradients[p] =
                        masked(weights[p]) ? MASKED_WEIGHT : (gradients[p] - deltas[i] + lseGradients[i]) * weights[p];
            }
        }
    }

    @Override
    public void multiplyDerivatives(
            double[] gradients, double @Nullable [] derivatives, int at, int keys, int lanes, double scale) {
        for (int p = at; p < at + keys * lanes; p++) {
            double scaled = gradients[p] * scale * (derivatives == null ? 1 : derivatives[p]);
            gradients[p] = masked(gradients[p]) ? MASKED_WEIGHT : scaled;
        }
    }

    @Override
    public double max(double[] x, int length) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < length; i++) {
            max = x[i] > max ? x[i] : max;
        }
        return max;
    }

    @Override
    public double powers(double[] x, int from, int to, double max, boolean keep) {
        double[] sums = new double[V];
        for (int i = from; i < to; i++) {
            double y = Math.exp(x[i] - max);
            sums[(i - from) % V] += y;
            if (keep) {
                x[i] = y;
            }
        }
        double sum = 0;
        for (double lane : sums) {
            sum += lane;
        }
        return sum;
    }
}
