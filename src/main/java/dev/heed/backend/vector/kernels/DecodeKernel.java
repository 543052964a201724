// Written by src/generator/java/DecodeSources.java; change that file and run it.
package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.FUSED;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;

import jdk.incubator.vector.FloatVector;

/**
 * The products of decode: scores of one or two queries, and weighted sums of values for them. Each key and value is loaded
 * once for all queries of a block, without packing. The bits of a query are the same in all blocks.
 *
 * <p>A step of decode reads four runs of keys or values, one row of each run at a time; the runs begin {@code runStride}
 * elements apart.
 */
interface DecodeKernel extends Kernels {
    @Override
    default void scoresOfRuns(
            float[] queries,
            int q,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int runStride,
            int count,
            float[] scores,
            int to,
            float[] lanes) {
        scores1x4(queries, q, width, keys, keysOffset, step, runStride, count, scores, to, 1, count, lanes);
    }

    @Override
    default void scoresOfRuns(
            float[] queries,
            int q0,
            int q1,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int runStride,
            int count,
            float[] scores,
            int to0,
            int to1,
            float[] lanes) {
        scores2x4(queries, q0, q1, width, keys, keysOffset, step, runStride, count, scores, to0, to1, 1, count, lanes);
    }

    /**
     * Computes the scores of one query with {@code count} blocks of four keys. Blocks begin {@code step} elements
     * apart, the keys of a block {@code stride}. The scores of blocks are {@code toStep} elements apart, the scores of a
     * block {@code toStride}.
     */
    static void scores1x4(
            float[] queries,
            int q,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int stride,
            int count,
            float[] scores,
            int to,
            int toStep,
            int toStride,
            float[] lanes) {
        int whole = SPECIES.loopBound(width);
        for (int j = 0; j < count; j++) {
            int at = keysOffset + j * step;
            FloatVector s0 = FloatVector.zero(SPECIES);
            FloatVector s1 = FloatVector.zero(SPECIES);
            FloatVector s2 = FloatVector.zero(SPECIES);
            FloatVector s3 = FloatVector.zero(SPECIES);
            for (int d = 0; d < whole; d += V) {
                FloatVector x = FloatVector.fromArray(SPECIES, queries, q + d);
                FloatVector k0 = FloatVector.fromArray(SPECIES, keys, at + d);
                s0 = FUSED ? x.fma(k0, s0) : x.mul(k0).add(s0);
                FloatVector k1 = FloatVector.fromArray(SPECIES, keys, at + stride + d);
                s1 = FUSED ? x.fma(k1, s1) : x.mul(k1).add(s1);
                FloatVector k2 = FloatVector.fromArray(SPECIES, keys, at + 2 * stride + d);
                s2 = FUSED ? x.fma(k2, s2) : x.mul(k2).add(s2);
                FloatVector k3 = FloatVector.fromArray(SPECIES, keys, at + 3 * stride + d);
                s3 = FUSED ? x.fma(k3, s3) : x.mul(k3).add(s3);
            }
            s0.intoArray(lanes, 0);
            s1.intoArray(lanes, V);
            s2.intoArray(lanes, 2 * V);
            s3.intoArray(lanes, 3 * V);
            DotRow.sumFour(lanes, 0, scores, to + j * toStep, toStride);
        }
        if (whole < width) {
            DotRow.addRests(
                    queries, q, whole, width, keys, keysOffset, step, stride, count, scores, to, toStep, toStride);
        }
    }

    /**
     * Computes the scores of two queries with {@code count} blocks of four keys. Blocks begin {@code step} elements
     * apart, the keys of a block {@code stride}. The scores of blocks are {@code toStep} elements apart, the scores of a
     * block {@code toStride}.
     */
    static void scores2x4(
            float[] queries,
            int q0,
            int q1,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int stride,
            int count,
            float[] scores,
            int to0,
            int to1,
            int toStep,
            int toStride,
            float[] lanes) {
        int whole = SPECIES.loopBound(width);
        for (int j = 0; j < count; j++) {
            int at = keysOffset + j * step;
            FloatVector s00 = FloatVector.zero(SPECIES);
            FloatVector s01 = FloatVector.zero(SPECIES);
            FloatVector s02 = FloatVector.zero(SPECIES);
            FloatVector s03 = FloatVector.zero(SPECIES);
            FloatVector s10 = FloatVector.zero(SPECIES);
            FloatVector s11 = FloatVector.zero(SPECIES);
            FloatVector s12 = FloatVector.zero(SPECIES);
            FloatVector s13 = FloatVector.zero(SPECIES);
            for (int d = 0; d < whole; d += V) {
                FloatVector x0 = FloatVector.fromArray(SPECIES, queries, q0 + d);
                FloatVector x1 = FloatVector.fromArray(SPECIES, queries, q1 + d);
                FloatVector k0 = FloatVector.fromArray(SPECIES, keys, at + d);
                s00 = FUSED ? x0.fma(k0, s00) : x0.mul(k0).add(s00);
                s10 = FUSED ? x1.fma(k0, s10) : x1.mul(k0).add(s10);
                FloatVector k1 = FloatVector.fromArray(SPECIES, keys, at + stride + d);
                s01 = FUSED ? x0.fma(k1, s01) : x0.mul(k1).add(s01);
                s11 = FUSED ? x1.fma(k1, s11) : x1.mul(k1).add(s11);
                FloatVector k2 = FloatVector.fromArray(SPECIES, keys, at + 2 * stride + d);
                s02 = FUSED ? x0.fma(k2, s02) : x0.mul(k2).add(s02);
                s12 = FUSED ? x1.fma(k2, s12) : x1.mul(k2).add(s12);
                FloatVector k3 = FloatVector.fromArray(SPECIES, keys, at + 3 * stride + d);
                s03 = FUSED ? x0.fma(k3, s03) : x0.mul(k3).add(s03);
                s13 = FUSED ? x1.fma(k3, s13) : x1.mul(k3).add(s13);
            }
            s00.intoArray(lanes, 0);
            s01.intoArray(lanes, V);
            s02.intoArray(lanes, 2 * V);
            s03.intoArray(lanes, 3 * V);
            s10.intoArray(lanes, 4 * V);
            s11.intoArray(lanes, 5 * V);
            s12.intoArray(lanes, 6 * V);
            s13.intoArray(lanes, 7 * V);
            DotRow.sumFour(lanes, 0, scores, to0 + j * toStep, toStride);
            DotRow.sumFour(lanes, 4 * V, scores, to1 + j * toStep, toStride);
        }
        if (whole < width) {
            DotRow.addRests(
                    queries, q0, whole, width, keys, keysOffset, step, stride, count, scores, to0, toStep, toStride);
            DotRow.addRests(
                    queries, q1, whole, width, keys, keysOffset, step, stride, count, scores, to1, toStep, toStride);
        }
    }

    @Override
    default void addEight(
            float[] weights, int w, int count, float[] rows, int rowsOffset, int step, float[] sums, int to) {
        FloatVector s0 = FloatVector.fromArray(SPECIES, sums, to);
        FloatVector s1 = FloatVector.fromArray(SPECIES, sums, to + V);
        FloatVector s2 = FloatVector.fromArray(SPECIES, sums, to + 2 * V);
        FloatVector s3 = FloatVector.fromArray(SPECIES, sums, to + 3 * V);
        FloatVector s4 = FloatVector.fromArray(SPECIES, sums, to + 4 * V);
        FloatVector s5 = FloatVector.fromArray(SPECIES, sums, to + 5 * V);
        FloatVector s6 = FloatVector.fromArray(SPECIES, sums, to + 6 * V);
        FloatVector s7 = FloatVector.fromArray(SPECIES, sums, to + 7 * V);
        for (int j = 0, p = rowsOffset; j < count; j++, p += step) {
            FloatVector y = FloatVector.broadcast(SPECIES, weights[w + j]);
            FloatVector x0 = FloatVector.fromArray(SPECIES, rows, p);
            s0 = FUSED ? y.fma(x0, s0) : y.mul(x0).add(s0);
            FloatVector x1 = FloatVector.fromArray(SPECIES, rows, p + V);
            s1 = FUSED ? y.fma(x1, s1) : y.mul(x1).add(s1);
            FloatVector x2 = FloatVector.fromArray(SPECIES, rows, p + 2 * V);
            s2 = FUSED ? y.fma(x2, s2) : y.mul(x2).add(s2);
            FloatVector x3 = FloatVector.fromArray(SPECIES, rows, p + 3 * V);
            s3 = FUSED ? y.fma(x3, s3) : y.mul(x3).add(s3);
            FloatVector x4 = FloatVector.fromArray(SPECIES, rows, p + 4 * V);
            s4 = FUSED ? y.fma(x4, s4) : y.mul(x4).add(s4);
            FloatVector x5 = FloatVector.fromArray(SPECIES, rows, p + 5 * V);
            s5 = FUSED ? y.fma(x5, s5) : y.mul(x5).add(s5);
            FloatVector x6 = FloatVector.fromArray(SPECIES, rows, p + 6 * V);
            s6 = FUSED ? y.fma(x6, s6) : y.mul(x6).add(s6);
            FloatVector x7 = FloatVector.fromArray(SPECIES, rows, p + 7 * V);
            s7 = FUSED ? y.fma(x7, s7) : y.mul(x7).add(s7);
        }
        s0.intoArray(sums, to);
        s1.intoArray(sums, to + V);
        s2.intoArray(sums, to + 2 * V);
        s3.intoArray(sums, to + 3 * V);
        s4.intoArray(sums, to + 4 * V);
        s5.intoArray(sums, to + 5 * V);
        s6.intoArray(sums, to + 6 * V);
        s7.intoArray(sums, to + 7 * V);
    }

    @Override
    default void addEightOfRuns(
            float[] weights,
            int w,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int to) {
        FloatVector s0 = FloatVector.fromArray(SPECIES, sums, to);
        FloatVector s1 = FloatVector.fromArray(SPECIES, sums, to + V);
        FloatVector s2 = FloatVector.fromArray(SPECIES, sums, to + 2 * V);
        FloatVector s3 = FloatVector.fromArray(SPECIES, sums, to + 3 * V);
        FloatVector s4 = FloatVector.fromArray(SPECIES, sums, to + 4 * V);
        FloatVector s5 = FloatVector.fromArray(SPECIES, sums, to + 5 * V);
        FloatVector s6 = FloatVector.fromArray(SPECIES, sums, to + 6 * V);
        FloatVector s7 = FloatVector.fromArray(SPECIES, sums, to + 7 * V);
        for (int j = 0; j < count; j++) {
            for (int run = 0; run < 4; run++) {
                int p = rowsOffset + j * step + run * runStride;
                FloatVector y = FloatVector.broadcast(SPECIES, weights[w + j + run * count]);
                FloatVector x0 = FloatVector.fromArray(SPECIES, rows, p);
                s0 = FUSED ? y.fma(x0, s0) : y.mul(x0).add(s0);
                FloatVector x1 = FloatVector.fromArray(SPECIES, rows, p + V);
                s1 = FUSED ? y.fma(x1, s1) : y.mul(x1).add(s1);
                FloatVector x2 = FloatVector.fromArray(SPECIES, rows, p + 2 * V);
                s2 = FUSED ? y.fma(x2, s2) : y.mul(x2).add(s2);
                FloatVector x3 = FloatVector.fromArray(SPECIES, rows, p + 3 * V);
                s3 = FUSED ? y.fma(x3, s3) : y.mul(x3).add(s3);
                FloatVector x4 = FloatVector.fromArray(SPECIES, rows, p + 4 * V);
                s4 = FUSED ? y.fma(x4, s4) : y.mul(x4).add(s4);
                FloatVector x5 = FloatVector.fromArray(SPECIES, rows, p + 5 * V);
                s5 = FUSED ? y.fma(x5, s5) : y.mul(x5).add(s5);
                FloatVector x6 = FloatVector.fromArray(SPECIES, rows, p + 6 * V);
                s6 = FUSED ? y.fma(x6, s6) : y.mul(x6).add(s6);
                FloatVector x7 = FloatVector.fromArray(SPECIES, rows, p + 7 * V);
                s7 = FUSED ? y.fma(x7, s7) : y.mul(x7).add(s7);
            }
        }
        s0.intoArray(sums, to);
        s1.intoArray(sums, to + V);
        s2.intoArray(sums, to + 2 * V);
        s3.intoArray(sums, to + 3 * V);
        s4.intoArray(sums, to + 4 * V);
        s5.intoArray(sums, to + 5 * V);
        s6.intoArray(sums, to + 6 * V);
        s7.intoArray(sums, to + 7 * V);
    }

    @Override
    default void addFourOfRuns(
            float[] weights,
            int w,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int to) {
        FloatVector s0 = FloatVector.fromArray(SPECIES, sums, to);
        FloatVector s1 = FloatVector.fromArray(SPECIES, sums, to + V);
        FloatVector s2 = FloatVector.fromArray(SPECIES, sums, to + 2 * V);
        FloatVector s3 = FloatVector.fromArray(SPECIES, sums, to + 3 * V);
        for (int j = 0; j < count; j++) {
            for (int run = 0; run < 4; run++) {
                int p = rowsOffset + j * step + run * runStride;
                FloatVector y = FloatVector.broadcast(SPECIES, weights[w + j + run * count]);
                FloatVector x0 = FloatVector.fromArray(SPECIES, rows, p);
                s0 = FUSED ? y.fma(x0, s0) : y.mul(x0).add(s0);
                FloatVector x1 = FloatVector.fromArray(SPECIES, rows, p + V);
                s1 = FUSED ? y.fma(x1, s1) : y.mul(x1).add(s1);
                FloatVector x2 = FloatVector.fromArray(SPECIES, rows, p + 2 * V);
                s2 = FUSED ? y.fma(x2, s2) : y.mul(x2).add(s2);
                FloatVector x3 = FloatVector.fromArray(SPECIES, rows, p + 3 * V);
                s3 = FUSED ? y.fma(x3, s3) : y.mul(x3).add(s3);
            }
        }
        s0.intoArray(sums, to);
        s1.intoArray(sums, to + V);
        s2.intoArray(sums, to + 2 * V);
        s3.intoArray(sums, to + 3 * V);
    }

    @Override
    default void addEightOfRuns(
            float[] weights,
            int w0,
            int w1,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int to0,
            int to1) {
        FloatVector s00 = FloatVector.fromArray(SPECIES, sums, to0);
        FloatVector s01 = FloatVector.fromArray(SPECIES, sums, to0 + V);
        FloatVector s02 = FloatVector.fromArray(SPECIES, sums, to0 + 2 * V);
        FloatVector s03 = FloatVector.fromArray(SPECIES, sums, to0 + 3 * V);
        FloatVector s04 = FloatVector.fromArray(SPECIES, sums, to0 + 4 * V);
        FloatVector s05 = FloatVector.fromArray(SPECIES, sums, to0 + 5 * V);
        FloatVector s06 = FloatVector.fromArray(SPECIES, sums, to0 + 6 * V);
        FloatVector s07 = FloatVector.fromArray(SPECIES, sums, to0 + 7 * V);
        FloatVector s10 = FloatVector.fromArray(SPECIES, sums, to1);
        FloatVector s11 = FloatVector.fromArray(SPECIES, sums, to1 + V);
        FloatVector s12 = FloatVector.fromArray(SPECIES, sums, to1 + 2 * V);
        FloatVector s13 = FloatVector.fromArray(SPECIES, sums, to1 + 3 * V);
        FloatVector s14 = FloatVector.fromArray(SPECIES, sums, to1 + 4 * V);
        FloatVector s15 = FloatVector.fromArray(SPECIES, sums, to1 + 5 * V);
        FloatVector s16 = FloatVector.fromArray(SPECIES, sums, to1 + 6 * V);
        FloatVector s17 = FloatVector.fromArray(SPECIES, sums, to1 + 7 * V);
        for (int j = 0; j < count; j++) {
            for (int run = 0; run < 4; run++) {
                int p = rowsOffset + j * step + run * runStride;
                FloatVector y0 = FloatVector.broadcast(SPECIES, weights[w0 + j + run * count]);
                FloatVector y1 = FloatVector.broadcast(SPECIES, weights[w1 + j + run * count]);
                FloatVector x0 = FloatVector.fromArray(SPECIES, rows, p);
                s00 = FUSED ? y0.fma(x0, s00) : y0.mul(x0).add(s00);
                s10 = FUSED ? y1.fma(x0, s10) : y1.mul(x0).add(s10);
                FloatVector x1 = FloatVector.fromArray(SPECIES, rows, p + V);
                s01 = FUSED ? y0.fma(x1, s01) : y0.mul(x1).add(s01);
                s11 = FUSED ? y1.fma(x1, s11) : y1.mul(x1).add(s11);
                FloatVector x2 = FloatVector.fromArray(SPECIES, rows, p + 2 * V);
                s02 = FUSED ? y0.fma(x2, s02) : y0.mul(x2).add(s02);
                s12 = FUSED ? y1.fma(x2, s12) : y1.mul(x2).add(s12);
                FloatVector x3 = FloatVector.fromArray(SPECIES, rows, p + 3 * V);
                s03 = FUSED ? y0.fma(x3, s03) : y0.mul(x3).add(s03);
                s13 = FUSED ? y1.fma(x3, s13) : y1.mul(x3).add(s13);
                FloatVector x4 = FloatVector.fromArray(SPECIES, rows, p + 4 * V);
                s04 = FUSED ? y0.fma(x4, s04) : y0.mul(x4).add(s04);
                s14 = FUSED ? y1.fma(x4, s14) : y1.mul(x4).add(s14);
                FloatVector x5 = FloatVector.fromArray(SPECIES, rows, p + 5 * V);
                s05 = FUSED ? y0.fma(x5, s05) : y0.mul(x5).add(s05);
                s15 = FUSED ? y1.fma(x5, s15) : y1.mul(x5).add(s15);
                FloatVector x6 = FloatVector.fromArray(SPECIES, rows, p + 6 * V);
                s06 = FUSED ? y0.fma(x6, s06) : y0.mul(x6).add(s06);
                s16 = FUSED ? y1.fma(x6, s16) : y1.mul(x6).add(s16);
                FloatVector x7 = FloatVector.fromArray(SPECIES, rows, p + 7 * V);
                s07 = FUSED ? y0.fma(x7, s07) : y0.mul(x7).add(s07);
                s17 = FUSED ? y1.fma(x7, s17) : y1.mul(x7).add(s17);
            }
        }
        s00.intoArray(sums, to0);
        s01.intoArray(sums, to0 + V);
        s02.intoArray(sums, to0 + 2 * V);
        s03.intoArray(sums, to0 + 3 * V);
        s04.intoArray(sums, to0 + 4 * V);
        s05.intoArray(sums, to0 + 5 * V);
        s06.intoArray(sums, to0 + 6 * V);
        s07.intoArray(sums, to0 + 7 * V);
        s10.intoArray(sums, to1);
        s11.intoArray(sums, to1 + V);
        s12.intoArray(sums, to1 + 2 * V);
        s13.intoArray(sums, to1 + 3 * V);
        s14.intoArray(sums, to1 + 4 * V);
        s15.intoArray(sums, to1 + 5 * V);
        s16.intoArray(sums, to1 + 6 * V);
        s17.intoArray(sums, to1 + 7 * V);
    }
}
