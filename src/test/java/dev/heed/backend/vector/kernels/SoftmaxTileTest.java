package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SoftmaxTileTest {
    private static final float NEGATIVE_INFINITY = Float.NEGATIVE_INFINITY;

    /** Computes powers of two, one vector of arguments at a time, and records the largest error in ulp. */
    private static final class Powers {
        private final float[] arguments = new float[V];
        private int filled;
        private double worst;
        private float worstAt;
        private long count;

        void add(float x) {
            arguments[filled++] = x;
            if (filled == V) {
                flush();
            }
        }

        private void flush() {
            float[] powers = new float[V];
            SoftmaxTile.exp2(FloatVector.fromArray(SPECIES, arguments, 0)).intoArray(powers, 0);
            for (int i = 0; i < filled; i++) {
                double right = Math.pow(2, arguments[i]);
                double error = Math.abs(powers[i] - right) / Math.ulp((float) right);
                if (!(error <= worst)) { // NaN is an error too
                    worst = error;
                    worstAt = arguments[i];
                }
            }
            count += filled;
            filled = 0;
        }

        void report(String range, double most) {
            flush();
            System.out.printf(
                    Locale.ROOT,
                    "exp2 over %s: %,d arguments, at most %.4f ulp, at %s%n",
                    range,
                    count,
                    worst,
                    worstAt);
            assertTrue(worst <= most, worst + " ulp at " + worstAt);
        }
    }

    private static float exp2(float x) {
        return SoftmaxTile.exp2(FloatVector.broadcast(SPECIES, x)).lane(0);
    }

    /** Tests every 97th float from 0 to -126: 97 is prime, so all patterns of low bits occur. */
    @Test
    void powersOfTwoBelowOne() {
        Powers powers = new Powers();
        int end = Float.floatToIntBits(126);
        for (int bits = 0; bits <= end; bits += 97) {
            powers.add(-Float.intBitsToFloat(bits));
        }
        powers.report("[-126, 0]", 1);
    }

    /**
     * Tests arguments near integers and halves. At halves, the ends of the polynomial's range, the rounding to an
     * integer changes.
     */
    @Test
    void powersOfTwoNearWholeAndHalfNumbers() {
        Powers powers = new Powers();
        for (int half = 0; half <= 252; half++) {
            float x = -half / 2f;
            for (int n = 0; n < 2000 && x >= -126; n++) {
                powers.add(x);
                x = Math.nextDown(x);
            }
            x = -half / 2f;
            for (int n = 0; n < 2000 && x <= 0; n++) {
                powers.add(x);
                x = Math.nextUp(x);
            }
        }
        powers.report("halves in [-126, 0]", 1);
    }

    /** Tests positive arguments, which the hyperbolic tangent needs. */
    @Test
    void powersOfTwoAboveOne() {
        Powers powers = new Powers();
        for (int bits = 0; bits <= Float.floatToIntBits(60); bits += 997) {
            powers.add(Float.intBitsToFloat(bits));
        }
        powers.report("[0, 60]", 1);
    }

    @Test
    void wholePowersAreExact() {
        assertEquals(1f, exp2(0f));
        assertEquals(1f, exp2(-0f));
        for (int n = -126; n <= 60; n++) {
            assertEquals((float) Math.pow(2, n), exp2(n), "2^" + n);
        }
    }

    @Test
    void nothingIsSmallerThanTheSmallestNormalNumber() {
        for (float x : new float[] {-126, -126.01f, -127, -1000, -Float.MAX_VALUE, NEGATIVE_INFINITY}) {
            assertEquals(Float.MIN_NORMAL, exp2(x), "2^" + x);
        }
        assertTrue(Float.isNaN(exp2(Float.NaN)));
    }

    /** Tests that a larger argument has a larger power, for arguments from -126 to 0 in steps of 1/1024. */
    @Test
    void powersGrow() {
        float before = 0;
        for (int i = 126 * 1024; i >= 0; i--) {
            float power = exp2(-i / 1024f);
            assertTrue(power > before, "2^" + -i / 1024f);
            before = power;
        }
    }

    /**
     * Adds three tiles one after another, two of them with masked cells. Compares the maxima, the sums and the weights of the
     * last tile with a softmax of all scores in double.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8, 95, 96})
    void tilesAddUp(int keys) {
        var random = new Random(keys);
        float c = 1.3f;
        float[] statistics = new float[4 * PANEL];
        Arrays.fill(statistics, 0, PANEL, Kernels.NOTHING);
        double[][] scores = new double[PANEL][3 * keys];
        float[][] weights = new float[3][];
        for (int t = 0; t < 3; t++) {
            boolean masked = t != 1;
            float[] tile = new float[keys * PANEL];
            for (int j = 0; j < keys; j++) {
                for (int i = 0; i < PANEL; i++) {
                    boolean hides = masked && (i == 0 || (i != 1 && random.nextInt(3) == 0));
                    float score = hides || i == 0 ? NEGATIVE_INFINITY : (float) (random.nextGaussian() * (5 + 40 * t));
                    tile[j * PANEL + i] = score;
                    scores[i][t * keys + j] = score;
                }
            }
            KERNELS.read(tile, keys, c, statistics);
            weights[t] = tile;
        }
        for (int i = 1; i < PANEL; i++) {
            double max = NEGATIVE_INFINITY;
            for (double score : scores[i]) {
                max = Math.max(max, score);
            }
            double sum = 0;
            for (double score : scores[i]) {
                sum += Math.pow(2, c * (score - max));
            }
            assertEquals(max == NEGATIVE_INFINITY ? Kernels.NOTHING : max, statistics[i], "maximum " + i);
            assertEquals(max == NEGATIVE_INFINITY ? 0 : sum, statistics[PANEL + i], 1e-5 * sum, "sum " + i);
            for (int j = 0; j < keys; j++) { // the last tile is relative to the last maximum
                double score = scores[i][2 * keys + j];
                double right = score == NEGATIVE_INFINITY ? 0 : Math.pow(2, c * (score - max));
                assertEquals(right, weights[2][j * PANEL + i], 1e-5 * right + 1.2e-38, "weight " + j + ", " + i);
            }
        }
        assertEquals(Kernels.NOTHING, statistics[0]);
        assertEquals(0f, statistics[PANEL]);
        for (float[] tile : weights) {
            assertEquals(0f, tile[0], "a masked key has weight 0");
        }
    }
}
