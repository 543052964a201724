package dev.heed.backend.vector.kernels;

import dev.heed.settings.Settings;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector species (element type and vector width) of this process. It must be a constant for the JIT, so it is
 * chosen when this class is loaded. {@code heed.vector.bits} forces a width for tests.
 */
public final class Species {
    public static final VectorSpecies<Float> SPECIES = Settings.VECTOR_BITS.or(0) == 0
            ? FloatVector.SPECIES_PREFERRED
            : VectorSpecies.of(float.class, VectorShape.forBitSize(Settings.VECTOR_BITS.or(0)));

    /**
     * Species for the bits of floats, used as {@code x.reinterpretShape(INTS, 0)}. That call is written out at each
     * use, because C2 does not inline a helper method in a large loop. {@code reinterpretAsInts} is not used, because C2
     * of JDK 27 does not inline it, and a call takes 24 cycles per vector.
     */
    static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SPECIES.vectorShape());

    private Species() {}

    /**
     * {@return {@code a * b + c}, with the roundings of {@link Lanes#FUSED}} Large loops contain the two cases themselves, because the
     * JIT does not inline this method in them.
     */
    static FloatVector fma(FloatVector a, FloatVector b, FloatVector c) {
        return Lanes.FUSED ? a.fma(b, c) : a.mul(b).add(c);
    }
}
