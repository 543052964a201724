package dev.heed.backend.vector.kernels;

import dev.heed.machine.Machine;
import dev.heed.settings.Settings;

/** The widths of vectors, or of plain loops, that the drivers use. Constants to the JIT. */
public final class Lanes {
    /** Whether the loops are plain Java: where the Vector API is absent, or {@code heed.scalar} asks for it. */
    public static final boolean SCALAR =
            Settings.SCALAR.or(false) || !Machine.current().vectorReasons().isEmpty();

    /** The backend that these loops belong to. */
    public static final String BACKEND = SCALAR ? "scalar" : "vector";

    /** Floats in one vector. */
    public static final int V = SCALAR ? 16 : Species.SPECIES.length();

    /** Columns of a panel: the four vectors that a micro-kernel holds side by side. */
    public static final int PANEL = 4 * V;

    /** Keys of one tile: a tile of scores and the accumulators stay in the first-level cache. */
    public static final int TILE = 64;

    private Lanes() {}

    public static int panels(long columns) {
        return Math.toIntExact((columns + PANEL - 1) / PANEL);
    }
}
