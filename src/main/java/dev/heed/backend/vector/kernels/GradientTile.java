package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;
import static dev.heed.backend.vector.kernels.Species.fma;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The vector loops over tiles in the backward pass ({@code Backward}). */
interface GradientTile extends Kernels {
    @Override
    default void addWeighted(float[] weights, float[] gradients, int at, int keys, float[] deltas) {
        for (int v = 0; v < PANEL; v += V) {
            FloatVector sum = FloatVector.fromArray(SPECIES, deltas, v);
            for (int j = 0, p = at + v; j < keys; j++, p += PANEL) {
                FloatVector weight = FloatVector.fromArray(SPECIES, weights, p);
                FloatVector more = fma(weight, FloatVector.fromArray(SPECIES, gradients, p), sum);
                sum = more.blend(sum, weight.compare(VectorOperators.EQ, 0f));
            }
            sum.intoArray(deltas, v);
        }
    }

    @Override
    default void normalise(float[] weights, int at, int keys, float[] statistics) {
        for (int v = 0; v < PANEL; v += V) {
            FloatVector inverse = FloatVector.fromArray(SPECIES, statistics, 3 * PANEL + v);
            for (int j = 0, p = at + v; j < keys; j++, p += PANEL) {
                FloatVector weight = FloatVector.fromArray(SPECIES, weights, p);
                weight.mul(inverse)
                        .blend(0f, weight.compare(VectorOperators.EQ, 0f))
                        .intoArray(weights, p);
            }
        }
    }

    @Override
    default void scoreGradients(
            float[] weights, float[] gradients, int at, float[] deltas, float[] statistics, int keys) {
        for (int v = 0; v < PANEL; v += V) {
            FloatVector less = FloatVector.fromArray(SPECIES, deltas, v);
            FloatVector more = FloatVector.fromArray(SPECIES, statistics, 2 * PANEL + v);
            for (int j = 0, p = at + v; j < keys; j++, p += PANEL) {
                FloatVector weight = FloatVector.fromArray(SPECIES, weights, p);
                FloatVector g = FloatVector.fromArray(SPECIES, gradients, p)
                        .sub(less)
                        .add(more)
                        .mul(weight);
                g.blend(0f, weight.compare(VectorOperators.EQ, 0f)).intoArray(gradients, p);
            }
        }
    }

    @Override
    default void clearMasked(float[] weights, float[] gradients, int at, int keys) {
        for (int p = at; p < at + keys * PANEL; p += V) {
            FloatVector weight = FloatVector.fromArray(SPECIES, weights, p);
            FloatVector g = FloatVector.fromArray(SPECIES, gradients, p);
            g.blend(0f, weight.compare(VectorOperators.EQ, 0f)).intoArray(gradients, p);
        }
    }
}
