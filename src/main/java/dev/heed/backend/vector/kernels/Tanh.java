package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.FUSED;
import static dev.heed.backend.vector.kernels.Species.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The hyperbolic tangent as {@code x P(x^2) / Q(x^2)}, one rational function over the whole range. Arguments are
 * clamped to {@code [-LAST, LAST]}; at {@link #LAST} the result is 1. The error is at most 6 ulp, so a result may
 * exceed 1, by at most 2 ulp. {@code -0}, tiny arguments and NaN are returned unchanged.
 *
 * <p>The coefficients are from a weighted least-squares fit with a relative error of 7e-9 on {@code [0, LAST]}, and are
 * rounded to f32.
 */
final class Tanh {
    static final float LAST = 9.02f;
    static final float P1 = 0x1.0bf16ep-3f;
    static final float P2 = 0x1.96b77ep-9f;
    static final float P3 = 0x1.75f08ep-17f;
    static final float P4 = -0x1.5ac248p-26f;
    static final float P5 = 0x1.ce7b40p-35f;
    static final float P6 = -0x1.7bedb8p-44f;
    static final float Q1 = 0x1.db4e08p-2f;
    static final float Q2 = 0x1.914452p-6f;
    static final float Q3 = 0x1.0ad634p-12f;

    private Tanh() {}

    static FloatVector of(FloatVector argument) {
        FloatVector x = argument.blend(LAST, argument.compare(VectorOperators.GT, LAST)); // false for NaN
        x = x.blend(-LAST, x.compare(VectorOperators.LT, -LAST));
        FloatVector z = x.mul(x);
        return numerator(z).mul(x).div(denominator(z));
    }

    /** {@return P} Separate from Q, because the JIT inlines no method of more than 325 bytes of bytecode. */
    private static FloatVector numerator(FloatVector z) {
        FloatVector p = FUSED
                ? z.fma(FloatVector.broadcast(SPECIES, P6), FloatVector.broadcast(SPECIES, P5))
                : z.mul(P6).add(P5);
        p = FUSED ? p.fma(z, FloatVector.broadcast(SPECIES, P4)) : p.mul(z).add(P4);
        p = FUSED ? p.fma(z, FloatVector.broadcast(SPECIES, P3)) : p.mul(z).add(P3);
        p = FUSED ? p.fma(z, FloatVector.broadcast(SPECIES, P2)) : p.mul(z).add(P2);
        p = FUSED ? p.fma(z, FloatVector.broadcast(SPECIES, P1)) : p.mul(z).add(P1);
        return FUSED ? p.fma(z, FloatVector.broadcast(SPECIES, 1f)) : p.mul(z).add(1f);
    }

    private static FloatVector denominator(FloatVector z) {
        FloatVector q = FUSED
                ? z.fma(FloatVector.broadcast(SPECIES, Q3), FloatVector.broadcast(SPECIES, Q2))
                : z.mul(Q3).add(Q2);
        q = FUSED ? q.fma(z, FloatVector.broadcast(SPECIES, Q1)) : q.mul(z).add(Q1);
        return FUSED ? q.fma(z, FloatVector.broadcast(SPECIES, 1f)) : q.mul(z).add(1f);
    }
}
