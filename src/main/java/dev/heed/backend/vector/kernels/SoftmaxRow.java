package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.FUSED;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.INTS;
import static dev.heed.backend.vector.kernels.Species.SPECIES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * The softmax of one row in three passes: maximum, powers, division by their sum. Only the first pass reads the row from
 * memory; the others find it in the cache if it fits. Each lane keeps its own sum, and the sums of blocks of a long row are
 * added in double, so a sum of a million terms stays accurate.
 */
interface SoftmaxRow extends Kernels {
    float LOG2E = (float) (1 / Math.log(2));
    int BLOCK = 4096;

    /** Offset in {@code lanes} of the tails of two rows, after a vector of sums and a vector of maxima. */
    int REST = 2 * V;

    @Override
    default float softmax(float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes) {
        Arrays.fill(lanes, V, 2 * V, Float.NEGATIVE_INFINITY);
        double sum = 0;
        for (int i = 0; i < length; i += BLOCK) {
            sum += weigh(x, at + i, y, to + i, Math.min(length - i, BLOCK), max, next + i, lanes);
        }
        if (max == Float.NEGATIVE_INFINITY) {
            Arrays.fill(y, to, to + length, 0);
        } else {
            scaleRow(y, to, length, (float) (1 / sum));
        }
        return largest(x, next, length, max(lanes, V, V));
    }

    @Override
    default float logSoftmax(float[] x, int at, float[] y, int to, int length, float max, int next, float[] lanes) {
        Arrays.fill(lanes, V, 2 * V, Float.NEGATIVE_INFINITY);
        double sum = 0;
        for (int i = 0; i < length; i += BLOCK) {
            sum += weigh(x, at + i, null, 0, Math.min(length - i, BLOCK), max, next + i, lanes);
        }
        // before y is written: y may be x, and next may be at
        float following = largest(x, next, length, max(lanes, V, V));
        if (max == Float.NEGATIVE_INFINITY) {
            Arrays.fill(y, to, to + length, max); // log(0)
        } else {
            shift(x, at, y, to, length, max, (float) Math.log(sum));
        }
        return following;
    }

    @Override
    default float maxOfRow(float[] x, int at, int length) {
        return largest(x, at, length, max(x, at, length));
    }

    /** {@return {@code found}, or NaN if it is minus infinity and the row contains a NaN} */
    private static float largest(float[] x, int at, int length, float found) {
        boolean nan = false;
        for (int i = at; found == Float.NEGATIVE_INFINITY && i < at + length; i++) {
            nan |= Float.isNaN(x[i]);
        }
        return nan ? Float.NaN : found;
    }

    /**
     * {@return the sum of {@code e^(x - max)} over a block} Writes the terms to {@code y}, if not null, and raises the
     * maxima in the second vector of {@code lanes} to include the same block of the next row.
     */
    private static double weigh(
            float[] x, int at, float @Nullable [] y, int to, int length, float max, int next, float[] lanes) {
        Arrays.fill(lanes, 0, V, 0);
        int whole = length - length % (2 * V);
        addPowers(x, at, y, to, whole, max, x, next, lanes);
        int rest = length - whole;
        if (rest > 0) { // padded copies, because masks that are not inlined are boxed
            Arrays.fill(lanes, REST, Lanes.ROW_ROOM, Float.NEGATIVE_INFINITY);
            System.arraycopy(x, at + whole, lanes, REST, rest);
            System.arraycopy(x, next + whole, lanes, REST + 2 * V, rest);
            addPowers(lanes, REST, lanes, REST, 2 * V, max, lanes, REST + 2 * V, lanes);
            if (y != null) {
                System.arraycopy(lanes, REST, y, to + whole, rest);
            }
        }
        return DotRow.sum(lanes, 0);
    }

    /**
     * Adds the terms of a block, two vectors at a time. The computation of a power is written out in full, as in
     * {@link SoftmaxTile#weigh}, because the JIT does not inline helper methods here.
     */
    private static void addPowers(
            float[] x,
            int at,
            float @Nullable [] y,
            int to,
            int length,
            float max,
            float[] following,
            int next,
            float[] lanes) {
        FloatVector sum0 = FloatVector.fromArray(SPECIES, lanes, 0);
        FloatVector sum1 = FloatVector.zero(SPECIES);
        FloatVector largest = FloatVector.fromArray(SPECIES, lanes, V);
        for (int i = 0; i < length; i += 2 * V) {
            FloatVector next0 = FloatVector.fromArray(SPECIES, following, next + i);
            FloatVector next1 = FloatVector.fromArray(SPECIES, following, next + i + V);
            largest = largest.blend(next0, next0.compare(VectorOperators.GT, largest));
            largest = largest.blend(next1, next1.compare(VectorOperators.GT, largest));
            FloatVector x0 = FloatVector.fromArray(SPECIES, x, at + i).sub(max).mul(LOG2E);
            FloatVector x1 =
                    FloatVector.fromArray(SPECIES, x, at + i + V).sub(max).mul(LOG2E);
            VectorMask<Float> none0 = x0.compare(VectorOperators.LT, SoftmaxTile.LOWEST);
            VectorMask<Float> none1 = x1.compare(VectorOperators.LT, SoftmaxTile.LOWEST);
            FloatVector t0 = x0.add(SoftmaxTile.SPLIT);
            FloatVector t1 = x1.add(SoftmaxTile.SPLIT);
            FloatVector f0 = x0.sub(t0.sub(SoftmaxTile.SPLIT));
            FloatVector f1 = x1.sub(t1.sub(SoftmaxTile.SPLIT));
            FloatVector y0 = f0.mul(SoftmaxTile.C6).add(SoftmaxTile.C5);
            FloatVector y1 = f1.mul(SoftmaxTile.C6).add(SoftmaxTile.C5);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, SoftmaxTile.C4))
                    : y0.mul(f0).add(SoftmaxTile.C4);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, SoftmaxTile.C4))
                    : y1.mul(f1).add(SoftmaxTile.C4);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, SoftmaxTile.C3))
                    : y0.mul(f0).add(SoftmaxTile.C3);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, SoftmaxTile.C3))
                    : y1.mul(f1).add(SoftmaxTile.C3);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, SoftmaxTile.C2))
                    : y0.mul(f0).add(SoftmaxTile.C2);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, SoftmaxTile.C2))
                    : y1.mul(f1).add(SoftmaxTile.C2);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, SoftmaxTile.C1))
                    : y0.mul(f0).add(SoftmaxTile.C1);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, SoftmaxTile.C1))
                    : y1.mul(f1).add(SoftmaxTile.C1);
            y0 = FUSED
                    ? y0.fma(f0, FloatVector.broadcast(SPECIES, 1f))
                    : y0.mul(f0).add(1f);
            y1 = FUSED
                    ? y1.fma(f1, FloatVector.broadcast(SPECIES, 1f))
                    : y1.mul(f1).add(1f);
            IntVector e0 = ((IntVector) t0.reinterpretShape(INTS, 0)).lanewise(VectorOperators.LSHL, 23);
            IntVector e1 = ((IntVector) t1.reinterpretShape(INTS, 0)).lanewise(VectorOperators.LSHL, 23);
            y0 = ((FloatVector)
                            ((IntVector) y0.reinterpretShape(INTS, 0)).add(e0).reinterpretShape(SPECIES, 0))
                    .blend(0f, none0);
            y1 = ((FloatVector)
                            ((IntVector) y1.reinterpretShape(INTS, 0)).add(e1).reinterpretShape(SPECIES, 0))
                    .blend(0f, none1);
            sum0 = sum0.add(y0);
            sum1 = sum1.add(y1);
            if (y != null) {
                y0.intoArray(y, to + i);
                y1.intoArray(y, to + i + V);
            }
        }
        sum0.add(sum1).intoArray(lanes, 0);
        largest.intoArray(lanes, V);
    }

    /** Computes {@code y = x - max - log}. */
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
