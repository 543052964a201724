package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;
import static dev.heed.backend.vector.kernels.Species.fma;

import jdk.incubator.vector.FloatVector;

/**
 * The loops of {@link DotRow} for two queries with the same keys: each key and value is loaded once for both. The bits
 * are the same as with {@link DotRow}.
 */
interface DotPair extends Kernels {
    @Override
    default void scoresOfRuns(
            float[] queries,
            int q,
            int r,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int runStride,
            int count,
            float[] scores,
            int qTo,
            int rTo,
            float[] lanes) {
        for (int j = 0; j < count; j++) {
            four(queries, q, r, width, keys, keysOffset + j * step, runStride, scores, qTo + j, rTo + j, count, lanes);
        }
    }

    private static void four(
            float[] queries,
            int q,
            int r,
            int width,
            float[] keys,
            int at,
            int stride,
            float[] scores,
            int qTo,
            int rTo,
            int count,
            float[] lanes) {
        FloatVector q0 = FloatVector.zero(SPECIES);
        FloatVector q1 = FloatVector.zero(SPECIES);
        FloatVector q2 = FloatVector.zero(SPECIES);
        FloatVector q3 = FloatVector.zero(SPECIES);
        FloatVector r0 = FloatVector.zero(SPECIES);
        FloatVector r1 = FloatVector.zero(SPECIES);
        FloatVector r2 = FloatVector.zero(SPECIES);
        FloatVector r3 = FloatVector.zero(SPECIES);
        int whole = SPECIES.loopBound(width);
        for (int d = 0; d < whole; d += V) {
            FloatVector x = FloatVector.fromArray(SPECIES, queries, q + d);
            FloatVector y = FloatVector.fromArray(SPECIES, queries, r + d);
            FloatVector k0 = FloatVector.fromArray(SPECIES, keys, at + d);
            FloatVector k1 = FloatVector.fromArray(SPECIES, keys, at + stride + d);
            FloatVector k2 = FloatVector.fromArray(SPECIES, keys, at + 2 * stride + d);
            FloatVector k3 = FloatVector.fromArray(SPECIES, keys, at + 3 * stride + d);
            q0 = fma(x, k0, q0);
            q1 = fma(x, k1, q1);
            q2 = fma(x, k2, q2);
            q3 = fma(x, k3, q3);
            r0 = fma(y, k0, r0);
            r1 = fma(y, k1, r1);
            r2 = fma(y, k2, r2);
            r3 = fma(y, k3, r3);
        }
        q0.intoArray(lanes, 0);
        q1.intoArray(lanes, V);
        q2.intoArray(lanes, 2 * V);
        q3.intoArray(lanes, 3 * V);
        r0.intoArray(lanes, 4 * V);
        r1.intoArray(lanes, 5 * V);
        r2.intoArray(lanes, 6 * V);
        r3.intoArray(lanes, 7 * V);
        DotRow.sumFour(lanes, 0, scores, qTo, count);
        DotRow.sumFour(lanes, 4 * V, scores, rTo, count);
        for (int n = 0; whole < width && n < 4; n++) {
            scores[qTo + n * count] += DotRow.rest(queries, q, keys, at + n * stride, whole, width);
            scores[rTo + n * count] += DotRow.rest(queries, r, keys, at + n * stride, whole, width);
        }
    }

    @Override
    default void addEightOfRuns(
            float[] weights,
            int q,
            int r,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int qTo,
            int rTo) {
        FloatVector q0 = FloatVector.fromArray(SPECIES, sums, qTo);
        FloatVector q1 = FloatVector.fromArray(SPECIES, sums, qTo + V);
        FloatVector q2 = FloatVector.fromArray(SPECIES, sums, qTo + 2 * V);
        FloatVector q3 = FloatVector.fromArray(SPECIES, sums, qTo + 3 * V);
        FloatVector q4 = FloatVector.fromArray(SPECIES, sums, qTo + 4 * V);
        FloatVector q5 = FloatVector.fromArray(SPECIES, sums, qTo + 5 * V);
        FloatVector q6 = FloatVector.fromArray(SPECIES, sums, qTo + 6 * V);
        FloatVector q7 = FloatVector.fromArray(SPECIES, sums, qTo + 7 * V);
        FloatVector r0 = FloatVector.fromArray(SPECIES, sums, rTo);
        FloatVector r1 = FloatVector.fromArray(SPECIES, sums, rTo + V);
        FloatVector r2 = FloatVector.fromArray(SPECIES, sums, rTo + 2 * V);
        FloatVector r3 = FloatVector.fromArray(SPECIES, sums, rTo + 3 * V);
        FloatVector r4 = FloatVector.fromArray(SPECIES, sums, rTo + 4 * V);
        FloatVector r5 = FloatVector.fromArray(SPECIES, sums, rTo + 5 * V);
        FloatVector r6 = FloatVector.fromArray(SPECIES, sums, rTo + 6 * V);
        FloatVector r7 = FloatVector.fromArray(SPECIES, sums, rTo + 7 * V);
        for (int j = 0; j < count; j++) {
            for (int run = 0; run < 4; run++) {
                int p = rowsOffset + j * step + run * runStride;
                FloatVector wq = FloatVector.broadcast(SPECIES, weights[q + j + run * count]);
                FloatVector wr = FloatVector.broadcast(SPECIES, weights[r + j + run * count]);
                FloatVector x0 = FloatVector.fromArray(SPECIES, rows, p);
                q0 = fma(wq, x0, q0);
                r0 = fma(wr, x0, r0);
                FloatVector x1 = FloatVector.fromArray(SPECIES, rows, p + V);
                q1 = fma(wq, x1, q1);
                r1 = fma(wr, x1, r1);
                FloatVector x2 = FloatVector.fromArray(SPECIES, rows, p + 2 * V);
                q2 = fma(wq, x2, q2);
                r2 = fma(wr, x2, r2);
                FloatVector x3 = FloatVector.fromArray(SPECIES, rows, p + 3 * V);
                q3 = fma(wq, x3, q3);
                r3 = fma(wr, x3, r3);
                FloatVector x4 = FloatVector.fromArray(SPECIES, rows, p + 4 * V);
                q4 = fma(wq, x4, q4);
                r4 = fma(wr, x4, r4);
                FloatVector x5 = FloatVector.fromArray(SPECIES, rows, p + 5 * V);
                q5 = fma(wq, x5, q5);
                r5 = fma(wr, x5, r5);
                FloatVector x6 = FloatVector.fromArray(SPECIES, rows, p + 6 * V);
                q6 = fma(wq, x6, q6);
                r6 = fma(wr, x6, r6);
                FloatVector x7 = FloatVector.fromArray(SPECIES, rows, p + 7 * V);
                q7 = fma(wq, x7, q7);
                r7 = fma(wr, x7, r7);
            }
        }
        q0.intoArray(sums, qTo);
        q1.intoArray(sums, qTo + V);
        q2.intoArray(sums, qTo + 2 * V);
        q3.intoArray(sums, qTo + 3 * V);
        q4.intoArray(sums, qTo + 4 * V);
        q5.intoArray(sums, qTo + 5 * V);
        q6.intoArray(sums, qTo + 6 * V);
        q7.intoArray(sums, qTo + 7 * V);
        r0.intoArray(sums, rTo);
        r1.intoArray(sums, rTo + V);
        r2.intoArray(sums, rTo + 2 * V);
        r3.intoArray(sums, rTo + 3 * V);
        r4.intoArray(sums, rTo + 4 * V);
        r5.intoArray(sums, rTo + 5 * V);
        r6.intoArray(sums, rTo + 6 * V);
        r7.intoArray(sums, rTo + 7 * V);
    }
}
