package dev.heed.backend.vector;

import jdk.incubator.vector.VectorSpecies;

/** The species of f64: as many bits as {@link Species}, a constant for the same reason. */
final class WideSpecies {
    static final VectorSpecies<Double> SPECIES = VectorSpecies.of(double.class, Species.SPECIES.vectorShape());

    private WideSpecies() {}
}
