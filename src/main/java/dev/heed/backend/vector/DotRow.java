package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.SPECIES;
import static dev.heed.backend.vector.Lanes.V;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** One query against many keys, each read once where it lies: as fast as memory delivers them. */
final class DotRow {
    private DotRow() {}

    /** {@code scores[j] = q . k_j} for {@code count} keys, four at a time. */
    static void scores(
            float[] q, int qAt, int width, float[] keys, int keysAt, int step, int count, float[] scores, int at) {
        int j = 0;
        for (; j + 4 <= count; j += 4) {
            four(q, qAt, width, keys, keysAt + j * step, step, scores, at + j);
        }
        for (; j < count; j++) {
            scores[at + j] = one(q, qAt, width, keys, keysAt + j * step);
        }
    }

    private static void four(float[] q, int qAt, int width, float[] keys, int at, int step, float[] scores, int to) {
        FloatVector s0 = FloatVector.zero(SPECIES);
        FloatVector s1 = FloatVector.zero(SPECIES);
        FloatVector s2 = FloatVector.zero(SPECIES);
        FloatVector s3 = FloatVector.zero(SPECIES);
        int whole = SPECIES.loopBound(width);
        for (int d = 0; d < whole; d += V) {
            FloatVector x = FloatVector.fromArray(SPECIES, q, qAt + d);
            s0 = x.fma(FloatVector.fromArray(SPECIES, keys, at + d), s0);
            s1 = x.fma(FloatVector.fromArray(SPECIES, keys, at + step + d), s1);
            s2 = x.fma(FloatVector.fromArray(SPECIES, keys, at + 2 * step + d), s2);
            s3 = x.fma(FloatVector.fromArray(SPECIES, keys, at + 3 * step + d), s3);
        }
        if (whole < width) {
            VectorMask<Float> rest = SPECIES.indexInRange(whole, width);
            FloatVector x = FloatVector.fromArray(SPECIES, q, qAt + whole, rest);
            s0 = x.fma(FloatVector.fromArray(SPECIES, keys, at + whole, rest), s0);
            s1 = x.fma(FloatVector.fromArray(SPECIES, keys, at + step + whole, rest), s1);
            s2 = x.fma(FloatVector.fromArray(SPECIES, keys, at + 2 * step + whole, rest), s2);
            s3 = x.fma(FloatVector.fromArray(SPECIES, keys, at + 3 * step + whole, rest), s3);
        }
        scores[to] = s0.reduceLanes(VectorOperators.ADD);
        scores[to + 1] = s1.reduceLanes(VectorOperators.ADD);
        scores[to + 2] = s2.reduceLanes(VectorOperators.ADD);
        scores[to + 3] = s3.reduceLanes(VectorOperators.ADD);
    }

    private static float one(float[] q, int qAt, int width, float[] keys, int at) {
        FloatVector s = FloatVector.zero(SPECIES);
        int whole = SPECIES.loopBound(width);
        for (int d = 0; d < whole; d += V) {
            s = FloatVector.fromArray(SPECIES, q, qAt + d).fma(FloatVector.fromArray(SPECIES, keys, at + d), s);
        }
        if (whole < width) {
            VectorMask<Float> rest = SPECIES.indexInRange(whole, width);
            s = FloatVector.fromArray(SPECIES, q, qAt + whole, rest)
                    .fma(FloatVector.fromArray(SPECIES, keys, at + whole, rest), s);
        }
        return s.reduceLanes(VectorOperators.ADD);
    }

    /** The largest of some scores; minus infinity if there is none above it. */
    static float max(float[] scores, int at, int count) {
        FloatVector max = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        int whole = SPECIES.loopBound(count);
        for (int j = 0; j < whole; j += V) {
            FloatVector s = FloatVector.fromArray(SPECIES, scores, at + j);
            max = max.blend(s, s.compare(VectorOperators.GT, max));
        }
        float largest = max.reduceLanes(VectorOperators.MAX);
        for (int j = whole; j < count; j++) {
            largest = scores[at + j] > largest ? scores[at + j] : largest;
        }
        return largest;
    }

    /** Turns scores into weights {@code 2^(c (score - max))}, minus infinity into 0, and returns their sum. */
    static float weigh(float[] scores, int at, int count, float max, float c) {
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int j = 0; j < count; j += V) {
            VectorMask<Float> there = SPECIES.indexInRange(j, count);
            FloatVector s = FloatVector.fromArray(SPECIES, scores, at + j, there);
            FloatVector y = SoftmaxTile.exp2(s.sub(max).mul(c));
            y = y.blend(0f, s.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
            sum = sum.add(y, there);
            y.intoArray(scores, at + j, there);
        }
        return sum.reduceLanes(VectorOperators.ADD);
    }

    /** {@code y = y * factor}. */
    static void scale(float[] y, int at, int count, float factor) {
        int whole = SPECIES.loopBound(count);
        for (int d = 0; d < whole; d += V) {
            FloatVector.fromArray(SPECIES, y, at + d).mul(factor).intoArray(y, at + d);
        }
        for (int d = whole; d < count; d++) {
            y[at + d] *= factor;
        }
    }
}
