package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Lanes.V;
import static dev.heed.backend.vector.f64.F64Species.SPECIES;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Matrix products in f64. Each element of a product {@code A B} is one sum that starts at 0 and runs in depth order,
 * regardless of the other rows and lanes in the call.
 */
final class F64Kernel {
    private F64Kernel() {}

    /**
     * Computes {@code C += A B} with fused multiply-adds. The caller must divide a long depth into blocks, so that a
     * long sum is a sum of short sums.
     *
     * @param a element {@code [r][k]} is at {@code aOffset + r * rowStep + k * depthStep}
     * @param b row {@code k} begins at {@code bOffset + k * bDepthStride}
     * @param c row {@code r} begins at {@code cOffset + r * cRowStride}
     * @param lanes columns of B and C, whole vectors
     */
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
        for (int v = 0; v < lanes; v += 2 * V) {
            boolean pair = v + V < lanes;
            int r = 0;
            for (; r + 4 <= rows; r += 4) {
                int aRowStart = aOffset + r * rowStep;
                int cRowStart = cOffset + r * cRowStride + v;
                if (pair) {
                    fourByTwo(
                            a,
                            aRowStart,
                            rowStep,
                            depthStep,
                            b,
                            bOffset + v,
                            bDepthStride,
                            depth,
                            c,
                            cRowStart,
                            cRowStride);
                } else {
                    fourByOne(
                            a,
                            aRowStart,
                            rowStep,
                            depthStep,
                            b,
                            bOffset + v,
                            bDepthStride,
                            depth,
                            c,
                            cRowStart,
                            cRowStride);
                }
            }
            for (; r < rows; r++) {
                one(
                        a,
                        aOffset + r * rowStep,
                        depthStep,
                        b,
                        bOffset + v,
                        bDepthStride,
                        depth,
                        c,
                        cOffset + r * cRowStride + v);
                if (pair) {
                    one(
                            a,
                            aOffset + r * rowStep,
                            depthStep,
                            b,
                            bOffset + v + V,
                            bDepthStride,
                            depth,
                            c,
                            cOffset + r * cRowStride + v + V);
                }
            }
        }
    }

    private static void fourByTwo(
            double[] a,
            int aOffset,
            int rowStep,
            int depthStep,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride) {
        DoubleVector s00 = DoubleVector.zero(SPECIES);
        DoubleVector s01 = DoubleVector.zero(SPECIES);
        DoubleVector s10 = DoubleVector.zero(SPECIES);
        DoubleVector s11 = DoubleVector.zero(SPECIES);
        DoubleVector s20 = DoubleVector.zero(SPECIES);
        DoubleVector s21 = DoubleVector.zero(SPECIES);
        DoubleVector s30 = DoubleVector.zero(SPECIES);
        DoubleVector s31 = DoubleVector.zero(SPECIES);
        int p = aOffset;
        int q = bOffset;
        for (int k = 0; k < depth; k++) {
            DoubleVector b0 = DoubleVector.fromArray(SPECIES, b, q);
            DoubleVector b1 = DoubleVector.fromArray(SPECIES, b, q + V);
            DoubleVector x = DoubleVector.broadcast(SPECIES, a[p]);
            s00 = x.fma(b0, s00);
            s01 = x.fma(b1, s01);
            x = DoubleVector.broadcast(SPECIES, a[p + rowStep]);
            s10 = x.fma(b0, s10);
            s11 = x.fma(b1, s11);
            x = DoubleVector.broadcast(SPECIES, a[p + 2 * rowStep]);
            s20 = x.fma(b0, s20);
            s21 = x.fma(b1, s21);
            x = DoubleVector.broadcast(SPECIES, a[p + 3 * rowStep]);
            s30 = x.fma(b0, s30);
            s31 = x.fma(b1, s31);
            p += depthStep;
            q += bDepthStride;
        }
        add(s00, c, cOffset);
        add(s01, c, cOffset + V);
        add(s10, c, cOffset + cRowStride);
        add(s11, c, cOffset + cRowStride + V);
        add(s20, c, cOffset + 2 * cRowStride);
        add(s21, c, cOffset + 2 * cRowStride + V);
        add(s30, c, cOffset + 3 * cRowStride);
        add(s31, c, cOffset + 3 * cRowStride + V);
    }

    private static void fourByOne(
            double[] a,
            int aOffset,
            int rowStep,
            int depthStep,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride) {
        DoubleVector s0 = DoubleVector.zero(SPECIES);
        DoubleVector s1 = DoubleVector.zero(SPECIES);
        DoubleVector s2 = DoubleVector.zero(SPECIES);
        DoubleVector s3 = DoubleVector.zero(SPECIES);
        int p = aOffset;
        int q = bOffset;
        for (int k = 0; k < depth; k++) {
            DoubleVector y = DoubleVector.fromArray(SPECIES, b, q);
            s0 = DoubleVector.broadcast(SPECIES, a[p]).fma(y, s0);
            s1 = DoubleVector.broadcast(SPECIES, a[p + rowStep]).fma(y, s1);
            s2 = DoubleVector.broadcast(SPECIES, a[p + 2 * rowStep]).fma(y, s2);
            s3 = DoubleVector.broadcast(SPECIES, a[p + 3 * rowStep]).fma(y, s3);
            p += depthStep;
            q += bDepthStride;
        }
        add(s0, c, cOffset);
        add(s1, c, cOffset + cRowStride);
        add(s2, c, cOffset + 2 * cRowStride);
        add(s3, c, cOffset + 3 * cRowStride);
    }

    private static void one(
            double[] a,
            int aOffset,
            int depthStep,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset) {
        DoubleVector s = DoubleVector.zero(SPECIES);
        int p = aOffset;
        int q = bOffset;
        for (int k = 0; k < depth; k++) {
            s = DoubleVector.broadcast(SPECIES, a[p]).fma(DoubleVector.fromArray(SPECIES, b, q), s);
            p += depthStep;
            q += bDepthStride;
        }
        add(s, c, cOffset);
    }

    private static void add(DoubleVector sum, double[] c, int at) {
        DoubleVector.fromArray(SPECIES, c, at).add(sum).intoArray(c, at);
    }

    /**
     * Computes {@code C = A B}; the rows of B and C are {@code lanes} elements apart. Every product and every sum is rounded,
     * without fused multiply-adds. Scores must have the exact bits of the formula as written, because one score far above all
     * others determines the softmax of its row.
     *
     * @param a row {@code r} begins at {@code aOffset + r * rowStep}
     */
    static void dots(
            double[] a, int aOffset, int rowStep, int rows, double[] b, int depth, double[] c, int cOffset, int lanes) {
        for (int v = 0; v < lanes; v += 2 * V) {
            boolean pair = v + V < lanes;
            int r = 0;
            for (; r + 4 <= rows; r += 4) {
                int aRowStart = aOffset + r * rowStep;
                int cRowStart = cOffset + r * lanes + v;
                if (pair) {
                    fourByTwoDots(a, aRowStart, rowStep, b, v, depth, c, cRowStart, lanes);
                } else {
                    fourByOneDots(a, aRowStart, rowStep, b, v, depth, c, cRowStart, lanes);
                }
            }
            for (; r < rows; r++) {
                oneDot(a, aOffset + r * rowStep, b, v, depth, c, cOffset + r * lanes + v, lanes);
                if (pair) {
                    oneDot(a, aOffset + r * rowStep, b, v + V, depth, c, cOffset + r * lanes + v + V, lanes);
                }
            }
        }
    }

    private static void fourByTwoDots(
            double[] a,
            int aOffset,
            int rowStep,
            double[] b,
            int bOffset,
            int depth,
            double[] c,
            int cOffset,
            int lanes) {
        DoubleVector s00 = DoubleVector.zero(SPECIES);
        DoubleVector s01 = DoubleVector.zero(SPECIES);
        DoubleVector s10 = DoubleVector.zero(SPECIES);
        DoubleVector s11 = DoubleVector.zero(SPECIES);
        DoubleVector s20 = DoubleVector.zero(SPECIES);
        DoubleVector s21 = DoubleVector.zero(SPECIES);
        DoubleVector s30 = DoubleVector.zero(SPECIES);
        DoubleVector s31 = DoubleVector.zero(SPECIES);
        for (int k = 0, q = bOffset; k < depth; k++, q += lanes) {
            DoubleVector b0 = DoubleVector.fromArray(SPECIES, b, q);
            DoubleVector b1 = DoubleVector.fromArray(SPECIES, b, q + V);
            DoubleVector x = DoubleVector.broadcast(SPECIES, a[aOffset + k]);
            s00 = x.mul(b0).add(s00);
            s01 = x.mul(b1).add(s01);
            x = DoubleVector.broadcast(SPECIES, a[aOffset + rowStep + k]);
            s10 = x.mul(b0).add(s10);
            s11 = x.mul(b1).add(s11);
            x = DoubleVector.broadcast(SPECIES, a[aOffset + 2 * rowStep + k]);
            s20 = x.mul(b0).add(s20);
            s21 = x.mul(b1).add(s21);
            x = DoubleVector.broadcast(SPECIES, a[aOffset + 3 * rowStep + k]);
            s30 = x.mul(b0).add(s30);
            s31 = x.mul(b1).add(s31);
        }
        s00.intoArray(c, cOffset);
        s01.intoArray(c, cOffset + V);
        s10.intoArray(c, cOffset + lanes);
        s11.intoArray(c, cOffset + lanes + V);
        s20.intoArray(c, cOffset + 2 * lanes);
        s21.intoArray(c, cOffset + 2 * lanes + V);
        s30.intoArray(c, cOffset + 3 * lanes);
        s31.intoArray(c, cOffset + 3 * lanes + V);
    }

    private static void fourByOneDots(
            double[] a,
            int aOffset,
            int rowStep,
            double[] b,
            int bOffset,
            int depth,
            double[] c,
            int cOffset,
            int lanes) {
        DoubleVector s0 = DoubleVector.zero(SPECIES);
        DoubleVector s1 = DoubleVector.zero(SPECIES);
        DoubleVector s2 = DoubleVector.zero(SPECIES);
        DoubleVector s3 = DoubleVector.zero(SPECIES);
        for (int k = 0, q = bOffset; k < depth; k++, q += lanes) {
            DoubleVector y = DoubleVector.fromArray(SPECIES, b, q);
            s0 = y.mul(a[aOffset + k]).add(s0);
            s1 = y.mul(a[aOffset + rowStep + k]).add(s1);
            s2 = y.mul(a[aOffset + 2 * rowStep + k]).add(s2);
            s3 = y.mul(a[aOffset + 3 * rowStep + k]).add(s3);
        }
        s0.intoArray(c, cOffset);
        s1.intoArray(c, cOffset + lanes);
        s2.intoArray(c, cOffset + 2 * lanes);
        s3.intoArray(c, cOffset + 3 * lanes);
    }

    private static void oneDot(
            double[] a, int aOffset, double[] b, int bOffset, int depth, double[] c, int cOffset, int lanes) {
        DoubleVector s = DoubleVector.zero(SPECIES);
        for (int k = 0; k < depth; k++) {
            s = DoubleVector.fromArray(SPECIES, b, bOffset + k * lanes)
                    .mul(a[aOffset + k])
                    .add(s);
        }
        s.intoArray(c, cOffset);
    }

    /** Whether all elements of the rows are finite. */
    static boolean finite(double[] data, int at, int step, int count, int width) {
        DoubleVector spoiled = DoubleVector.zero(SPECIES);
        double spoiledTail = 0;
        int whole = SPECIES.loopBound(width);
        for (int j = 0; j < count; j++) {
            int row = at + j * step;
            for (int d = 0; d < whole; d += V) {
                spoiled = DoubleVector.fromArray(SPECIES, data, row + d).mul(0).add(spoiled);
            }
            for (int d = whole; d < width; d++) {
                spoiledTail += data[row + d] * 0;
            }
        }
        return spoiledTail + spoiled.reduceLanes(VectorOperators.ADD)
                == 0; // lanes are 0 or NaN, so their order does not matter
    }
}
