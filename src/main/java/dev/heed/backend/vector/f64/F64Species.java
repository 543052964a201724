package dev.heed.backend.vector.f64;

import dev.heed.backend.vector.kernels.Species;
import jdk.incubator.vector.VectorSpecies;

/** The species of f64: as many bits as {@link Species}, a constant for the same reason. */
final class F64Species {
    static final VectorSpecies<Double> SPECIES = VectorSpecies.of(double.class, Species.SPECIES.vectorShape());

    /** The bits of doubles, as {@link Species#INTS}. */
    static final VectorSpecies<Long> LONGS = VectorSpecies.of(long.class, Species.SPECIES.vectorShape());

    private F64Species() {}
}
