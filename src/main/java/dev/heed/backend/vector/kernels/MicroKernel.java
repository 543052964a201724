// Written by src/generator/java/KernelSources.java; change that file and run it.
package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.FUSED;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;

import jdk.incubator.vector.FloatVector;

/**
 * The f32 matrix product of the vector backend: blocks of up to six rows of A by the columns of one panel of B, a panel being
 * four vectors wide.
 *
 * <pre>
 *                      B   depth x PANEL, rows bDepthStride apart
 *                    +----+----+----+----+
 *                    | v0 | v1 | v2 | v3 |  k
 *                    +----+----+----+----+
 *        A   k       +----+----+----+----+
 *      r [.......]   |    |    |    |    |  C[r] (+)= sum over k of A[r][k] * B[k]
 *                    +----+----+----+----+
 * A[r][k] is a[aOffset + r * aRowStride + k * aDepthStride], so a transposed A only needs other strides
 * </pre>
 *
 * <p>Six rows by four vectors use 24 accumulators, four operands and one broadcast: 29 of 32 registers. Processors with 16
 * vector registers compute blocks that are two vectors wide, in 15 registers. The bits of an element are the same in all blocks.
 *
 * <p>Each block is written out in full because the JIT keeps accumulators in registers only if they are local variables of
 * one method that stays below the JIT's node limit for inlining. Accumulators are boxed, which is twenty times slower,
 * if they are in an array, passed to a method, or initialised with zero on one path and with a load on another.
 */
interface MicroKernel extends Kernels {
    @Override
    default void product(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        int tall = Tiles.BLOCK_TALL && aRowStride == 1 ? rows / 12 * 12 : 0;
        if (tall > 0) {
            productTall(a, aOffset, aDepthStride, tall, b, bOffset, bDepthStride, depth, c, cOffset, cRowStride);
        }
        if (Tiles.BLOCK_VECTORS == 4) {
            product4(
                    a,
                    aOffset + tall * aRowStride,
                    aRowStride,
                    aDepthStride,
                    rows - tall,
                    b,
                    bOffset,
                    bDepthStride,
                    depth,
                    c,
                    cOffset + tall * cRowStride,
                    cRowStride);
            return;
        }
        for (int v = 0; v < PANEL; v += 2 * V) {
            product2(
                    a,
                    aOffset + tall * aRowStride,
                    aRowStride,
                    aDepthStride,
                    rows - tall,
                    b,
                    bOffset + v,
                    bDepthStride,
                    depth,
                    c,
                    cOffset + tall * cRowStride + v,
                    cRowStride);
        }
    }

    @Override
    default void accumulate(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        int tall = Tiles.BLOCK_TALL && aRowStride == 1 ? rows / 12 * 12 : 0;
        if (tall > 0) {
            accumulateTall(a, aOffset, aDepthStride, tall, b, bOffset, bDepthStride, depth, c, cOffset, cRowStride);
        }
        if (Tiles.BLOCK_VECTORS == 4) {
            accumulate4(
                    a,
                    aOffset + tall * aRowStride,
                    aRowStride,
                    aDepthStride,
                    rows - tall,
                    b,
                    bOffset,
                    bDepthStride,
                    depth,
                    c,
                    cOffset + tall * cRowStride,
                    cRowStride);
            return;
        }
        for (int v = 0; v < PANEL; v += 2 * V) {
            accumulate2(
                    a,
                    aOffset + tall * aRowStride,
                    aRowStride,
                    aDepthStride,
                    rows - tall,
                    b,
                    bOffset + v,
                    bDepthStride,
                    depth,
                    c,
                    cOffset + tall * cRowStride + v,
                    cRowStride);
        }
    }

    static void product4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        int r = 0;
        while (r < rows) {
            int left = rows - r;
            int block = left <= 6 ? left : Math.min(6, Math.max(4, left - 4));
            int at = aOffset + r * aRowStride;
            int to = cOffset + r * cRowStride;
            switch (block) {
                case 1 -> product1x4(a, at, aDepthStride, b, bOffset, bDepthStride, depth, c, to);
                case 2 ->
                    product2x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 3 ->
                    product3x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 4 ->
                    product4x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 5 ->
                    product5x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                default ->
                    product6x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
            }
            r += block;
        }
    }

    static void product2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        int r = 0;
        while (r < rows) {
            int left = rows - r;
            int block = left <= 6 ? left : Math.min(6, Math.max(4, left - 4));
            int at = aOffset + r * aRowStride;
            int to = cOffset + r * cRowStride;
            switch (block) {
                case 1 -> product1x2(a, at, aDepthStride, b, bOffset, bDepthStride, depth, c, to);
                case 2 ->
                    product2x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 3 ->
                    product3x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 4 ->
                    product4x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 5 ->
                    product5x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                default ->
                    product6x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
            }
            r += block;
        }
    }

    static void productTall(
            float[] a,
            int aOffset,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        for (int r = 0; r < rows; r += 12) {
            for (int v = 0; v < PANEL; v += 2 * V) {
                product12x2(
                        a,
                        aOffset + r,
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
    }

    static void accumulate4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        int r = 0;
        while (r < rows) {
            int left = rows - r;
            int block = left <= 6 ? left : Math.min(6, Math.max(4, left - 4));
            int at = aOffset + r * aRowStride;
            int to = cOffset + r * cRowStride;
            switch (block) {
                case 1 -> accumulate1x4(a, at, aDepthStride, b, bOffset, bDepthStride, depth, c, to);
                case 2 ->
                    accumulate2x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 3 ->
                    accumulate3x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 4 ->
                    accumulate4x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 5 ->
                    accumulate5x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                default ->
                    accumulate6x4(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
            }
            r += block;
        }
    }

    static void accumulate2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        int r = 0;
        while (r < rows) {
            int left = rows - r;
            int block = left <= 6 ? left : Math.min(6, Math.max(4, left - 4));
            int at = aOffset + r * aRowStride;
            int to = cOffset + r * cRowStride;
            switch (block) {
                case 1 -> accumulate1x2(a, at, aDepthStride, b, bOffset, bDepthStride, depth, c, to);
                case 2 ->
                    accumulate2x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 3 ->
                    accumulate3x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 4 ->
                    accumulate4x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                case 5 ->
                    accumulate5x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
                default ->
                    accumulate6x2(a, at, aRowStride, aDepthStride, b, bOffset, bDepthStride, depth, c, to, cRowStride);
            }
            r += block;
        }
    }

    static void accumulateTall(
            float[] a,
            int aOffset,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        for (int r = 0; r < rows; r += 12) {
            for (int v = 0; v < PANEL; v += 2 * V) {
                accumulate12x2(
                        a,
                        aOffset + r,
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
    }

    /**
     * Multiplies rows of a transposed A: the elements of a column are adjacent, so their addresses are one register and a constant,
     * and the compiled code checks their indices at once. With headDim 64 and 192 keys, pooling reads the weights, 48 KB,
     * six times per half panel instead of eleven times per panel.
     */
    private static void product12x2(
            float[] a,
            int aOffset,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        FloatVector c40 = FloatVector.zero(SPECIES);
        FloatVector c41 = FloatVector.zero(SPECIES);
        FloatVector c50 = FloatVector.zero(SPECIES);
        FloatVector c51 = FloatVector.zero(SPECIES);
        FloatVector c60 = FloatVector.zero(SPECIES);
        FloatVector c61 = FloatVector.zero(SPECIES);
        FloatVector c70 = FloatVector.zero(SPECIES);
        FloatVector c71 = FloatVector.zero(SPECIES);
        FloatVector c80 = FloatVector.zero(SPECIES);
        FloatVector c81 = FloatVector.zero(SPECIES);
        FloatVector c90 = FloatVector.zero(SPECIES);
        FloatVector c91 = FloatVector.zero(SPECIES);
        FloatVector c100 = FloatVector.zero(SPECIES);
        FloatVector c101 = FloatVector.zero(SPECIES);
        FloatVector c110 = FloatVector.zero(SPECIES);
        FloatVector c111 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + 1]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[p + 5]);
            c50 = FUSED ? a5.fma(b0, c50) : a5.mul(b0).add(c50);
            c51 = FUSED ? a5.fma(b1, c51) : a5.mul(b1).add(c51);
            FloatVector a6 = FloatVector.broadcast(SPECIES, a[p + 6]);
            c60 = FUSED ? a6.fma(b0, c60) : a6.mul(b0).add(c60);
            c61 = FUSED ? a6.fma(b1, c61) : a6.mul(b1).add(c61);
            FloatVector a7 = FloatVector.broadcast(SPECIES, a[p + 7]);
            c70 = FUSED ? a7.fma(b0, c70) : a7.mul(b0).add(c70);
            c71 = FUSED ? a7.fma(b1, c71) : a7.mul(b1).add(c71);
            FloatVector a8 = FloatVector.broadcast(SPECIES, a[p + 8]);
            c80 = FUSED ? a8.fma(b0, c80) : a8.mul(b0).add(c80);
            c81 = FUSED ? a8.fma(b1, c81) : a8.mul(b1).add(c81);
            FloatVector a9 = FloatVector.broadcast(SPECIES, a[p + 9]);
            c90 = FUSED ? a9.fma(b0, c90) : a9.mul(b0).add(c90);
            c91 = FUSED ? a9.fma(b1, c91) : a9.mul(b1).add(c91);
            FloatVector a10 = FloatVector.broadcast(SPECIES, a[p + 10]);
            c100 = FUSED ? a10.fma(b0, c100) : a10.mul(b0).add(c100);
            c101 = FUSED ? a10.fma(b1, c101) : a10.mul(b1).add(c101);
            FloatVector a11 = FloatVector.broadcast(SPECIES, a[p + 11]);
            c110 = FUSED ? a11.fma(b0, c110) : a11.mul(b0).add(c110);
            c111 = FUSED ? a11.fma(b1, c111) : a11.mul(b1).add(c111);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
        c50.intoArray(c, cOffset + 5 * cRowStride);
        c51.intoArray(c, cOffset + 5 * cRowStride + V);
        c60.intoArray(c, cOffset + 6 * cRowStride);
        c61.intoArray(c, cOffset + 6 * cRowStride + V);
        c70.intoArray(c, cOffset + 7 * cRowStride);
        c71.intoArray(c, cOffset + 7 * cRowStride + V);
        c80.intoArray(c, cOffset + 8 * cRowStride);
        c81.intoArray(c, cOffset + 8 * cRowStride + V);
        c90.intoArray(c, cOffset + 9 * cRowStride);
        c91.intoArray(c, cOffset + 9 * cRowStride + V);
        c100.intoArray(c, cOffset + 10 * cRowStride);
        c101.intoArray(c, cOffset + 10 * cRowStride + V);
        c110.intoArray(c, cOffset + 11 * cRowStride);
        c111.intoArray(c, cOffset + 11 * cRowStride + V);
    }

    /**
     * Multiplies rows of a transposed A: the elements of a column are adjacent, so their addresses are one register and a constant,
     * and the compiled code checks their indices at once. With headDim 64 and 192 keys, pooling reads the weights, 48 KB,
     * six times per half panel instead of eleven times per panel.
     */
    private static void accumulate12x2(
            float[] a,
            int aOffset,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c20 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride);
        FloatVector c21 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + V);
        FloatVector c30 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride);
        FloatVector c31 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + V);
        FloatVector c40 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride);
        FloatVector c41 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride + V);
        FloatVector c50 = FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride);
        FloatVector c51 = FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride + V);
        FloatVector c60 = FloatVector.fromArray(SPECIES, c, cOffset + 6 * cRowStride);
        FloatVector c61 = FloatVector.fromArray(SPECIES, c, cOffset + 6 * cRowStride + V);
        FloatVector c70 = FloatVector.fromArray(SPECIES, c, cOffset + 7 * cRowStride);
        FloatVector c71 = FloatVector.fromArray(SPECIES, c, cOffset + 7 * cRowStride + V);
        FloatVector c80 = FloatVector.fromArray(SPECIES, c, cOffset + 8 * cRowStride);
        FloatVector c81 = FloatVector.fromArray(SPECIES, c, cOffset + 8 * cRowStride + V);
        FloatVector c90 = FloatVector.fromArray(SPECIES, c, cOffset + 9 * cRowStride);
        FloatVector c91 = FloatVector.fromArray(SPECIES, c, cOffset + 9 * cRowStride + V);
        FloatVector c100 = FloatVector.fromArray(SPECIES, c, cOffset + 10 * cRowStride);
        FloatVector c101 = FloatVector.fromArray(SPECIES, c, cOffset + 10 * cRowStride + V);
        FloatVector c110 = FloatVector.fromArray(SPECIES, c, cOffset + 11 * cRowStride);
        FloatVector c111 = FloatVector.fromArray(SPECIES, c, cOffset + 11 * cRowStride + V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + 1]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[p + 5]);
            c50 = FUSED ? a5.fma(b0, c50) : a5.mul(b0).add(c50);
            c51 = FUSED ? a5.fma(b1, c51) : a5.mul(b1).add(c51);
            FloatVector a6 = FloatVector.broadcast(SPECIES, a[p + 6]);
            c60 = FUSED ? a6.fma(b0, c60) : a6.mul(b0).add(c60);
            c61 = FUSED ? a6.fma(b1, c61) : a6.mul(b1).add(c61);
            FloatVector a7 = FloatVector.broadcast(SPECIES, a[p + 7]);
            c70 = FUSED ? a7.fma(b0, c70) : a7.mul(b0).add(c70);
            c71 = FUSED ? a7.fma(b1, c71) : a7.mul(b1).add(c71);
            FloatVector a8 = FloatVector.broadcast(SPECIES, a[p + 8]);
            c80 = FUSED ? a8.fma(b0, c80) : a8.mul(b0).add(c80);
            c81 = FUSED ? a8.fma(b1, c81) : a8.mul(b1).add(c81);
            FloatVector a9 = FloatVector.broadcast(SPECIES, a[p + 9]);
            c90 = FUSED ? a9.fma(b0, c90) : a9.mul(b0).add(c90);
            c91 = FUSED ? a9.fma(b1, c91) : a9.mul(b1).add(c91);
            FloatVector a10 = FloatVector.broadcast(SPECIES, a[p + 10]);
            c100 = FUSED ? a10.fma(b0, c100) : a10.mul(b0).add(c100);
            c101 = FUSED ? a10.fma(b1, c101) : a10.mul(b1).add(c101);
            FloatVector a11 = FloatVector.broadcast(SPECIES, a[p + 11]);
            c110 = FUSED ? a11.fma(b0, c110) : a11.mul(b0).add(c110);
            c111 = FUSED ? a11.fma(b1, c111) : a11.mul(b1).add(c111);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
        c50.intoArray(c, cOffset + 5 * cRowStride);
        c51.intoArray(c, cOffset + 5 * cRowStride + V);
        c60.intoArray(c, cOffset + 6 * cRowStride);
        c61.intoArray(c, cOffset + 6 * cRowStride + V);
        c70.intoArray(c, cOffset + 7 * cRowStride);
        c71.intoArray(c, cOffset + 7 * cRowStride + V);
        c80.intoArray(c, cOffset + 8 * cRowStride);
        c81.intoArray(c, cOffset + 8 * cRowStride + V);
        c90.intoArray(c, cOffset + 9 * cRowStride);
        c91.intoArray(c, cOffset + 9 * cRowStride + V);
        c100.intoArray(c, cOffset + 10 * cRowStride);
        c101.intoArray(c, cOffset + 10 * cRowStride + V);
        c110.intoArray(c, cOffset + 11 * cRowStride);
        c111.intoArray(c, cOffset + 11 * cRowStride + V);
    }

    private static void product6x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c12 = FloatVector.zero(SPECIES);
        FloatVector c13 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c22 = FloatVector.zero(SPECIES);
        FloatVector c23 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        FloatVector c32 = FloatVector.zero(SPECIES);
        FloatVector c33 = FloatVector.zero(SPECIES);
        FloatVector c40 = FloatVector.zero(SPECIES);
        FloatVector c41 = FloatVector.zero(SPECIES);
        FloatVector c42 = FloatVector.zero(SPECIES);
        FloatVector c43 = FloatVector.zero(SPECIES);
        FloatVector c50 = FloatVector.zero(SPECIES);
        FloatVector c51 = FloatVector.zero(SPECIES);
        FloatVector c52 = FloatVector.zero(SPECIES);
        FloatVector c53 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            c22 = FUSED ? a2.fma(b2, c22) : a2.mul(b2).add(c22);
            c23 = FUSED ? a2.fma(b3, c23) : a2.mul(b3).add(c23);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            c32 = FUSED ? a3.fma(b2, c32) : a3.mul(b2).add(c32);
            c33 = FUSED ? a3.fma(b3, c33) : a3.mul(b3).add(c33);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4 * aRowStride]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
            c42 = FUSED ? a4.fma(b2, c42) : a4.mul(b2).add(c42);
            c43 = FUSED ? a4.fma(b3, c43) : a4.mul(b3).add(c43);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[p + 5 * aRowStride]);
            c50 = FUSED ? a5.fma(b0, c50) : a5.mul(b0).add(c50);
            c51 = FUSED ? a5.fma(b1, c51) : a5.mul(b1).add(c51);
            c52 = FUSED ? a5.fma(b2, c52) : a5.mul(b2).add(c52);
            c53 = FUSED ? a5.fma(b3, c53) : a5.mul(b3).add(c53);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c22.intoArray(c, cOffset + 2 * cRowStride + 2 * V);
        c23.intoArray(c, cOffset + 2 * cRowStride + 3 * V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c32.intoArray(c, cOffset + 3 * cRowStride + 2 * V);
        c33.intoArray(c, cOffset + 3 * cRowStride + 3 * V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
        c42.intoArray(c, cOffset + 4 * cRowStride + 2 * V);
        c43.intoArray(c, cOffset + 4 * cRowStride + 3 * V);
        c50.intoArray(c, cOffset + 5 * cRowStride);
        c51.intoArray(c, cOffset + 5 * cRowStride + V);
        c52.intoArray(c, cOffset + 5 * cRowStride + 2 * V);
        c53.intoArray(c, cOffset + 5 * cRowStride + 3 * V);
    }

    private static void accumulate6x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c02 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * V);
        FloatVector c03 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c12 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 2 * V);
        FloatVector c13 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 3 * V);
        FloatVector c20 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride);
        FloatVector c21 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + V);
        FloatVector c22 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + 2 * V);
        FloatVector c23 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + 3 * V);
        FloatVector c30 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride);
        FloatVector c31 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + V);
        FloatVector c32 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + 2 * V);
        FloatVector c33 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + 3 * V);
        FloatVector c40 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride);
        FloatVector c41 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride + V);
        FloatVector c42 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride + 2 * V);
        FloatVector c43 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride + 3 * V);
        FloatVector c50 = FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride);
        FloatVector c51 = FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride + V);
        FloatVector c52 = FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride + 2 * V);
        FloatVector c53 = FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride + 3 * V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            c22 = FUSED ? a2.fma(b2, c22) : a2.mul(b2).add(c22);
            c23 = FUSED ? a2.fma(b3, c23) : a2.mul(b3).add(c23);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            c32 = FUSED ? a3.fma(b2, c32) : a3.mul(b2).add(c32);
            c33 = FUSED ? a3.fma(b3, c33) : a3.mul(b3).add(c33);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4 * aRowStride]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
            c42 = FUSED ? a4.fma(b2, c42) : a4.mul(b2).add(c42);
            c43 = FUSED ? a4.fma(b3, c43) : a4.mul(b3).add(c43);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[p + 5 * aRowStride]);
            c50 = FUSED ? a5.fma(b0, c50) : a5.mul(b0).add(c50);
            c51 = FUSED ? a5.fma(b1, c51) : a5.mul(b1).add(c51);
            c52 = FUSED ? a5.fma(b2, c52) : a5.mul(b2).add(c52);
            c53 = FUSED ? a5.fma(b3, c53) : a5.mul(b3).add(c53);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c22.intoArray(c, cOffset + 2 * cRowStride + 2 * V);
        c23.intoArray(c, cOffset + 2 * cRowStride + 3 * V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c32.intoArray(c, cOffset + 3 * cRowStride + 2 * V);
        c33.intoArray(c, cOffset + 3 * cRowStride + 3 * V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
        c42.intoArray(c, cOffset + 4 * cRowStride + 2 * V);
        c43.intoArray(c, cOffset + 4 * cRowStride + 3 * V);
        c50.intoArray(c, cOffset + 5 * cRowStride);
        c51.intoArray(c, cOffset + 5 * cRowStride + V);
        c52.intoArray(c, cOffset + 5 * cRowStride + 2 * V);
        c53.intoArray(c, cOffset + 5 * cRowStride + 3 * V);
    }

    private static void product5x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c12 = FloatVector.zero(SPECIES);
        FloatVector c13 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c22 = FloatVector.zero(SPECIES);
        FloatVector c23 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        FloatVector c32 = FloatVector.zero(SPECIES);
        FloatVector c33 = FloatVector.zero(SPECIES);
        FloatVector c40 = FloatVector.zero(SPECIES);
        FloatVector c41 = FloatVector.zero(SPECIES);
        FloatVector c42 = FloatVector.zero(SPECIES);
        FloatVector c43 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            c22 = FUSED ? a2.fma(b2, c22) : a2.mul(b2).add(c22);
            c23 = FUSED ? a2.fma(b3, c23) : a2.mul(b3).add(c23);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            c32 = FUSED ? a3.fma(b2, c32) : a3.mul(b2).add(c32);
            c33 = FUSED ? a3.fma(b3, c33) : a3.mul(b3).add(c33);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4 * aRowStride]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
            c42 = FUSED ? a4.fma(b2, c42) : a4.mul(b2).add(c42);
            c43 = FUSED ? a4.fma(b3, c43) : a4.mul(b3).add(c43);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c22.intoArray(c, cOffset + 2 * cRowStride + 2 * V);
        c23.intoArray(c, cOffset + 2 * cRowStride + 3 * V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c32.intoArray(c, cOffset + 3 * cRowStride + 2 * V);
        c33.intoArray(c, cOffset + 3 * cRowStride + 3 * V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
        c42.intoArray(c, cOffset + 4 * cRowStride + 2 * V);
        c43.intoArray(c, cOffset + 4 * cRowStride + 3 * V);
    }

    private static void accumulate5x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c02 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * V);
        FloatVector c03 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c12 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 2 * V);
        FloatVector c13 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 3 * V);
        FloatVector c20 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride);
        FloatVector c21 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + V);
        FloatVector c22 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + 2 * V);
        FloatVector c23 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + 3 * V);
        FloatVector c30 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride);
        FloatVector c31 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + V);
        FloatVector c32 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + 2 * V);
        FloatVector c33 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + 3 * V);
        FloatVector c40 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride);
        FloatVector c41 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride + V);
        FloatVector c42 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride + 2 * V);
        FloatVector c43 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride + 3 * V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            c22 = FUSED ? a2.fma(b2, c22) : a2.mul(b2).add(c22);
            c23 = FUSED ? a2.fma(b3, c23) : a2.mul(b3).add(c23);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            c32 = FUSED ? a3.fma(b2, c32) : a3.mul(b2).add(c32);
            c33 = FUSED ? a3.fma(b3, c33) : a3.mul(b3).add(c33);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4 * aRowStride]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
            c42 = FUSED ? a4.fma(b2, c42) : a4.mul(b2).add(c42);
            c43 = FUSED ? a4.fma(b3, c43) : a4.mul(b3).add(c43);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c22.intoArray(c, cOffset + 2 * cRowStride + 2 * V);
        c23.intoArray(c, cOffset + 2 * cRowStride + 3 * V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c32.intoArray(c, cOffset + 3 * cRowStride + 2 * V);
        c33.intoArray(c, cOffset + 3 * cRowStride + 3 * V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
        c42.intoArray(c, cOffset + 4 * cRowStride + 2 * V);
        c43.intoArray(c, cOffset + 4 * cRowStride + 3 * V);
    }

    private static void product4x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c12 = FloatVector.zero(SPECIES);
        FloatVector c13 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c22 = FloatVector.zero(SPECIES);
        FloatVector c23 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        FloatVector c32 = FloatVector.zero(SPECIES);
        FloatVector c33 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            c22 = FUSED ? a2.fma(b2, c22) : a2.mul(b2).add(c22);
            c23 = FUSED ? a2.fma(b3, c23) : a2.mul(b3).add(c23);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            c32 = FUSED ? a3.fma(b2, c32) : a3.mul(b2).add(c32);
            c33 = FUSED ? a3.fma(b3, c33) : a3.mul(b3).add(c33);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c22.intoArray(c, cOffset + 2 * cRowStride + 2 * V);
        c23.intoArray(c, cOffset + 2 * cRowStride + 3 * V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c32.intoArray(c, cOffset + 3 * cRowStride + 2 * V);
        c33.intoArray(c, cOffset + 3 * cRowStride + 3 * V);
    }

    private static void accumulate4x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c02 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * V);
        FloatVector c03 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c12 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 2 * V);
        FloatVector c13 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 3 * V);
        FloatVector c20 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride);
        FloatVector c21 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + V);
        FloatVector c22 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + 2 * V);
        FloatVector c23 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + 3 * V);
        FloatVector c30 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride);
        FloatVector c31 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + V);
        FloatVector c32 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + 2 * V);
        FloatVector c33 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + 3 * V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            c22 = FUSED ? a2.fma(b2, c22) : a2.mul(b2).add(c22);
            c23 = FUSED ? a2.fma(b3, c23) : a2.mul(b3).add(c23);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            c32 = FUSED ? a3.fma(b2, c32) : a3.mul(b2).add(c32);
            c33 = FUSED ? a3.fma(b3, c33) : a3.mul(b3).add(c33);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c22.intoArray(c, cOffset + 2 * cRowStride + 2 * V);
        c23.intoArray(c, cOffset + 2 * cRowStride + 3 * V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c32.intoArray(c, cOffset + 3 * cRowStride + 2 * V);
        c33.intoArray(c, cOffset + 3 * cRowStride + 3 * V);
    }

    private static void product3x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c12 = FloatVector.zero(SPECIES);
        FloatVector c13 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c22 = FloatVector.zero(SPECIES);
        FloatVector c23 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            c22 = FUSED ? a2.fma(b2, c22) : a2.mul(b2).add(c22);
            c23 = FUSED ? a2.fma(b3, c23) : a2.mul(b3).add(c23);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c22.intoArray(c, cOffset + 2 * cRowStride + 2 * V);
        c23.intoArray(c, cOffset + 2 * cRowStride + 3 * V);
    }

    private static void accumulate3x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c02 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * V);
        FloatVector c03 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c12 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 2 * V);
        FloatVector c13 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 3 * V);
        FloatVector c20 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride);
        FloatVector c21 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + V);
        FloatVector c22 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + 2 * V);
        FloatVector c23 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + 3 * V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            c22 = FUSED ? a2.fma(b2, c22) : a2.mul(b2).add(c22);
            c23 = FUSED ? a2.fma(b3, c23) : a2.mul(b3).add(c23);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c22.intoArray(c, cOffset + 2 * cRowStride + 2 * V);
        c23.intoArray(c, cOffset + 2 * cRowStride + 3 * V);
    }

    private static void product2x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c12 = FloatVector.zero(SPECIES);
        FloatVector c13 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
    }

    private static void accumulate2x4(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c02 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * V);
        FloatVector c03 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c12 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 2 * V);
        FloatVector c13 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + 3 * V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            c12 = FUSED ? a1.fma(b2, c12) : a1.mul(b2).add(c12);
            c13 = FUSED ? a1.fma(b3, c13) : a1.mul(b3).add(c13);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c12.intoArray(c, cOffset + cRowStride + 2 * V);
        c13.intoArray(c, cOffset + cRowStride + 3 * V);
    }

    private static void product1x4(
            float[] a,
            int aOffset,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
    }

    private static void accumulate1x4(
            float[] a,
            int aOffset,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c02 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * V);
        FloatVector c03 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector b2 = FloatVector.fromArray(SPECIES, b, q + 2 * V);
            FloatVector b3 = FloatVector.fromArray(SPECIES, b, q + 3 * V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            c02 = FUSED ? a0.fma(b2, c02) : a0.mul(b2).add(c02);
            c03 = FUSED ? a0.fma(b3, c03) : a0.mul(b3).add(c03);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c02.intoArray(c, cOffset + 2 * V);
        c03.intoArray(c, cOffset + 3 * V);
    }

    private static void product6x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        FloatVector c40 = FloatVector.zero(SPECIES);
        FloatVector c41 = FloatVector.zero(SPECIES);
        FloatVector c50 = FloatVector.zero(SPECIES);
        FloatVector c51 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4 * aRowStride]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[p + 5 * aRowStride]);
            c50 = FUSED ? a5.fma(b0, c50) : a5.mul(b0).add(c50);
            c51 = FUSED ? a5.fma(b1, c51) : a5.mul(b1).add(c51);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
        c50.intoArray(c, cOffset + 5 * cRowStride);
        c51.intoArray(c, cOffset + 5 * cRowStride + V);
    }

    private static void accumulate6x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c20 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride);
        FloatVector c21 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + V);
        FloatVector c30 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride);
        FloatVector c31 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + V);
        FloatVector c40 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride);
        FloatVector c41 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride + V);
        FloatVector c50 = FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride);
        FloatVector c51 = FloatVector.fromArray(SPECIES, c, cOffset + 5 * cRowStride + V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4 * aRowStride]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
            FloatVector a5 = FloatVector.broadcast(SPECIES, a[p + 5 * aRowStride]);
            c50 = FUSED ? a5.fma(b0, c50) : a5.mul(b0).add(c50);
            c51 = FUSED ? a5.fma(b1, c51) : a5.mul(b1).add(c51);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
        c50.intoArray(c, cOffset + 5 * cRowStride);
        c51.intoArray(c, cOffset + 5 * cRowStride + V);
    }

    private static void product5x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        FloatVector c40 = FloatVector.zero(SPECIES);
        FloatVector c41 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4 * aRowStride]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
    }

    private static void accumulate5x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c20 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride);
        FloatVector c21 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + V);
        FloatVector c30 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride);
        FloatVector c31 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + V);
        FloatVector c40 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride);
        FloatVector c41 = FloatVector.fromArray(SPECIES, c, cOffset + 4 * cRowStride + V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
            FloatVector a4 = FloatVector.broadcast(SPECIES, a[p + 4 * aRowStride]);
            c40 = FUSED ? a4.fma(b0, c40) : a4.mul(b0).add(c40);
            c41 = FUSED ? a4.fma(b1, c41) : a4.mul(b1).add(c41);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
        c30.intoArray(c, cOffset + 3 * cRowStride);
        c31.intoArray(c, cOffset + 3 * cRowStride + V);
        c40.intoArray(c, cOffset + 4 * cRowStride);
        c41.intoArray(c, cOffset + 4 * cRowStride + V);
    }

    private static void product4x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
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

    private static void accumulate4x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c20 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride);
        FloatVector c21 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + V);
        FloatVector c30 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride);
        FloatVector c31 = FloatVector.fromArray(SPECIES, c, cOffset + 3 * cRowStride + V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
            FloatVector a3 = FloatVector.broadcast(SPECIES, a[p + 3 * aRowStride]);
            c30 = FUSED ? a3.fma(b0, c30) : a3.mul(b0).add(c30);
            c31 = FUSED ? a3.fma(b1, c31) : a3.mul(b1).add(c31);
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

    private static void product3x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
    }

    private static void accumulate3x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        FloatVector c20 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride);
        FloatVector c21 = FloatVector.fromArray(SPECIES, c, cOffset + 2 * cRowStride + V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
            FloatVector a2 = FloatVector.broadcast(SPECIES, a[p + 2 * aRowStride]);
            c20 = FUSED ? a2.fma(b0, c20) : a2.mul(b0).add(c20);
            c21 = FUSED ? a2.fma(b1, c21) : a2.mul(b1).add(c21);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
        c20.intoArray(c, cOffset + 2 * cRowStride);
        c21.intoArray(c, cOffset + 2 * cRowStride + V);
    }

    private static void product2x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
    }

    private static void accumulate2x2(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        FloatVector c10 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride);
        FloatVector c11 = FloatVector.fromArray(SPECIES, c, cOffset + cRowStride + V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
            FloatVector a1 = FloatVector.broadcast(SPECIES, a[p + aRowStride]);
            c10 = FUSED ? a1.fma(b0, c10) : a1.mul(b0).add(c10);
            c11 = FUSED ? a1.fma(b1, c11) : a1.mul(b1).add(c11);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
        c10.intoArray(c, cOffset + cRowStride);
        c11.intoArray(c, cOffset + cRowStride + V);
    }

    private static void product1x2(
            float[] a,
            int aOffset,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
    }

    private static void accumulate1x2(
            float[] a,
            int aOffset,
            int aDepthStride,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset) {
        FloatVector c00 = FloatVector.fromArray(SPECIES, c, cOffset);
        FloatVector c01 = FloatVector.fromArray(SPECIES, c, cOffset + V);
        for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, q);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, q + V);
            FloatVector a0 = FloatVector.broadcast(SPECIES, a[p]);
            c00 = FUSED ? a0.fma(b0, c00) : a0.mul(b0).add(c00);
            c01 = FUSED ? a0.fma(b1, c01) : a0.mul(b1).add(c01);
        }
        c00.intoArray(c, cOffset);
        c01.intoArray(c, cOffset + V);
    }
}
