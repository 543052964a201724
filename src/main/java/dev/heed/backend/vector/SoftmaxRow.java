package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.V;
import static dev.heed.backend.vector.Species.SPECIES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * The softmax of one row, in three passes of which only the first finds it outside the cache. Sums are kept in as many parts as a vector has
 * lanes, and long rows in blocks whose sums are added in double, so a million terms lose nothing.
 */
final class SoftmaxRow {
    private static final float LOG2E = (float) (1 / Math.log(2));
    private static final int BLOCK = 4096;

    private SoftmaxRow() {}

    /**
     * {@code y = softmax(x)}; {@code x} and {@code y} may be the same elements.
     *
     * @param max the largest of {@code x}, of {@link #max}
     * @param next another row, read along the way, so that memory delivers it while this one is computed
     * @param lanes room for two vectors
     * @return the largest of {@code next}
     */
    static float softmax(float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes) {
        Arrays.fill(lanes, V, 2 * V, Float.NEGATIVE_INFINITY);
        double sum = 0;
        for (int i = 0; i < length; i += BLOCK) {
            sum += weigh(x, at + i, y, to + i, Math.min(length - i, BLOCK), max, next + i, lanes);
        }
        if (max == Float.NEGATIVE_INFINITY) {
            Arrays.fill(y, to, to + length, 0);
        } else {
            DotRow.scale(y, to, length, (float) (1 / sum));
        }
        return largest(x, next, length, DotRow.max(lanes, V, V));
    }

    /** {@code y = log(softmax(x))}; as {@link #softmax}. */
    static float logSoftmax(float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes) {
        Arrays.fill(lanes, V, 2 * V, Float.NEGATIVE_INFINITY);
        double sum = 0;
        for (int i = 0; i < length; i += BLOCK) {
            sum += weigh(x, at + i, null, 0, Math.min(length - i, BLOCK), max, next + i, lanes);
        }
        float following = largest(x, next, length, DotRow.max(lanes, V, V)); // before y is written: it may be x
        if (max == Float.NEGATIVE_INFINITY) {
            Arrays.fill(y, to, to + length, max); // the logarithms of zeros
        } else {
            shift(x, at, y, to, length, max, (float) Math.log(sum));
        }
        return following;
    }

    /** The largest element; NaN are passed over here and spoil the sum. */
    static float max(float[] x, int at, int length) {
        return largest(x, at, length, DotRow.max(x, at, length));
    }

    /** What was found to be the largest, unless a NaN stands beside nothing but minus infinity. */
    private static float largest(float[] x, int at, int length, float found) {
        boolean nan = false;
        for (int i = at; found == Float.NEGATIVE_INFINITY && i < at + length; i++) {
            nan |= Float.isNaN(x[i]);
        }
        return nan ? Float.NaN : found;
    }

    /**
     * The sum of {@code e^(x - max)} over a block, whose terms go to {@code y} if that is not null; raises the second vector
     * of {@code lanes} to the elements of the next row.
     */
    private static double weigh(
            float[] x, int at, float @Nullable [] y, int to, int length, float max, int next, float[] lanes) {
        FloatVector sum0 = FloatVector.zero(SPECIES);
        FloatVector sum1 = FloatVector.zero(SPECIES);
        FloatVector most = FloatVector.fromArray(SPECIES, lanes, V);
        int whole = length - length % (2 * V);
        for (int i = 0; i < whole; i += 2 * V) {
            FloatVector next0 = FloatVector.fromArray(SPECIES, x, next + i);
            FloatVector next1 = FloatVector.fromArray(SPECIES, x, next + i + V);
            most = most.blend(next0, next0.compare(VectorOperators.GT, most));
            most = most.blend(next1, next1.compare(VectorOperators.GT, most));
            FloatVector y0 = weight(FloatVector.fromArray(SPECIES, x, at + i), max);
            FloatVector y1 = weight(FloatVector.fromArray(SPECIES, x, at + i + V), max);
            sum0 = sum0.add(y0);
            sum1 = sum1.add(y1);
            if (y != null) {
                y0.intoArray(y, to + i);
                y1.intoArray(y, to + i + V);
            }
        }
        for (int i = whole; i < length; i += V) { // padded, not masked: masks become objects where they are not inlined
            FloatVector next0 = padded(x, next + i, length - i, lanes);
            most = most.blend(next0, next0.compare(VectorOperators.GT, most));
            FloatVector y0 = weight(padded(x, at + i, length - i, lanes), max);
            sum0 = sum0.add(y0);
            if (y != null) {
                y0.intoArray(lanes, 0);
                System.arraycopy(lanes, 0, y, to + i, Math.min(V, length - i));
            }
        }
        most.intoArray(lanes, V);
        sum0.add(sum1).intoArray(lanes, 0);
        return DotRow.sum(lanes, 0);
    }

    /** What is left of a row, and minus infinity, by way of the first vector of {@code lanes}. */
    private static FloatVector padded(float[] x, int at, int count, float[] lanes) {
        Arrays.fill(lanes, 0, V, Float.NEGATIVE_INFINITY);
        System.arraycopy(x, at, lanes, 0, Math.min(V, count));
        return FloatVector.fromArray(SPECIES, lanes, 0);
    }

    private static FloatVector weight(FloatVector x, float max) {
        FloatVector power = SoftmaxTile.exp2(x.sub(max).mul(LOG2E));
        return power.blend(0f, x.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
    }

    /** {@code y = x - max - log}. */
    private static void shift(float[] x, int at, float[] y, int to, int length, float max, float log) {
        int whole = SPECIES.loopBound(length);
        for (int i = 0; i < whole; i += V) {
            FloatVector.fromArray(SPECIES, x, at + i).sub(max).sub(log).intoArray(y, to + i);
        }
        for (int i = whole; i < length; i++) {
            y[to + i] = x[at + i] - max - log;
        }
    }
}
