package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;
import static dev.heed.backend.vector.kernels.Species.fma;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** The vector loops that modify tiles of scores (see {@code ScoreModifier}). */
interface ScoreTile extends Kernels {
    float LOG2E = (float) (1 / Math.log(2));

    @Override
    default void scale(float[] tile, int at, int keys, float scale) {
        for (int p = at; p < at + keys * PANEL; p += V) {
            FloatVector.fromArray(SPECIES, tile, p).mul(scale).intoArray(tile, p);
        }
    }

    @Override
    default void softcap(float[] scores, int at, int count, float cap) {
        int whole = SPECIES.loopBound(count);
        for (int p = at; p < at + whole; p += V) {
            tanh(FloatVector.fromArray(SPECIES, scores, p).div(cap)).mul(cap).intoArray(scores, p);
        }
        if (whole < count) {
            VectorMask<Float> there = SPECIES.indexInRange(whole, count);
            FloatVector s = FloatVector.fromArray(SPECIES, scores, at + whole, there);
            tanh(s.div(cap)).mul(cap).intoArray(scores, at + whole, there);
        }
    }

    @Override
    default void subtractDistances(float slope, float[] tile, int at, float first, int keys) {
        for (int v = 0; v < PANEL; v += V) {
            FloatVector lane = FloatVector.broadcast(SPECIES, 0f).addIndex(1);
            for (int j = 0; j < keys; j++) {
                FloatVector distance = lane.add(first - j + v).abs();
                int p = at + j * PANEL + v;
                FloatVector.fromArray(SPECIES, tile, p).sub(distance.mul(slope)).intoArray(tile, p);
            }
        }
    }

    @Override
    default void multiplyDerivatives(float[] gradients, int at, float[] capped, int keys, float inverse) {
        for (int p = 0; p < keys * PANEL; p += V) {
            FloatVector t = FloatVector.fromArray(SPECIES, capped, p).mul(inverse);
            FloatVector derivative = t.mul(t).neg().add(1f);
            FloatVector.fromArray(SPECIES, gradients, at + p).mul(derivative).intoArray(gradients, at + p);
        }
    }

    /**
     * {@return the hyperbolic tangent, within 2 ulp} If {@code |x| < 0.625}, it is computed as an odd polynomial of
     * degree 11, else as {@code 1 - 2 / (e^(2|x|) + 1)} with the sign of x (coefficients: Moshier, Cephes tanhf).
     */
    public static FloatVector tanh(FloatVector x) {
        FloatVector size = x.abs();
        FloatVector z = x.mul(x);
        FloatVector small = z.mul(-5.70498872745e-3f).add(2.06390887954e-2f);
        small = fma(small, z, FloatVector.broadcast(SPECIES, -5.37397155531e-2f));
        small = fma(small, z, FloatVector.broadcast(SPECIES, 1.33314422036e-1f));
        small = fma(small, z, FloatVector.broadcast(SPECIES, -3.33332819422e-1f));
        small = fma(small.mul(z), x, x);
        FloatVector capped = size.blend(20f, size.compare(VectorOperators.GT, 20f)); // above 20, tanh is 1 in f32
        FloatVector e = SoftmaxTile.exp2(capped.mul(2 * LOG2E)).add(1f);
        FloatVector large = FloatVector.broadcast(SPECIES, 1f)
                .sub(FloatVector.broadcast(SPECIES, 2f).div(e));
        VectorMask<Float> negative = x.compare(VectorOperators.LT, 0f);
        large = large.blend(large.neg(), negative);
        return large.blend(small, size.compare(VectorOperators.LT, 0.625f));
    }
}
