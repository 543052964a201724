package dev.heed.backend.vector;

import jdk.incubator.vector.VectorSpecies;

/** The species of f64: as many bits as {@link Lanes}, a constant for the same reason. */
final class WideLanes {
    static final VectorSpecies<Double> SPECIES = VectorSpecies.of(double.class, Lanes.SPECIES.vectorShape());

    /** Doubles in one vector. */
    static final int V = SPECIES.length();

    /** The most queries of a panel, and the columns of a packed panel. */
    static final int PANEL = 4 * V;

    private WideLanes() {}

    static int panels(long columns) {
        return Math.toIntExact((columns + PANEL - 1) / PANEL);
    }

    /** The lanes of as many vectors as hold {@code count} numbers. */
    static int lanes(long count) {
        return Math.toIntExact((count + V - 1) / V * V);
    }
}
