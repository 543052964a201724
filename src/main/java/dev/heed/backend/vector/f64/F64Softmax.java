package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Lanes.V;
import static dev.heed.backend.vector.f64.F64Species.LONGS;
import static dev.heed.backend.vector.f64.F64Species.SPECIES;
import static dev.heed.backend.vector.f64.F64Species.fma;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * The softmax of a panel in f64, computed on one tile {@code [key][query]} at a time, with queries in the lanes. Each tile
 * is summed separately, and the sums of the tiles are added.
 */
interface F64Softmax extends F64Kernels {
    long MASKED = Double.doubleToRawLongBits(Double.NEGATIVE_INFINITY);

    /** Whether the loops use vector masks. The JIT would allocate masks of two lanes as objects. */
    boolean MASKS = V > 2;

    /** For arguments below this value, {@code e^x} is 0 in f64. */
    double LOWEST = -746;

    double LOG2E = 0x1.71547652b82fep+0;

    /** The first 32 bits of ln 2: their product with an exponent is exact, fused or not. */
    double LN2 = 0x1.62e42feep-1;

    double LN2_REST = 0x1.a39ef35793c76p-33;
    double SPLIT = 0x1.8p52;
    double LIFT = 0x1p64;
    long LIFT_BITS = Double.doubleToRawLongBits(LIFT);

    /**
     * {@return {@code e^x} for x up to 600, within 1 ulp and exact at 0; NaN for NaN}
     *
     * <p>The argument is split into {@code n ln 2 + r}, with {@code n} an integer and {@code |r| <= ln 2 / 2}. {@code e^r} is
     * approximated by its Taylor series up to {@code r^13 / 13!}, with an error of {@code 5e-18}. The series is multiplied by
     * {@code 2^n} in two factors, because the smallest results are subnormal.
     */
    static DoubleVector exp(DoubleVector argument) {
        DoubleVector x = larger(argument, DoubleVector.broadcast(SPECIES, LOWEST));
        DoubleVector t = fma(x, DoubleVector.broadcast(SPECIES, LOG2E), DoubleVector.broadcast(SPECIES, SPLIT));
        DoubleVector n = t.sub(SPLIT);
        DoubleVector r = fma(n, DoubleVector.broadcast(SPECIES, -LN2), x);
        r = fma(n, DoubleVector.broadcast(SPECIES, -LN2_REST), r);
        LongVector power = ((LongVector) t.reinterpretShape(LONGS, 0))
                .lanewise(VectorOperators.LSHL, 52)
                .add(LIFT_BITS);
        return taylor(r).mul((DoubleVector) power.reinterpretShape(SPECIES, 0)).mul(1 / LIFT);
    }

    /**
     * {@return the Taylor series of {@link #exp}} This is a separate method because the JIT inlines no method of more than
     * 325 bytes of bytecode, and vectors passed to a method that is not inlined become objects.
     */
    private static DoubleVector taylor(DoubleVector r) {
        DoubleVector y = fma(
                r, DoubleVector.broadcast(SPECIES, 1 / 6227020800.0), DoubleVector.broadcast(SPECIES, 1 / 479001600.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 39916800.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 3628800.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 362880.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 40320.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 5040.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 720.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 120.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 24.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 6.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1 / 2.0));
        y = fma(y, r, DoubleVector.broadcast(SPECIES, 1));
        return fma(y, r, DoubleVector.broadcast(SPECIES, 1));
    }

    @Override
    default void raiseMaxima(double[] tile, int at, int keys, int lanes, double[] maxima) {
        for (int v = 0; v < lanes; v += V) {
            DoubleVector max = DoubleVector.fromArray(SPECIES, maxima, v);
            for (int j = 0, p = at + v; j < keys; j++, p += lanes) {
                DoubleVector s = DoubleVector.fromArray(SPECIES, tile, p);
                max = larger(max, s);
            }
            max.intoArray(maxima, v);
        }
    }

    @Override
    default boolean weigh(double[] tile, int at, int keys, int lanes, double[] maxima, double[] sums) {
        LongVector signs = LongVector.zero(LONGS);
        for (int v = 0; v < lanes; v += V) {
            DoubleVector max = DoubleVector.fromArray(SPECIES, maxima, v);
            DoubleVector sum = DoubleVector.zero(SPECIES);
            for (int j = 0, p = at + v; j < keys; j++, p += lanes) {
                DoubleVector s = DoubleVector.fromArray(SPECIES, tile, p);
                DoubleVector y = replace(exp(s.sub(max)), s, MASKED, MASKED_WEIGHT);
                signs = signs.or((LongVector) y.reinterpretShape(LONGS, 0));
                sum = sum.add(y);
                y.intoArray(tile, p);
            }
            sum.add(DoubleVector.fromArray(SPECIES, sums, v)).intoArray(sums, v);
        }
        return signs.reduceLanes(VectorOperators.OR) < 0;
    }

    /** {@return the larger of two values, or either if one is NaN} In {@link #exp}, a NaN argument stays NaN. */
    static DoubleVector larger(DoubleVector x, DoubleVector y) {
        return MASKS ? x.blend(y, y.compare(VectorOperators.GT, x)) : x.max(y);
    }

    /** {@return {@code y}, with {@code other} in the lanes where {@code tested} has exactly the given bits} */
    private static DoubleVector replace(DoubleVector y, DoubleVector tested, long bits, double other) {
        LongVector x = (LongVector) tested.reinterpretShape(LONGS, 0);
        if (MASKS) {
            return y.blend(other, x.compare(VectorOperators.EQ, bits).cast(SPECIES));
        }
        LongVector apart = x.lanewise(VectorOperators.XOR, bits);
        LongVector keep = apart.or(apart.neg()).lanewise(VectorOperators.ASHR, 63); // -1, or 0 where the bits are equal
        LongVector there = LongVector.broadcast(LONGS, Double.doubleToRawLongBits(other));
        return (DoubleVector) ((LongVector) y.reinterpretShape(LONGS, 0))
                .and(keep)
                .or(there.lanewise(VectorOperators.AND_NOT, keep))
                .reinterpretShape(SPECIES, 0);
    }

    @Override
    default void normalise(double[] tile, int at, int keys, int lanes, double[] inverses) {
        for (int v = 0; v < lanes; v += V) {
            DoubleVector inverse = DoubleVector.fromArray(SPECIES, inverses, v);
            for (int j = 0, p = at + v; j < keys; j++, p += lanes) {
                DoubleVector y = DoubleVector.fromArray(SPECIES, tile, p);
                replace(y.mul(inverse), y, MASKED_WEIGHT_BITS, MASKED_WEIGHT).intoArray(tile, p);
            }
        }
    }

    @Override
    default void addWeighted(double[] weights, double[] gradients, int at, int keys, int lanes, double[] deltas) {
        for (int v = 0; v < lanes; v += V) {
            DoubleVector sum = DoubleVector.zero(SPECIES);
            for (int j = 0, p = at + v; j < keys; j++, p += lanes) {
                DoubleVector weight = DoubleVector.fromArray(SPECIES, weights, p);
                DoubleVector product = weight.mul(DoubleVector.fromArray(SPECIES, gradients, p));
                sum = sum.add(replace(product, weight, MASKED_WEIGHT_BITS, 0));
            }
            sum.add(DoubleVector.fromArray(SPECIES, deltas, v)).intoArray(deltas, v);
        }
    }

    @Override
    default void scoreGradients(
            double[] weights, double[] gradients, int at, int keys, int lanes, double[] deltas, double[] lseGradients) {
        for (int v = 0; v < lanes; v += V) {
            DoubleVector less = DoubleVector.fromArray(SPECIES, deltas, v);
            DoubleVector more = DoubleVector.fromArray(SPECIES, lseGradients, v);
            for (int j = 0, p = at + v; j < keys; j++, p += lanes) {
                DoubleVector weight = DoubleVector.fromArray(SPECIES, weights, p);
                DoubleVector g = DoubleVector.fromArray(SPECIES, gradients, p)
                        .sub(less)
                        .add(more)
                        .mul(weight);
                replace(g, weight, MASKED_WEIGHT_BITS, MASKED_WEIGHT).intoArray(gradients, p);
            }
        }
    }

    @Override
    default void multiplyDerivatives(
            double[] gradients, double @Nullable [] derivatives, int at, int keys, int lanes, double scale) {
        for (int p = at; p < at + keys * lanes; p += V) {
            DoubleVector g = DoubleVector.fromArray(SPECIES, gradients, p);
            DoubleVector scaled = g.mul(scale);
            if (derivatives != null) {
                scaled = scaled.mul(DoubleVector.fromArray(SPECIES, derivatives, p));
            }
            replace(scaled, g, MASKED_WEIGHT_BITS, MASKED_WEIGHT).intoArray(gradients, p);
        }
    }

    @Override
    default double max(double[] x, int length) {
        DoubleVector max = DoubleVector.broadcast(SPECIES, Double.NEGATIVE_INFINITY);
        for (int i = 0; i < length; i += V) {
            max = larger(max, DoubleVector.fromArray(SPECIES, x, i));
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    @Override
    default double powers(double[] x, int from, int to, double max, boolean keep) {
        DoubleVector sums = DoubleVector.zero(SPECIES);
        for (int i = from; i < to; i += V) {
            DoubleVector y = exp(DoubleVector.fromArray(SPECIES, x, i).sub(max));
            sums = sums.add(y);
            if (keep) {
                y.intoArray(x, i);
            }
        }
        double sum = 0;
        for (double lane : sums.toArray()) {
            sum += lane;
        }
        return sum;
    }
}
