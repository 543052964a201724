package dev.heed.backend.vector.f64;

import dev.heed.backend.vector.kernels.Lanes;

/** The widths of f64: vectors of as many bits as {@link Lanes} has. */
public final class F64Lanes {
    /** Doubles in one vector. */
    static final int V = Lanes.V / 2;

    /** The most queries of a panel, and the columns of a packed panel. */
    static final int PANEL = 4 * V;

    private F64Lanes() {}

    static int panels(long columns) {
        return Math.toIntExact((columns + PANEL - 1) / PANEL);
    }

    /** The lanes of as many vectors as hold {@code count} numbers. */
    public static int lanes(long count) {
        return Math.toIntExact((count + V - 1) / V * V);
    }
}
