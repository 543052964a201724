package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.V;

import java.util.Arrays;

/** The loops of {@link DotRow} and {@link SoftmaxRow} over single rows, in plain Java. */
interface ScalarRow extends Kernels {
    float LOG2E = (float) (1 / Math.log(2));
    int BLOCK = 4096;

    @Override
    default void scores(
            float[] q,
            int qOffset,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int count,
            float[] scores,
            int at,
            float[] lanes) {
        for (int j = 0; j < count; j++) {
            scores[at + j] = dot(q, qOffset, keys, keysOffset + j * step, width);
        }
    }

    @Override
    default void scoresOfRuns(
            float[] q,
            int qOffset,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int runStride,
            int count,
            float[] scores,
            int at,
            float[] lanes) {
        for (int run = 0; run < 4; run++) {
            scores(q, qOffset, width, keys, keysOffset + run * runStride, step, count, scores, at + run * count, lanes);
        }
    }

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
        scoresOfRuns(queries, q, width, keys, keysOffset, step, runStride, count, scores, qTo, lanes);
        scoresOfRuns(queries, r, width, keys, keysOffset, step, runStride, count, scores, rTo, lanes);
    }

    /** Computes a dot product in eight independent sums, so that an addition does not wait for the previous one. */
    private static float dot(float[] x, int xAt, float[] y, int yAt, int width) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        float s4 = 0;
        float s5 = 0;
        float s6 = 0;
        float s7 = 0;
        int d = 0;
        for (; d + 8 <= width; d += 8) {
            s0 = Lanes.fma(x[xAt + d], y[yAt + d], s0);
            s1 = Lanes.fma(x[xAt + d + 1], y[yAt + d + 1], s1);
            s2 = Lanes.fma(x[xAt + d + 2], y[yAt + d + 2], s2);
            s3 = Lanes.fma(x[xAt + d + 3], y[yAt + d + 3], s3);
            s4 = Lanes.fma(x[xAt + d + 4], y[yAt + d + 4], s4);
            s5 = Lanes.fma(x[xAt + d + 5], y[yAt + d + 5], s5);
            s6 = Lanes.fma(x[xAt + d + 6], y[yAt + d + 6], s6);
            s7 = Lanes.fma(x[xAt + d + 7], y[yAt + d + 7], s7);
        }
        for (; d < width; d++) {
            s0 = Lanes.fma(x[xAt + d], y[yAt + d], s0);
        }
        return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
    }

    @Override
    default void addEight(
            float[] weights, int at, int count, float[] rows, int rowsOffset, int step, float[] sums, int to) {
        addRows(weights, at, count, rows, rowsOffset, step, 8 * V, sums, to);
    }

    @Override
    default void addEightOfRuns(
            float[] weights,
            int at,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int to) {
        for (int run = 0; run < 4; run++) {
            addRows(weights, at + run * count, count, rows, rowsOffset + run * runStride, step, 8 * V, sums, to);
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
        addEightOfRuns(weights, q, count, rows, rowsOffset, step, runStride, sums, qTo);
        addEightOfRuns(weights, r, count, rows, rowsOffset, step, runStride, sums, rTo);
    }

    @Override
    default void addFourOfRuns(
            float[] weights,
            int at,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int runStride,
            float[] sums,
            int to) {
        for (int run = 0; run < 4; run++) {
            addRows(weights, at + run * count, count, rows, rowsOffset + run * runStride, step, 4 * V, sums, to);
        }
    }

    private static void addRows(
            float[] weights,
            int at,
            int count,
            float[] rows,
            int rowsOffset,
            int step,
            int width,
            float[] sums,
            int to) {
        for (int j = 0, p = rowsOffset; j < count; j++, p += step) {
            float weight = weights[at + j];
            for (int d = 0; d < width; d++) {
                sums[to + d] = Lanes.fma(weight, rows[p + d], sums[to + d]);
            }
        }
    }

    @Override
    default float max(float[] scores, int at, int count) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int j = at; j < at + count; j++) {
            largest = scores[j] > largest ? scores[j] : largest;
        }
        return largest;
    }

    @Override
    default float weighRow(float[] scores, int at, int count, float max, float c, float[] lanes) {
        float sum = 0;
        for (int j = at; j < at + count; j++) {
            float y = ScalarTile.exp2((scores[j] - max) * c);
            scores[j] = scores[j] == Float.NEGATIVE_INFINITY ? 0 : y;
            sum += scores[j];
        }
        return sum;
    }

    @Override
    default void scaleRow(float[] y, int at, int count, float factor) {
        for (int d = at; d < at + count; d++) {
            y[d] *= factor;
        }
    }

    @Override
    default float maxOfRow(float[] x, int at, int length) {
        float largest = max(x, at, length);
        boolean nan = false;
        for (int i = at; largest == Float.NEGATIVE_INFINITY && i < at + length; i++) {
            nan |= Float.isNaN(x[i]);
        }
        return nan ? Float.NaN : largest;
    }

    @Override
    default float softmax(float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes) {
        float following = maxOfRow(x, next, length); // before y is written, because y may be x
        if (max == Float.NEGATIVE_INFINITY) {
            Arrays.fill(y, to, to + length, 0);
            return following;
        }
        double sum = 0;
        for (int from = 0; from < length; from += BLOCK) {
            float blockSum = 0;
            for (int i = from; i < Math.min(length, from + BLOCK); i++) {
                float power = power(x[at + i], max);
                y[to + i] = power;
                blockSum += power;
            }
            sum += blockSum;
        }
        scaleRow(y, to, length, (float) (1 / sum));
        return following;
    }

    @Override
    default float logSoftmax(float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes) {
        float following = maxOfRow(x, next, length); // before y is written, because y may be x
        double sum = 0;
        for (int from = 0; from < length; from += BLOCK) {
            float blockSum = 0;
            for (int i = from; i < Math.min(length, from + BLOCK); i++) {
                blockSum += power(x[at + i], max);
            }
            sum += blockSum;
        }
        float log = (float) Math.log(sum);
        for (int i = 0; i < length; i++) {
            y[to + i] = max == Float.NEGATIVE_INFINITY ? max : x[at + i] - max - log;
        }
        return following;
    }

    private static float power(float x, float max) {
        return x == Float.NEGATIVE_INFINITY ? 0 : ScalarTile.exp2((x - max) * LOG2E);
    }
}
