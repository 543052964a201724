package dev.heed.backend.vector.kernels;

import dev.heed.machine.Machine;
import dev.heed.settings.Settings;

/** The sizes of vectors, panels and tiles, for vector code or plain loops. The JIT treats them as constants. */
public final class Lanes {
    /** Whether the loops are plain Java, because the Vector API cannot be used or {@code heed.scalar} forces plain loops. */
    public static final boolean SCALAR =
            Settings.SCALAR.or(false) || !Machine.current().vectorReasons().isEmpty();

    /**
     * Whether {@code a * b + c} has one rounding. It has two if the JVM has no instruction for fused multiply-add, because the JDK would
     * compute each one in decimal arithmetic.
     */
    public static final boolean FUSED = Machine.slowReason().isEmpty();

    /** Name of the backend that these loops belong to. */
    public static final String BACKEND = SCALAR ? "scalar" : "vector";

    /** Floats per vector; 16 for plain loops. */
    public static final int V = SCALAR ? 16 : Species.SPECIES.length();

    /**
     * Columns per panel. A panel is a block of columns, four vectors wide like a block of {@link MicroKernel}. In
     * attention a column is a query.
     */
    public static final int PANEL = 4 * V;

    /**
     * Keys per tile, except that prefill may use longer tiles (see {@link Tiles}). A tile is a block of consecutive keys; its
     * scores for one panel and the accumulators fit in the first-level cache.
     */
    public static final int TILE = 64;

    /**
     * Floats of scratch memory for the softmax of a row: one vector of sums, one vector of maxima, and two vectors for the
     * tail of each of two rows.
     */
    public static final int ROW_ROOM = 6 * V;

    private Lanes() {}

    /** {@return {@code a * b + c}, with the roundings of {@link #FUSED}} */
    public static float fma(float a, float b, float c) {
        return FUSED ? Math.fma(a, b, c) : a * b + c;
    }

    /** {@return {@code a * b + c}, with the roundings of {@link #FUSED}} */
    public static double fma(double a, double b, double c) {
        return FUSED ? Math.fma(a, b, c) : a * b + c;
    }

    /** {@return the number of panels that contain {@code columns} columns} */
    public static int panels(long columns) {
        return Math.toIntExact((columns + PANEL - 1) / PANEL);
    }
}
