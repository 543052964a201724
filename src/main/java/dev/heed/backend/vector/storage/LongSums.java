package dev.heed.backend.vector.storage;

import dev.heed.backend.vector.kernels.ArrayGrowth;
import java.util.Arrays;

/**
 * Totals in f64 of sums that the kernels compute in f32, one block of summands after another. However many blocks there are, the
 * rounding error of a total is about the rounding error of one block (Higham 1993, section 4).
 */
public final class LongSums {
    private double[] totals = new double[0];
    private int length;

    /** Forgets all totals. */
    public void clear() {
        length = 0;
    }

    /** {@return whether a block has been added since the totals were cleared} */
    public boolean inUse() {
        return length > 0;
    }

    /**
     * Adds elements {@code [from, to)} of a block to the totals and clears them in the block.
     *
     * @param length the number of elements of each block
     */
    public void add(float[] block, int from, int to, int length) {
        if (!inUse()) {
            totals = ArrayGrowth.atLeast(totals, length);
            Arrays.fill(totals, 0, length, 0);
            this.length = length;
        }
        for (int n = from; n < to; n++) {
            totals[n] += block[n];
        }
        Arrays.fill(block, from, to, 0);
    }

    /** Multiplies every total {@code n} by {@code factors[n % factors.length]}. */
    public void scale(double[] factors) {
        for (int n = 0; n < length; n++) {
            totals[n] *= factors[n % factors.length];
        }
    }

    /** Adds the totals, if there are any, to the final block. */
    public void addTo(float[] block) {
        for (int n = 0; n < length; n++) {
            block[n] = (float) (totals[n] + block[n]);
        }
    }
}
