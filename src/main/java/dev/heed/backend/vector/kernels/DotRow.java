package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;
import static dev.heed.backend.vector.kernels.Species.fma;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * The vector loops of decode for one query and many keys and values. Each key and value is read once, without packing, at
 * about the speed of memory.
 */
interface DotRow extends Kernels {
    VectorShuffle<Float> SWAP_HALVES = Transpose.swap(V / 2);
    VectorShuffle<Float> SWAP_QUARTERS = Transpose.swap(V / 4);
    VectorShuffle<Float> SWAP_8 = Transpose.swap(8);
    VectorShuffle<Float> SWAP_4 = Transpose.swap(4);
    VectorShuffle<Float> SWAP_2 = Transpose.swap(2);
    VectorShuffle<Float> SWAP_1 = Transpose.swap(1);
    VectorMask<Float> UPPER_HALF = Transpose.lanesWith(V / 2);
    VectorMask<Float> ODD_QUARTERS = Transpose.lanesWith(V / 4);

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
        int j = 0;
        for (; j + 4 <= count; j += 4) {
            four(q, qOffset, width, keys, keysOffset + j * step, step, scores, at + j, 1, lanes);
        }
        for (; j < count; j++) {
            scores[at + j] = one(q, qOffset, width, keys, keysOffset + j * step, lanes);
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
        for (int j = 0; j < count; j++) {
            four(q, qOffset, width, keys, keysOffset + j * step, runStride, scores, at + j, count, lanes);
        }
    }

    private static void four(
            float[] q,
            int qOffset,
            int width,
            float[] keys,
            int at,
            int stride,
            float[] scores,
            int to,
            int toRowStride,
            float[] lanes) {
        FloatVector s0 = FloatVector.zero(SPECIES);
        FloatVector s1 = FloatVector.zero(SPECIES);
        FloatVector s2 = FloatVector.zero(SPECIES);
        FloatVector s3 = FloatVector.zero(SPECIES);
        int whole = SPECIES.loopBound(width);
        for (int d = 0; d < whole; d += V) {
            FloatVector x = FloatVector.fromArray(SPECIES, q, qOffset + d);
            s0 = fma(x, FloatVector.fromArray(SPECIES, keys, at + d), s0);
            s1 = fma(x, FloatVector.fromArray(SPECIES, keys, at + stride + d), s1);
            s2 = fma(x, FloatVector.fromArray(SPECIES, keys, at + 2 * stride + d), s2);
            s3 = fma(x, FloatVector.fromArray(SPECIES, keys, at + 3 * stride + d), s3);
        }
        s0.intoArray(lanes, 0);
        s1.intoArray(lanes, V);
        s2.intoArray(lanes, 2 * V);
        s3.intoArray(lanes, 3 * V);
        sumFour(lanes, 0, scores, to, toRowStride);
        for (int n = 0; whole < width && n < 4; n++) {
            scores[to + n * toRowStride] += rest(q, qOffset, keys, at + n * stride, whole, width);
        }
    }

    /**
     * {@return the dot product of the last elements, fewer than a vector} The loop is scalar, because masked vectors would
     * make the calling methods so large that the JIT boxes their vectors.
     */
    static float rest(float[] q, int qOffset, float[] keys, int at, int from, int to) {
        float sum = 0;
        for (int d = from; d < to; d++) {
            sum = Lanes.fma(q[qOffset + d], keys[at + d], sum);
        }
        return sum;
    }

    /**
     * Sums the lanes of each of four vectors: each exchange of lanes combines two vectors into one, or halves the number
     * of partial sums in a vector. The vectors are passed in an array, so that the calling method stays small enough for complete
     * inlining.
     */
    static void sumFour(float[] lanes, int at, float[] scores, int to, int toRowStride) {
        FloatVector s0 = FloatVector.fromArray(SPECIES, lanes, at);
        FloatVector s1 = FloatVector.fromArray(SPECIES, lanes, at + V);
        FloatVector s2 = FloatVector.fromArray(SPECIES, lanes, at + 2 * V);
        FloatVector s3 = FloatVector.fromArray(SPECIES, lanes, at + 3 * V);
        FloatVector halves01 = s0.blend(s1.rearrange(SWAP_HALVES), UPPER_HALF)
                .add(s0.rearrange(SWAP_HALVES).blend(s1, UPPER_HALF));
        FloatVector halves23 = s2.blend(s3.rearrange(SWAP_HALVES), UPPER_HALF)
                .add(s2.rearrange(SWAP_HALVES).blend(s3, UPPER_HALF));
        FloatVector quarters = halves01.blend(halves23.rearrange(SWAP_QUARTERS), ODD_QUARTERS)
                .add(halves01.rearrange(SWAP_QUARTERS).blend(halves23, ODD_QUARTERS));
        quarters = V < 64 ? quarters : quarters.add(quarters.rearrange(SWAP_8));
        quarters = V < 32 ? quarters : quarters.add(quarters.rearrange(SWAP_4));
        quarters = V < 16 ? quarters : quarters.add(quarters.rearrange(SWAP_2));
        quarters = V < 8 ? quarters : quarters.add(quarters.rearrange(SWAP_1));
        quarters.intoArray(lanes, at);
        scores[to] = lanes[at];
        scores[to + toRowStride] = lanes[at + V / 2];
        scores[to + 2 * toRowStride] = lanes[at + V / 4];
        scores[to + 3 * toRowStride] = lanes[at + 3 * V / 4];
    }

    /**
     * {@return the sum of one vector's lanes, in a fixed order} {@code reduceLanes} guarantees no order: its results in
     * the interpreter and in compiled code differ in the last bit, and its compiled code is slow.
     */
    static float sum(float[] lanes, int at) {
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        for (int i = at; i < at + V; i += 4) {
            a += lanes[i];
            b += lanes[i + 1];
            c += lanes[i + 2];
            d += lanes[i + 3];
        }
        return (a + b) + (c + d);
    }

    private static float one(float[] q, int qOffset, int width, float[] keys, int at, float[] lanes) {
        FloatVector s = FloatVector.zero(SPECIES);
        int whole = SPECIES.loopBound(width);
        for (int d = 0; d < whole; d += V) {
            s = fma(FloatVector.fromArray(SPECIES, q, qOffset + d), FloatVector.fromArray(SPECIES, keys, at + d), s);
        }
        s.intoArray(lanes, 0);
        return sumLikeFour(lanes) + rest(q, qOffset, keys, at, whole, width);
    }

    /**
     * {@return the sum of one vector's lanes, in the order of {@link #sumFour}} Equal keys have bitwise equal scores, wherever they
     * are among the keys. If they had not, rounding would give scores near 1e4 weights that differ by 0.1 %.
     */
    private static float sumLikeFour(float[] lanes) {
        for (int half = V / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                lanes[i] += lanes[half + i];
            }
        }
        return lanes[0];
    }

    @Override
    default void addEight(
            float[] weights, int at, int count, float[] rows, int rowsOffset, int step, float[] sums, int to) {
        FloatVector s0 = FloatVector.fromArray(SPECIES, sums, to);
        FloatVector s1 = FloatVector.fromArray(SPECIES, sums, to + V);
        FloatVector s2 = FloatVector.fromArray(SPECIES, sums, to + 2 * V);
        FloatVector s3 = FloatVector.fromArray(SPECIES, sums, to + 3 * V);
        FloatVector s4 = FloatVector.fromArray(SPECIES, sums, to + 4 * V);
        FloatVector s5 = FloatVector.fromArray(SPECIES, sums, to + 5 * V);
        FloatVector s6 = FloatVector.fromArray(SPECIES, sums, to + 6 * V);
        FloatVector s7 = FloatVector.fromArray(SPECIES, sums, to + 7 * V);
        for (int j = 0, p = rowsOffset; j < count; j++, p += step) {
            FloatVector w = FloatVector.broadcast(SPECIES, weights[at + j]);
            s0 = fma(w, FloatVector.fromArray(SPECIES, rows, p), s0);
            s1 = fma(w, FloatVector.fromArray(SPECIES, rows, p + V), s1);
            s2 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 2 * V), s2);
            s3 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 3 * V), s3);
            s4 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 4 * V), s4);
            s5 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 5 * V), s5);
            s6 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 6 * V), s6);
            s7 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 7 * V), s7);
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
            int at,
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
                FloatVector w = FloatVector.broadcast(SPECIES, weights[at + j + run * count]);
                s0 = fma(w, FloatVector.fromArray(SPECIES, rows, p), s0);
                s1 = fma(w, FloatVector.fromArray(SPECIES, rows, p + V), s1);
                s2 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 2 * V), s2);
                s3 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 3 * V), s3);
                s4 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 4 * V), s4);
                s5 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 5 * V), s5);
                s6 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 6 * V), s6);
                s7 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 7 * V), s7);
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
            int at,
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
                FloatVector w = FloatVector.broadcast(SPECIES, weights[at + j + run * count]);
                s0 = fma(w, FloatVector.fromArray(SPECIES, rows, p), s0);
                s1 = fma(w, FloatVector.fromArray(SPECIES, rows, p + V), s1);
                s2 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 2 * V), s2);
                s3 = fma(w, FloatVector.fromArray(SPECIES, rows, p + 3 * V), s3);
            }
        }
        s0.intoArray(sums, to);
        s1.intoArray(sums, to + V);
        s2.intoArray(sums, to + 2 * V);
        s3.intoArray(sums, to + 3 * V);
    }

    @Override
    default float max(float[] scores, int at, int count) {
        FloatVector m0 = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector m1 = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector m2 = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector m3 = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        int quarter = SPECIES.loopBound(count / 4);
        for (int j = at; j < at + quarter; j += V) {
            FloatVector s0 = FloatVector.fromArray(SPECIES, scores, j);
            FloatVector s1 = FloatVector.fromArray(SPECIES, scores, j + quarter);
            FloatVector s2 = FloatVector.fromArray(SPECIES, scores, j + 2 * quarter);
            FloatVector s3 = FloatVector.fromArray(SPECIES, scores, j + 3 * quarter);
            m0 = m0.blend(s0, s0.compare(VectorOperators.GT, m0));
            m1 = m1.blend(s1, s1.compare(VectorOperators.GT, m1));
            m2 = m2.blend(s2, s2.compare(VectorOperators.GT, m2));
            m3 = m3.blend(s3, s3.compare(VectorOperators.GT, m3));
        }
        int whole = SPECIES.loopBound(count);
        for (int j = 4 * quarter; j < whole; j += V) {
            FloatVector s = FloatVector.fromArray(SPECIES, scores, at + j);
            m0 = m0.blend(s, s.compare(VectorOperators.GT, m0));
        }
        float largest = m0.max(m1).max(m2.max(m3)).reduceLanes(VectorOperators.MAX);
        for (int j = whole; j < count; j++) {
            largest = scores[at + j] > largest ? scores[at + j] : largest;
        }
        return largest;
    }

    @Override
    default float weighRow(float[] scores, int at, int count, float max, float c, float[] lanes) {
        FloatVector sum = FloatVector.zero(SPECIES);
        int end = Math.ceilDiv(count, V) * V;
        Arrays.fill(scores, at + count, at + end, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < end; j += V) {
            FloatVector s = FloatVector.fromArray(SPECIES, scores, at + j);
            FloatVector y = SoftmaxTile.exp2(s.sub(max).mul(c));
            y = y.blend(0f, s.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
            sum = sum.add(y);
            y.intoArray(scores, at + j);
        }
        sum.intoArray(lanes, 0);
        return sum(lanes, 0);
    }

    @Override
    default void scaleRow(float[] y, int at, int count, float factor) {
        int whole = SPECIES.loopBound(count);
        for (int d = 0; d < whole; d += V) {
            FloatVector.fromArray(SPECIES, y, at + d).mul(factor).intoArray(y, at + d);
        }
        for (int d = whole; d < count; d++) {
            y[at + d] *= factor;
        }
    }
}
