package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;
import static dev.heed.backend.vector.kernels.Species.fma;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The vector loops of {@code Prefill} over values and their weighted sums. */
interface PanelTile extends Kernels {
    @Override
    default void rescale(float[] sums, int width, float[] statistics) {
        for (int v = 0; v < PANEL; v += V) {
            FloatVector factor = FloatVector.fromArray(SPECIES, statistics, 2 * PANEL + v);
            for (int d = 0, p = v; d < width; d++, p += PANEL) {
                FloatVector.fromArray(SPECIES, sums, p).mul(factor).intoArray(sums, p);
            }
        }
    }

    @Override
    default boolean finite(float[] values, int from, int step, int keys, int width) {
        FloatVector nonFinite = FloatVector.zero(SPECIES);
        float spoiledTail = 0;
        int whole = SPECIES.loopBound(width);
        for (int j = 0; j < keys; j++) {
            int row = from + j * step;
            for (int d = 0; d < whole; d += V) {
                nonFinite =
                        FloatVector.fromArray(SPECIES, values, row + d).mul(0f).add(nonFinite);
            }
            for (int d = whole; d < width; d++) {
                spoiledTail += values[row + d] * 0f;
            }
        }
        return spoiledTail == 0 && nonFinite.compare(VectorOperators.EQ, 0f).allTrue();
    }

    @Override
    default void poolAttended(
            float[] values, int from, int step, int keys, int width, float[] tile, int at, float[] sums) {
        for (int j = 0; j < keys; j++) {
            for (int v = 0; v < PANEL; v += V) {
                FloatVector weight = FloatVector.fromArray(SPECIES, tile, at + j * PANEL + v);
                var attended = weight.compare(VectorOperators.NE, 0f);
                for (int d = 0; d < width; d++) {
                    FloatVector sum = FloatVector.fromArray(SPECIES, sums, d * PANEL + v);
                    FloatVector value = FloatVector.broadcast(SPECIES, values[from + j * step + d]);
                    sum.blend(fma(weight, value, sum), attended).intoArray(sums, d * PANEL + v);
                }
            }
        }
    }
}
