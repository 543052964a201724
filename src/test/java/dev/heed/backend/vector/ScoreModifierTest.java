package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;
import static dev.heed.backend.vector.kernels.Species.SPECIES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.RandomTensors;
import dev.heed.backend.vector.kernels.ScoreTile;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Locale;
import java.util.Random;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

class ScoreModifierTest {
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

    /** Tests that a tile and a row of the same scores are modified alike, as the formula requires. */
    @Test
    void tilesAndRowsAreModifiedAlike() {
        var shape = new AttentionShape(1, 2, 2, 5, 7, 16, 16);
        Tensor bias = new RandomTensors(1).normal(DType.F32, 1, 2, 5, 7);
        bias.set(Double.NEGATIVE_INFINITY, 0, 1, 2, 3);
        Tensor slopes = Tensor.of(new float[] {0.25f, 0.5f}, 2);
        AttentionOptions none = AttentionOptions.DEFAULT;
        for (AttentionOptions options : new AttentionOptions[] {
            none.withSoftcap(2.0),
            none.withBias(bias),
            none.withAlibi(slopes),
            none.withScale(-3).withSoftcap(2.0).withBias(bias).withAlibi(slopes)
        }) {
            var modifier = new ScoreModifier(shape, options);
            assertTrue(modifier.active);
            float[] tile = new float[7 * PANEL];
            float[][] rows = new float[5][7];
            var random = new Random(2);
            for (int j = 0; j < 7; j++) {
                for (int i = 0; i < 5; i++) {
                    rows[i][j] = tile[j * PANEL + i] = (float) random.nextGaussian() * 8;
                }
            }
            float[] dots = tile.clone();
            var panel = new Panel();
            panel.head = 1;
            panel.queries = 5;
            modifier.apply(panel, tile, 0, 0, 7);
            for (int i = 0; i < 5; i++) {
                modifier.applyRow(rows[i], 0, 0, 1, i, 0, 7);
                for (int j = 0; j < 7; j++) {
                    double s = options.score().scale(16) * dots[j * PANEL + i];
                    s = options.softcap() == null ? s : options.softcap() * Math.tanh(s / options.softcap());
                    s += options.bias() == null ? 0 : bias.get(0, 1, i, j);
                    s -= options.alibiSlopes() == null ? 0 : 0.5 * Math.abs(i + 2 - j);
                    float right = (float) s;
                    assertEquals(right, tile[j * PANEL + i], 1e-5 * Math.max(1, Math.abs(s)), options.toString());
                    assertEquals(tile[j * PANEL + i], rows[i][j], 1e-6 * Math.max(1, Math.abs(s)), options.toString());
                }
            }
        }
    }

    /** Tests that a scale alone modifies no tile: the sign, the unit and the factor include it. */
    @Test
    void theScaleAloneRidesInTheFactor() {
        var shape = new AttentionShape(1, 1, 1, 1, 1, 64, 64);
        var plain = new ScoreModifier(shape, AttentionOptions.DEFAULT);
        assertTrue(!plain.active && !plain.mayMask());
        assertEquals(1f, plain.sign);
        assertEquals(0.125f, plain.unit);
        assertEquals((float) (0.125 / Math.log(2)), plain.factor);
        var negative = new ScoreModifier(shape, AttentionOptions.DEFAULT.withScale(-2));
        assertEquals(-1f, negative.sign);
        assertEquals(2f, negative.unit);
    }

    /** Tests that a scale, or a sink in units of it, near the limits of f32 modifies tiles. */
    @Test
    void aScaleThatIsNoUnitModifiesTiles() {
        var shape = new AttentionShape(1, 2, 2, 1, 1, 64, 64);
        for (double scale : new double[] {0, -0.0, 1e-38, -1e-38, 1e-45, 1e38, -1e38}) {
            var modifier = new ScoreModifier(shape, AttentionOptions.DEFAULT.withScale(scale));
            assertTrue(modifier.active, "scale " + scale);
            assertEquals(1f, modifier.unit);
            assertEquals(1f, modifier.sign);
        }
        Tensor sinks = Tensor.of(new float[] {1, -1e38f}, 2);
        assertTrue(new ScoreModifier(shape, AttentionOptions.DEFAULT.withSink(sinks)).active);
        sinks.set(Double.NEGATIVE_INFINITY, 1);
        assertTrue(!new ScoreModifier(shape, AttentionOptions.DEFAULT.withSink(sinks)).active);
    }
}
