package dev.heed.backend.vector.f64;

import dev.heed.backend.vector.kernels.Lanes;

/** The sizes of vectors and panels in f64; vectors have the same number of bits as in {@link Lanes}. */
public final class F64Lanes {
    /** Doubles in one vector. */
    static final int V = Lanes.V / 2;

    /** Maximum queries per panel, and columns per packed panel. */
    static final int PANEL = 4 * V;

    private F64Lanes() {}

    static int panels(long columns) {
        return Math.toIntExact((columns + PANEL - 1) / PANEL);
    }

    /** {@return {@code count} rounded up to whole vectors} */
    public static int lanes(long count) {
        return Math.toIntExact((count + V - 1) / V * V);
    }
}
