package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.SPECIES;
import static dev.heed.backend.vector.Lanes.V;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * The softmax of one row in place, three passes over memory that is in cache. Sums are kept in as many parts as a vector has
 * lanes, and long rows in blocks whose sums are added in double, so a million terms lose nothing.
 */
final class SoftmaxRow {
    private static final float LOG2E = (float) (1 / Math.log(2));
    private static final int BLOCK = 4096;

    private SoftmaxRow() {}

    static void softmax(float[] x, int length, float[] lanes) {
        float max = max(x, length);
        if (max == Float.NEGATIVE_INFINITY) {
            Arrays.fill(x, 0, length, 0);
            return;
        }
        double sum = 0;
        for (int at = 0; at < length; at += BLOCK) {
            sum += weigh(x, at, Math.min(length, at + BLOCK), max, true, lanes);
        }
        DotRow.scale(x, 0, length, (float) (1 / sum));
    }

    static void logSoftmax(float[] x, int length, float[] lanes) {
        float max = max(x, length);
        if (max == Float.NEGATIVE_INFINITY) {
            return; // the logarithms of zeros are there already
        }
        double sum = 0;
        for (int at = 0; at < length; at += BLOCK) {
            sum += weigh(x, at, Math.min(length, at + BLOCK), max, false, lanes);
        }
        float log = (float) Math.log(sum);
        for (int i = 0; i < length; i++) {
            x[i] = x[i] - max - log;
        }
    }

    /** {@code dx = y (dy - sum(dy y))}, or {@code dy - e^y sum(dy)} for the logarithm, in place of {@code dy}. */
    static void gradient(float[] y, float[] dy, int length, boolean log) {
        double sum = 0;
        boolean empty = log;
        for (int i = 0; i < length; i++) {
            empty &= y[i] == Float.NEGATIVE_INFINITY;
            sum += log ? dy[i] : (double) dy[i] * y[i];
        }
        float total = (float) sum;
        for (int i = 0; i < length; i++) {
            dy[i] = empty ? 0 : log ? dy[i] - (float) Math.exp(y[i]) * total : y[i] * (dy[i] - total);
        }
    }

    /** The largest element; NaN are passed over here and spoil the sum. */
    private static float max(float[] x, int length) {
        float largest = DotRow.max(x, 0, length);
        boolean nan = false;
        for (int i = 0; largest == Float.NEGATIVE_INFINITY && i < length; i++) {
            nan |= Float.isNaN(x[i]);
        }
        return nan ? Float.NaN : largest;
    }

    /** The sum of {@code e^(x - max)} over a block; written back if {@code keep}. */
    private static double weigh(float[] x, int from, int to, float max, boolean keep, float[] lanes) {
        FloatVector sum = FloatVector.zero(SPECIES);
        int whole = from + SPECIES.loopBound(to - from);
        for (int i = from; i < whole; i += V) {
            FloatVector s = FloatVector.fromArray(SPECIES, x, i);
            FloatVector y = SoftmaxTile.exp2(s.sub(max).mul(LOG2E));
            y = y.blend(0f, s.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
            sum = sum.add(y);
            if (keep) {
                y.intoArray(x, i);
            }
        }
        if (whole < to) {
            VectorMask<Float> rest = SPECIES.indexInRange(whole, to);
            FloatVector s = FloatVector.fromArray(SPECIES, x, whole, rest);
            FloatVector y = SoftmaxTile.exp2(s.sub(max).mul(LOG2E));
            y = y.blend(0f, s.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
            sum = sum.add(y, rest);
            if (keep) {
                y.intoArray(x, whole, rest);
            }
        }
        sum.intoArray(lanes, 0);
        return DotRow.sum(lanes, 0);
    }
}
