package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.V;
import static dev.heed.backend.vector.Species.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Turns square blocks of V rows by V columns: for each bit, rows whose numbers differ in this bit exchange the lanes whose
 * numbers differ in it, so that in the end every bit of the row has changed places with that of the lane.
 */
final class Transpose {
    private static final VectorShuffle<Float> SWAP_1 = swap(1);
    private static final VectorShuffle<Float> SWAP_2 = swap(2);
    private static final VectorShuffle<Float> SWAP_4 = swap(4);
    private static final VectorShuffle<Float> SWAP_8 = swap(8);
    private static final VectorMask<Float> WITH_1 = lanesWith(1);
    private static final VectorMask<Float> WITH_2 = lanesWith(2);
    private static final VectorMask<Float> WITH_4 = lanesWith(4);
    private static final VectorMask<Float> WITH_8 = lanesWith(8);

    private Transpose() {}

    /** Whether blocks of this machine's vectors can be turned. */
    static boolean works() {
        return V == 4 || V == 8 || V == 16;
    }

    /** Exchanges the lanes whose numbers differ in one bit. */
    static VectorShuffle<Float> swap(int bit) {
        return VectorShuffle.fromOp(SPECIES, i -> (i ^ bit) % V);
    }

    static VectorMask<Float> lanesWith(int bit) {
        boolean[] lanes = new boolean[V];
        for (int i = 0; i < V; i++) {
            lanes[i] = (i & bit) != 0;
        }
        return VectorMask.fromArray(SPECIES, lanes, 0);
    }

    /**
     * Turns the block whose rows lie {@code step} apart to rows {@code toStep} apart, each element of a column times the
     * factor of its column; a factor of 0 makes 0 of anything.
     *
     * @param factors V factors
     * @param buffer room for the block
     */
    static void block(
            float[] from,
            int at,
            int step,
            float[] factors,
            int factorsAt,
            float[] to,
            int toAt,
            int toStep,
            float[] buffer) {
        FloatVector factor = FloatVector.fromArray(SPECIES, factors, factorsAt);
        VectorMask<Float> none = factor.compare(VectorOperators.EQ, 0f);
        for (int i = 0, p = 0; i < V; i += 2, p += 2 * V) {
            FloatVector x = FloatVector.fromArray(SPECIES, from, at + i * step)
                    .mul(factor)
                    .blend(0f, none);
            FloatVector y = FloatVector.fromArray(SPECIES, from, at + (i + 1) * step)
                    .mul(factor)
                    .blend(0f, none);
            x.blend(y.rearrange(SWAP_1), WITH_1).intoArray(buffer, p);
            x.rearrange(SWAP_1).blend(y, WITH_1).intoArray(buffer, p + V);
        }
        if (V == 4) {
            exchange(buffer, 0, V, 2, SWAP_2, WITH_2, to, toAt, toStep);
        } else if (V == 8) {
            exchange(buffer, 0, V, 2, SWAP_2, WITH_2, buffer, 0, V);
            exchange(buffer, 0, V, 4, SWAP_4, WITH_4, to, toAt, toStep);
        } else {
            exchange(buffer, 0, V, 2, SWAP_2, WITH_2, buffer, 0, V);
            exchange(buffer, 0, V, 4, SWAP_4, WITH_4, buffer, 0, V);
            exchange(buffer, 0, V, 8, SWAP_8, WITH_8, to, toAt, toStep);
        }
    }

    private static void exchange(
            float[] from,
            int at,
            int step,
            int bit,
            VectorShuffle<Float> swap,
            VectorMask<Float> with,
            float[] to,
            int toAt,
            int toStep) {
        for (int n = 0; n < V / 2; n++) {
            int i = (n / bit) * 2 * bit + n % bit;
            FloatVector x = FloatVector.fromArray(SPECIES, from, at + i * step);
            FloatVector y = FloatVector.fromArray(SPECIES, from, at + (i + bit) * step);
            x.blend(y.rearrange(swap), with).intoArray(to, toAt + i * toStep);
            x.rearrange(swap).blend(y, with).intoArray(to, toAt + (i + bit) * toStep);
        }
    }
}
