package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.KERNELS;
import static dev.heed.backend.vector.f64.F64Lanes.V;
import static dev.heed.backend.vector.f64.F64Species.SPECIES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import jdk.incubator.vector.DoubleVector;
import org.junit.jupiter.api.Test;

/** Compares exponentials and the softmax in f64 with the standard library. */
class F64SoftmaxTest {
    private static final int MILLION = 1_000_000;

    @Test
    void powersAreWithinOneUnitOfTheLastPlaceOfAnotherOne() {
        Random random = new Random(1);
        for (int n = 0; n < 300_000; n++) {
            double x = n % 3 == 0 ? -random.nextDouble() : random.nextDouble() * -700;
            double right = Math.exp(x); // Math.exp is itself within 1 ulp
            assertEquals(right, exp(x), 2 * Math.ulp(right), () -> "e^" + x);
        }
    }

    @Test
    void powersAtTheEndsOfTheRange() {
        assertEquals(1, exp(0));
        assertEquals(1, exp(-0.0));
        assertEquals(0, exp(-746));
        assertEquals(0, exp(-1e300));
        assertEquals(0, exp(Double.NEGATIVE_INFINITY));
        for (double x = -745; x < -700; x += 0.37) { // down to subnormal results
            assertEquals(Math.exp(x), exp(x), 2 * Math.ulp(Math.exp(x)), "e^" + x);
        }
        assertEquals(Math.exp(600), exp(600), 2 * Math.ulp(Math.exp(600)));
        for (long bits : new long[] {0x7ff8000000000000L, 0x7ff8000000000fffL, 0xfff8000000000001L}) {
            assertTrue(Double.isNaN(exp(Double.longBitsToDouble(bits))), Long.toHexString(bits));
        }
    }

    private static double exp(double x) {
        return F64Softmax.exp(DoubleVector.broadcast(SPECIES, x)).lane(V - 1);
    }

    @Test
    void hiddenWeightsAndVanishingOnesDiffer() {
        double[] tile = new double[3 * V];
        Arrays.fill(tile, V, 2 * V, -2000);
        Arrays.fill(tile, 2 * V, 3 * V, Double.NEGATIVE_INFINITY);
        double[] maxima = new double[V];
        double[] sums = new double[V];
        Arrays.fill(maxima, F64Kernels.NOTHING);
        KERNELS.raiseMaxima(tile, 0, 3, V, maxima);
        assertFalse(KERNELS.weigh(tile.clone(), 0, 2, V, maxima, new double[V]));
        assertTrue(KERNELS.weigh(tile, 0, 3, V, maxima, sums));
        assertEquals(1, tile[0]);
        assertFalse(F64Kernels.masked(tile[V]));
        assertTrue(F64Kernels.masked(tile[2 * V]));
        double[] nan = new double[V];
        Arrays.fill(nan, Double.NaN);
        KERNELS.normalise(tile, 0, 3, V, nan);
        assertTrue(Double.isNaN(tile[V]));
        assertTrue(F64Kernels.masked(tile[2 * V]), "even in a row of NaN");
    }

    @Test
    void aMillionTermsLoseNothing() {
        double[] x = new Random(2).doubles(MILLION, -3, 3).toArray();
        double max = Arrays.stream(x).max().orElseThrow();
        double sum = Arrays.stream(x).map(value -> Math.exp(value - max)).sum(); // a compensated sum
        double[] logs = room(x);
        F64SoftmaxRow.softmax(logs, MILLION, true);
        double[] weights = room(x);
        F64SoftmaxRow.softmax(weights, MILLION, false);
        for (int i = 0; i < MILLION; i += 997) {
            assertEquals(x[i] - max - Math.log(sum), logs[i], 4e-15);
            double right = Math.exp(x[i] - max) / sum;
            assertEquals(right, weights[i], 4 * Math.ulp(right));
        }
        assertEquals(1, Arrays.stream(weights, 0, MILLION).sum(), 1e-15);
    }

    @Test
    void rowsKeepTheirNan() {
        for (double poison : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            for (double rest : new double[] {1, Double.NEGATIVE_INFINITY}) {
                double[] row = new double[F64Lanes.lanes(5)];
                Arrays.fill(row, rest);
                row[3] = poison;
                F64SoftmaxRow.softmax(row, 5, false);
                for (int i = 0; i < 5; i++) {
                    assertTrue(Double.isNaN(row[i]), poison + " among " + rest + ": " + row[i]);
                }
            }
        }
        double[] nothing = new double[F64Lanes.lanes(5)];
        Arrays.fill(nothing, Double.NEGATIVE_INFINITY);
        F64SoftmaxRow.softmax(nothing, 5, true);
        assertEquals(Double.NEGATIVE_INFINITY, nothing[4]);
        F64SoftmaxRow.softmax(nothing, 5, false);
        assertArrayEquals(new double[5], Arrays.copyOf(nothing, 5));
    }

    private static double[] room(double[] x) {
        return Arrays.copyOf(x, F64Lanes.lanes(x.length));
    }
}
