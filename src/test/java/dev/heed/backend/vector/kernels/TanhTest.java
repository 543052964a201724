package dev.heed.backend.vector.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** Tests the hyperbolic tangent of the tile loops against {@link Math#tanh}, over every magnitude of f32. */
class TanhTest {
    private static final double MOST_ULPS = 6;

    private static float[] vectors(float[] x) {
        float[] y = new float[x.length];
        for (int at = 0; at < x.length; at += Lanes.V) {
            Tanh.of(FloatVector.fromArray(Species.SPECIES, x, at)).intoArray(y, at);
        }
        return y;
    }

    /** Tests every 997th f32 from 0 to infinity, with alternating signs. */
    @Test
    void staysWithinSixUlpsOverTheWholeRange() {
        int count = Float.floatToIntBits(Float.POSITIVE_INFINITY) / 997;
        float[] x = new float[count / Lanes.V * Lanes.V];
        for (int n = 0; n < x.length; n++) {
            x[n] = Float.intBitsToFloat(n * 997) * (n % 2 == 0 ? 1 : -1);
        }
        float[] y = vectors(x);
        double worst = 0;
        for (int n = 0; n < x.length; n++) {
            double truth = Math.tanh(x[n]);
            worst = Math.max(worst, Math.abs(y[n] - truth) / Math.ulp((float) truth));
            worst = Math.max(worst, Math.abs(ScalarTanh.of(x[n]) - truth) / Math.ulp((float) truth));
        }
        assertTrue(worst <= MOST_ULPS, "ulps: " + worst);
    }

    @Test
    void keepsZerosInfinitiesAndNan() {
        float[] x = new float[Lanes.V];
        x[0] = -0f;
        x[1] = Float.POSITIVE_INFINITY;
        x[2] = Float.NEGATIVE_INFINITY;
        x[3] = Float.NaN;
        float[] y = vectors(x);
        for (int n = 0; n < 4; n++) {
            float scalar = ScalarTanh.of(x[n]);
            assertEquals(Float.floatToIntBits(y[n]), Float.floatToIntBits(scalar), "vector and scalar at " + x[n]);
        }
        assertEquals(Float.floatToRawIntBits(-0f), Float.floatToRawIntBits(y[0]));
        assertEquals(1, y[1]);
        assertEquals(-1, y[2]);
        assertTrue(Float.isNaN(y[3]));
    }
}
