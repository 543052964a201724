package dev.heed.backend.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/** The species of f64: as many bits as {@link Species}, a constant for the same reason. */
final class WideSpecies {
    static final VectorSpecies<Double> SPECIES = VectorSpecies.of(double.class, Species.SPECIES.vectorShape());

    static final VectorSpecies<Long> LONGS = VectorSpecies.of(long.class, Species.SPECIES.vectorShape());

    private WideSpecies() {}

    /** {@return the bits of doubles, as {@link Species#ints}} */
    static LongVector longs(DoubleVector x) {
        return (LongVector) x.reinterpretShape(LONGS, 0);
    }

    /** {@return the doubles of bits} */
    static DoubleVector doubles(LongVector bits) {
        return (DoubleVector) bits.reinterpretShape(SPECIES, 0);
    }
}
