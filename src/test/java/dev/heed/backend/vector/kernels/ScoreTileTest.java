package dev.heed.backend.vector.kernels;

import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Locale;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** Tests the hyperbolic tangent of the softcap. */
class ScoreTileTest {
    private static float[] tanh(float[] x) {
        float[] y = new float[V];
        ScoreTile.tanh(FloatVector.fromArray(SPECIES, x, 0)).intoArray(y, 0);
        return y;
    }

    private static float tanh(float x) {
        return ScoreTile.tanh(FloatVector.broadcast(SPECIES, x)).lane(0);
    }

    /** Compares tanh with {@link StrictMath#tanh} for every 61st float from 1e-10 to 30, with both signs. */
    @Test
    void theHyperbolicTangentIsNear() {
        double worst = 0;
        float worstAt = 0;
        long count = 0;
        float[] x = new float[V];
        float[] negative = new float[V];
        int end = Float.floatToIntBits(30);
        for (int bits = Float.floatToIntBits(1e-10f); bits <= end; bits += 61 * V) {
            for (int i = 0; i < V; i++) {
                x[i] = Float.intBitsToFloat(Math.min(end, bits + 61 * i));
                negative[i] = -x[i];
            }
            float[] y = tanh(x);
            float[] mirrored = tanh(negative);
            for (int i = 0; i < V; i++) {
                double right = StrictMath.tanh(x[i]);
                double error = Math.abs(y[i] - right) / Math.ulp((float) right);
                if (!(error <= worst)) {
                    worst = error;
                    worstAt = x[i];
                }
                if (mirrored[i] != -y[i] || y[i] > 1) {
                    assertEquals(-y[i], mirrored[i], "not odd at " + x[i]);
                    assertTrue(y[i] <= 1, "above 1 at " + x[i]);
                }
            }
            count += V;
        }
        System.out.printf(
                Locale.ROOT,
                "tanh over [-30, 30]: %,d arguments, at most %.4f ulp, at %s%n",
                2 * count,
                worst,
                worstAt);
        assertTrue(worst <= 2, worst + " ulp at " + worstAt);
    }

    @Test
    void theHyperbolicTangentKeepsZeroAndItsLimits() {
        assertEquals(0f, tanh(0f));
        assertTrue(tanh(-0f) == 0); // of either sign
        assertEquals(Float.MIN_VALUE, tanh(Float.MIN_VALUE));
        for (float x : new float[] {9.1f, 20, 20.01f, 30, 1e30f, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
            assertEquals(1f, tanh(x), "tanh " + x);
            assertEquals(-1f, tanh(-x), "tanh " + -x);
        }
        assertTrue(Float.isNaN(tanh(Float.NaN)));
    }
}
