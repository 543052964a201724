package dev.heed.backend.vector.f64;

import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.Species;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/** The vector species of f64. It has the same number of bits as {@link Species} and is a constant for the same reason. */
final class F64Species {
    static final VectorSpecies<Double> SPECIES = VectorSpecies.of(double.class, Species.SPECIES.vectorShape());

    /** Species for the bits of doubles, used like {@link Species#INTS}. */
    static final VectorSpecies<Long> LONGS = VectorSpecies.of(long.class, Species.SPECIES.vectorShape());

    private F64Species() {}

    /**
     * {@return {@code a * b + c}, with the roundings of {@link Lanes#FUSED}} Large loops contain the two cases themselves, because the
     * JIT does not inline this method in them.
     */
    static DoubleVector fma(DoubleVector a, DoubleVector b, DoubleVector c) {
        return Lanes.FUSED ? a.fma(b, c) : a.mul(b).add(c);
    }
}
