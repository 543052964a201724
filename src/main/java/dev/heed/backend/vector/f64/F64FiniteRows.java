package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Lanes.V;
import static dev.heed.backend.vector.f64.F64Species.SPECIES;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;

/** A search for NaN and infinity. */
interface F64FiniteRows extends F64Kernels {
    @Override
    default boolean finite(double[] data, int at, int step, int count, int width) {
        DoubleVector spoiled = DoubleVector.zero(SPECIES);
        double spoiledTail = 0;
        int whole = SPECIES.loopBound(width);
        for (int j = 0; j < count; j++) {
            int row = at + j * step;
            for (int d = 0; d < whole; d += V) {
                spoiled = DoubleVector.fromArray(SPECIES, data, row + d).mul(0).add(spoiled);
            }
            for (int d = whole; d < width; d++) {
                spoiledTail += data[row + d] * 0;
            }
        }
        return spoiledTail + spoiled.reduceLanes(VectorOperators.ADD)
                == 0; // lanes are 0 or NaN, so their order does not matter
    }
}
