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
 * The vector loops of decode besides the products of {@link DecodeKernel}: keys that fill no block, sums across the lanes of
 * a vector, and the softmax of a row of scores.
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
        DecodeKernel.scores1x4(q, qOffset, width, keys, keysOffset, 4 * step, step, count / 4, scores, at, 4, 1, lanes);
        for (int j = count / 4 * 4; j < count; j++) {
            scores[at + j] = one(q, qOffset, width, keys, keysOffset + j * step, lanes);
        }
    }

    /**
     * {@return the dot product of the last elements, fewer than a vector} The loop is scalar, because masked vectors would
     * make the calling methods so large that the JIT boxes their vectors.
     */
    private static float rest(float[] q, int qOffset, float[] keys, int at, int from, int to) {
        float sum = 0;
        for (int d = from; d < to; d++) {
            sum = Lanes.fma(q[qOffset + d], keys[at + d], sum);
        }
        return sum;
    }

    /**
     * Adds {@link #rest} to the scores of {@code count} blocks of four keys. It is a loop of its own: if C2 inlined these sums in the
     * loop over the blocks, the scores took up to 1.9 times as long.
     */
    static void addRests(
            float[] q,
            int qOffset,
            int from,
            int width,
            float[] keys,
            int keysOffset,
            int step,
            int stride,
            int count,
            float[] scores,
            int to,
            int toStep,
            int toStride) {
        for (int j = 0; j < count; j++) {
            int at = keysOffset + j * step;
            float s0 = 0;
            float s1 = 0;
            float s2 = 0;
            float s3 = 0;
            for (int d = from; d < width; d++) {
                float x = q[qOffset + d];
                s0 = Lanes.fma(x, keys[at + d], s0);
                s1 = Lanes.fma(x, keys[at + stride + d], s1);
                s2 = Lanes.fma(x, keys[at + 2 * stride + d], s2);
                s3 = Lanes.fma(x, keys[at + 3 * stride + d], s3);
            }
            int there = to + j * toStep;
            scores[there] += s0;
            scores[there + toStride] += s1;
            scores[there + 2 * toStride] += s2;
            scores[there + 3 * toStride] += s3;
        }
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
