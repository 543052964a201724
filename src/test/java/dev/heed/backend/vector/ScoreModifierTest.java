package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.RandomTensors;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ScoreModifierTest {
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
