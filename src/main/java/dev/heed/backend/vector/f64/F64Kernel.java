// Written by src/generator/java/KernelSources.java; change that file and run it.
package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Lanes.V;
import static dev.heed.backend.vector.f64.F64Species.SPECIES;
import static dev.heed.backend.vector.kernels.Lanes.FUSED;

import jdk.incubator.vector.DoubleVector;

/**
 * Matrix products in f64. Each element of a product {@code A B} is one sum that starts at 0 and runs in depth order,
 * regardless of the other rows and lanes in the call.
 */
interface F64Kernel extends F64Kernels {
    @Override
    default void accumulate(
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
        for (int v = 0; v < lanes; v += 2 * V) {
            boolean pair = v + V < lanes;
            int r = 0;
            for (; r + 4 <= rows; r += 4) {
                if (pair) {
                    accumulate4x2(
                            a,
                            aOffset + r * aRowStride,
                            aRowStride,
                            aDepthStride,
                            b,
                            bOffset + v,
                            bDepthStride,
                            depth,
                            c,
                            cOffset + r * cRowStride + v,
                            cRowStride);
                } else {
                    accumulate4x1(
                            a,
                            aOffset + r * aRowStride,
                            aRowStride,
                            aDepthStride,
                            b,
                            bOffset + v,
                            bDepthStride,
                            depth,
                            c,
                            cOffset + r * cRowStride + v,
                            cRowStride);
                }
            }
            for (; r < rows; r++) {
                accumulate1x1(
                        a,
                        aOffset + r * aRowStride,
                        aDepthStride,
                        b,
                        bOffset + v,
                        bDepthStride,
                        depth,
                        c,
                        cOffset + r * cRowStride + v);
                if (pair) {
                    accumulate1x1(
                            a,
                            aOffset + r * aRowStride,
                            aDepthStride,
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

    private static void accumulate4x2(
            double[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride) {
        DoubleVector c00 = DoubleVector.zero(SPECIES);
        DoubleVector c01 = DoubleVector.zero(SPECIES);
        DoubleVector c10 = DoubleVector.zero(SPECIES);
        DoubleVector c11 = DoubleVector.zero(SPECIES);
        DoubleVector c20 = DoubleVector.zero(SPECIES);
        DoubleVector c21 = DoubleVector.zero(SPECIES);
        DoubleVector c30 = DoubleVector.zero(SPECIES);
        DoubleVector c31 = DoubleVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            DoubleVector b0 = DoubleVector.fromArray(SPECIES, b, q);
            DoubleVector b1 = DoubleVector.fromArray(SPECIES, b, q + V);
            DoubleVector a0 = DoubleVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            DoubleVector a1 = DoubleVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            DoubleVector a2 = DoubleVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            DoubleVector a3 = DoubleVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
        }
        add(c00, c, cOffset);
        add(c01, c, cOffset + V);
        add(c10, c, cOffset + cRowStride);
        add(c11, c, cOffset + cRowStride + V);
        add(c20, c, cOffset + 2 * cRowStride);
        add(c21, c, cOffset + 2 * cRowStride + V);
        add(c30, c, cOffset + 3 * cRowStride);
        add(c31, c, cOffset + 3 * cRowStride + V);
    }

    private static void accumulate4x1(
            double[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride) {
        DoubleVector c00 = DoubleVector.zero(SPECIES);
        DoubleVector c10 = DoubleVector.zero(SPECIES);
        DoubleVector c20 = DoubleVector.zero(SPECIES);
        DoubleVector c30 = DoubleVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            DoubleVector b0 = DoubleVector.fromArray(SPECIES, b, q);
            DoubleVector a0 = DoubleVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            DoubleVector a1 = DoubleVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            DoubleVector a2 = DoubleVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            DoubleVector a3 = DoubleVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
        }
        add(c00, c, cOffset);
        add(c10, c, cOffset + cRowStride);
        add(c20, c, cOffset + 2 * cRowStride);
        add(c30, c, cOffset + 3 * cRowStride);
    }

    private static void accumulate1x1(
            double[] a,
            int aOffset,
            int aDepthStride,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset) {
        DoubleVector c00 = DoubleVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            DoubleVector b0 = DoubleVector.fromArray(SPECIES, b, q);
            DoubleVector a0 = DoubleVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
        }
        add(c00, c, cOffset);
    }

    private static void add(DoubleVector sum, double[] c, int at) {
        DoubleVector.fromArray(SPECIES, c, at).add(sum).intoArray(c, at);
    }

    @Override
    default void dots(
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
        for (int v = 0; v < lanes; v += 2 * V) {
            boolean pair = v + V < lanes;
            int r = 0;
            for (; r + 4 <= rows; r += 4) {
                if (pair) {
                    dots4x2(
                            a,
                            aOffset + r * aRowStride,
                            aRowStride,
                            aDepthStride,
                            b,
                            bOffset + v,
                            bDepthStride,
                            depth,
                            c,
                            cOffset + r * cRowStride + v,
                            cRowStride);
                } else {
                    dots4x1(
                            a,
                            aOffset + r * aRowStride,
                            aRowStride,
                            aDepthStride,
                            b,
                            bOffset + v,
                            bDepthStride,
                            depth,
                            c,
                            cOffset + r * cRowStride + v,
                            cRowStride);
                }
            }
            for (; r < rows; r++) {
                dots1x1(
                        a,
                        aOffset + r * aRowStride,
                        aDepthStride,
                        b,
                        bOffset + v,
                        bDepthStride,
                        depth,
                        c,
                        cOffset + r * cRowStride + v);
                if (pair) {
                    dots1x1(
                            a,
                            aOffset + r * aRowStride,
                            aDepthStride,
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

    private static void dots4x2(
            double[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride) {
        DoubleVector c00 = DoubleVector.zero(SPECIES);
        DoubleVector c01 = DoubleVector.zero(SPECIES);
        DoubleVector c10 = DoubleVector.zero(SPECIES);
        DoubleVector c11 = DoubleVector.zero(SPECIES);
        DoubleVector c20 = DoubleVector.zero(SPECIES);
        DoubleVector c21 = DoubleVector.zero(SPECIES);
        DoubleVector c30 = DoubleVector.zero(SPECIES);
        DoubleVector c31 = DoubleVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            DoubleVector b0 = DoubleVector.fromArray(SPECIES, b, q);
            DoubleVector b1 = DoubleVector.fromArray(SPECIES, b, q + V);
            DoubleVector a0 = DoubleVector.broadcast(SPECIES, a[p]);
            c00 = a0.mul(b0).add(c00);
            c01 = a0.mul(b1).add(c01);
            DoubleVector a1 = DoubleVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = a1.mul(b0).add(c10);
            c11 = a1.mul(b1).add(c11);
            DoubleVector a2 = DoubleVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = a2.mul(b0).add(c20);
            c21 = a2.mul(b1).add(c21);
            DoubleVector a3 = DoubleVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = a3.mul(b0).add(c30);
            c31 = a3.mul(b1).add(c31);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
    }

    private static void dots4x1(
            double[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset,
            int cRowStride) {
        DoubleVector c00 = DoubleVector.zero(SPECIES);
        DoubleVector c10 = DoubleVector.zero(SPECIES);
        DoubleVector c20 = DoubleVector.zero(SPECIES);
        DoubleVector c30 = DoubleVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            DoubleVector b0 = DoubleVector.fromArray(SPECIES, b, q);
            DoubleVector a0 = DoubleVector.broadcast(SPECIES, a[p]);
            c00 = a0.mul(b0).add(c00);
            DoubleVector a1 = DoubleVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = a1.mul(b0).add(c10);
            DoubleVector a2 = DoubleVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = a2.mul(b0).add(c20);
            DoubleVector a3 = DoubleVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = a3.mul(b0).add(c30);
        }
        c00.intoArray(c, cOffset);
        c10.intoArray(c, cOffset + cRowStride);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c30.intoArray(c, cOffset + 3 * cRowStride);
    }

    private static void dots1x1(
            double[] a,
            int aOffset,
            int aDepthStride,
            double[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            double[] c,
            int cOffset) {
        DoubleVector c00 = DoubleVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            DoubleVector b0 = DoubleVector.fromArray(SPECIES, b, q);
            DoubleVector a0 = DoubleVector.broadcast(SPECIES, a[p]);
            c00 = a0.mul(b0).add(c00);
        }
        c00.intoArray(c, cOffset);
    }
}
