// Written by src/generator/java/KernelSources.java; change that file and run it.
package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.FUSED;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Species.SPECIES;

import jdk.incubator.vector.FloatVector;

/**
 * The product of {@link MicroKernel} for one vector of a panel instead of all four, used for ragged tiles. Eight rows give
 * eight independent chains of multiply-adds. That is enough to hide the latency on a processor that finishes one 512-bit
 * or two 256-bit multiply-adds per cycle.
 */
interface NarrowKernel extends Kernels {
    @Override
    default boolean narrow() {
        return true;
    }

    @Override
    default void narrowProduct(
            boolean onto,
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        int r = 0;
        for (; r + 8 <= rows && (aDepthStride == 1 || aRowStride == 1); r += 8) {
            if (aDepthStride == 1) {
                eightContiguousRows(
                        onto,
                        a,
                        aOffset + r * aRowStride,
                        aRowStride,
                        b,
                        bOffset,
                        depth,
                        c,
                        cOffset + r * cRowStride,
                        cRowStride);
            } else {
                eightContiguousColumns(
                        onto,
                        a,
                        aOffset + r * aRowStride,
                        aDepthStride,
                        b,
                        bOffset,
                        depth,
                        c,
                        cOffset + r * cRowStride,
                        cRowStride);
            }
        }
        for (; r + 4 <= rows; r += 4) {
            four(
                    onto,
                    a,
                    aOffset + r * aRowStride,
                    aRowStride,
                    aDepthStride,
                    b,
                    bOffset,
                    depth,
                    c,
                    cOffset + r * cRowStride,
                    cRowStride);
        }
        for (; r < rows; r++) {
            one(onto, a, aOffset + r * aRowStride, aDepthStride, b, bOffset, depth, c, cOffset + r * cRowStride);
        }
    }

    /**
     * Multiplies eight rows of A by B. The elements of each row must be adjacent, so that the compiled code checks all
     * indices of A before the loop.
     */
    private static void eightContiguousRows(
            boolean onto,
            float[] a,
            int aOffset,
            int aRowStride,
            float[] b,
            int bOffset,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        int a0 = aOffset;
        int a1 = aOffset + aRowStride;
        int a2 = aOffset + 2 * aRowStride;
        int a3 = aOffset + 3 * aRowStride;
        int a4 = aOffset + 4 * aRowStride;
        int a5 = aOffset + 5 * aRowStride;
        int a6 = aOffset + 6 * aRowStride;
        int a7 = aOffset + 7 * aRowStride;
        FloatVector c0 = FloatVector.zero(SPECIES);
        FloatVector c1 = FloatVector.zero(SPECIES);
        FloatVector c2 = FloatVector.zero(SPECIES);
        FloatVector c3 = FloatVector.zero(SPECIES);
        FloatVector c4 = FloatVector.zero(SPECIES);
        FloatVector c5 = FloatVector.zero(SPECIES);
        FloatVector c6 = FloatVector.zero(SPECIES);
        FloatVector c7 = FloatVector.zero(SPECIES);
        for (int k = 0; k < depth; k++) {
            FloatVector x = FloatVector.fromArray(SPECIES, b, bOffset + k * PANEL);
            FloatVector y0 = FloatVector.broadcast(SPECIES, a[a0 + k]);
            c0 = FUSED ? y0.fma(x, c0) : y0.mul(x).add(c0);
            FloatVector y1 = FloatVector.broadcast(SPECIES, a[a1 + k]);
            c1 = FUSED ? y1.fma(x, c1) : y1.mul(x).add(c1);
            FloatVector y2 = FloatVector.broadcast(SPECIES, a[a2 + k]);
            c2 = FUSED ? y2.fma(x, c2) : y2.mul(x).add(c2);
            FloatVector y3 = FloatVector.broadcast(SPECIES, a[a3 + k]);
            c3 = FUSED ? y3.fma(x, c3) : y3.mul(x).add(c3);
            FloatVector y4 = FloatVector.broadcast(SPECIES, a[a4 + k]);
            c4 = FUSED ? y4.fma(x, c4) : y4.mul(x).add(c4);
            FloatVector y5 = FloatVector.broadcast(SPECIES, a[a5 + k]);
            c5 = FUSED ? y5.fma(x, c5) : y5.mul(x).add(c5);
            FloatVector y6 = FloatVector.broadcast(SPECIES, a[a6 + k]);
            c6 = FUSED ? y6.fma(x, c6) : y6.mul(x).add(c6);
            FloatVector y7 = FloatVector.broadcast(SPECIES, a[a7 + k]);
            c7 = FUSED ? y7.fma(x, c7) : y7.mul(x).add(c7);
        }
        if (onto) {
            FloatVector.fromArray(SPECIES, c, cOffset).add(c0).intoArray(c, cOffset);
            FloatVector.fromArray(SPECIES, c, cOffset + cRowStride).add(c1).intoArray(c, cOffset + cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride).add(c2).intoArray(c, cOffset + 2 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride).add(c3).intoArray(c, cOffset + 3 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride).add(c4).intoArray(c, cOffset + 4 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride).add(c5).intoArray(c, cOffset + 5 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 6 * cRowStride).add(c6).intoArray(c, cOffset + 6 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 7 * cRowStride).add(c7).intoArray(c, cOffset + 7 * cRowStride);
        } else {
            c0.intoArray(c, cOffset);
            c1.intoArray(c, cOffset + cRowStride);
            c2.intoArray(c, cOffset + 2 * cRowStride);
            c3.intoArray(c, cOffset + 3 * cRowStride);
            c4.intoArray(c, cOffset + 4 * cRowStride);
            c5.intoArray(c, cOffset + 5 * cRowStride);
            c6.intoArray(c, cOffset + 6 * cRowStride);
            c7.intoArray(c, cOffset + 7 * cRowStride);
        }
    }

    /**
     * Multiplies eight rows of A by B. The elements of each column must be adjacent, so that the compiled code checks
     * eight indices of A at once.
     */
    private static void eightContiguousColumns(
            boolean onto,
            float[] a,
            int aOffset,
            int aDepthStride,
            float[] b,
            int bOffset,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c0 = FloatVector.zero(SPECIES);
        FloatVector c1 = FloatVector.zero(SPECIES);
        FloatVector c2 = FloatVector.zero(SPECIES);
        FloatVector c3 = FloatVector.zero(SPECIES);
        FloatVector c4 = FloatVector.zero(SPECIES);
        FloatVector c5 = FloatVector.zero(SPECIES);
        FloatVector c6 = FloatVector.zero(SPECIES);
        FloatVector c7 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset; k < depth; k++, p += aDepthStride) {
            FloatVector x = FloatVector.fromArray(SPECIES, b, bOffset + k * PANEL);
            FloatVector y0 = FloatVector.broadcast(SPECIES, a[p]);
            c0 = FUSED ? y0.fma(x, c0) : y0.mul(x).add(c0);
            FloatVector y1 = FloatVector.broadcast(SPECIES, a[p + 1]);
            c1 = FUSED ? y1.fma(x, c1) : y1.mul(x).add(c1);
            FloatVector y2 = FloatVector.broadcast(SPECIES, a[p + 2]);
            c2 = FUSED ? y2.fma(x, c2) : y2.mul(x).add(c2);
            FloatVector y3 = FloatVector.broadcast(SPECIES, a[p + 3]);
            c3 = FUSED ? y3.fma(x, c3) : y3.mul(x).add(c3);
            FloatVector y4 = FloatVector.broadcast(SPECIES, a[p + 4]);
            c4 = FUSED ? y4.fma(x, c4) : y4.mul(x).add(c4);
            FloatVector y5 = FloatVector.broadcast(SPECIES, a[p + 5]);
            c5 = FUSED ? y5.fma(x, c5) : y5.mul(x).add(c5);
            FloatVector y6 = FloatVector.broadcast(SPECIES, a[p + 6]);
            c6 = FUSED ? y6.fma(x, c6) : y6.mul(x).add(c6);
            FloatVector y7 = FloatVector.broadcast(SPECIES, a[p + 7]);
            c7 = FUSED ? y7.fma(x, c7) : y7.mul(x).add(c7);
        }
        if (onto) {
            FloatVector.fromArray(SPECIES, c, cOffset).add(c0).intoArray(c, cOffset);
            FloatVector.fromArray(SPECIES, c, cOffset + cRowStride).add(c1).intoArray(c, cOffset + cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride).add(c2).intoArray(c, cOffset + 2 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride).add(c3).intoArray(c, cOffset + 3 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride).add(c4).intoArray(c, cOffset + 4 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride).add(c5).intoArray(c, cOffset + 5 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 6 * cRowStride).add(c6).intoArray(c, cOffset + 6 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 7 * cRowStride).add(c7).intoArray(c, cOffset + 7 * cRowStride);
        } else {
            c0.intoArray(c, cOffset);
            c1.intoArray(c, cOffset + cRowStride);
            c2.intoArray(c, cOffset + 2 * cRowStride);
            c3.intoArray(c, cOffset + 3 * cRowStride);
            c4.intoArray(c, cOffset + 4 * cRowStride);
            c5.intoArray(c, cOffset + 5 * cRowStride);
            c6.intoArray(c, cOffset + 6 * cRowStride);
            c7.intoArray(c, cOffset + 7 * cRowStride);
        }
    }

    private static void four(
            boolean onto,
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c0 = FloatVector.zero(SPECIES);
        FloatVector c1 = FloatVector.zero(SPECIES);
        FloatVector c2 = FloatVector.zero(SPECIES);
        FloatVector c3 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset; k < depth; k++, p += aDepthStride) {
            FloatVector x = FloatVector.fromArray(SPECIES, b, bOffset + k * PANEL);
            FloatVector y0 = FloatVector.broadcast(SPECIES, a[p]);
            c0 = FUSED ? y0.fma(x, c0) : y0.mul(x).add(c0);
            FloatVector y1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c1 = FUSED ? y1.fma(x, c1) : y1.mul(x).add(c1);
            FloatVector y2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c2 = FUSED ? y2.fma(x, c2) : y2.mul(x).add(c2);
            FloatVector y3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c3 = FUSED ? y3.fma(x, c3) : y3.mul(x).add(c3);
        }
        if (onto) {
            FloatVector.fromArray(SPECIES, c, cOffset).add(c0).intoArray(c, cOffset);
            FloatVector.fromArray(SPECIES, c, cOffset + cRowStride).add(c1).intoArray(c, cOffset + cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride).add(c2).intoArray(c, cOffset + 2 * cRowStride);
            FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride).add(c3).intoArray(c, cOffset + 3 * cRowStride);
        } else {
            c0.intoArray(c, cOffset);
            c1.intoArray(c, cOffset + cRowStride);
            c2.intoArray(c, cOffset + 2 * cRowStride);
            c3.intoArray(c, cOffset + 3 * cRowStride);
        }
    }

    private static void one(
            boolean onto,
            float[] a,
            int aOffset,
            int aDepthStride,
            float[] b,
            int bOffset,
            int depth,
            float[] c,
            int cOffset) {
        FloatVector c0 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset; k < depth; k++, p += aDepthStride) {
            FloatVector x = FloatVector.fromArray(SPECIES, b, bOffset + k * PANEL);
            FloatVector y0 = FloatVector.broadcast(SPECIES, a[p]);
            c0 = FUSED ? y0.fma(x, c0) : y0.mul(x).add(c0);
        }
        if (onto) {
            FloatVector.fromArray(SPECIES, c, cOffset).add(c0).intoArray(c, cOffset);
        } else {
            c0.intoArray(c, cOffset);
        }
    }
}
