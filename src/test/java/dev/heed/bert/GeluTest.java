package dev.heed.bert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GeluTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "0.001, 0.001128378790969",
        "0.0078125, 0.008815282895179188",
        "0.5, 0.5204998778130465",
        "1, 0.8427007929497149",
        "1.5, 0.9661051464753108",
        "2, 0.9953222650189527",
        "3, 0.9999779095030014",
        "4, 0.9999999845827421",
        "7, 1",
        "Infinity, 1"
    })
    void erfHasTheValuesOfTables(double x, double expected) {
        assertEquals(expected, Gelu.erf(x), 4e-12);
        assertEquals(-expected, Gelu.erf(-x), 4e-12);
    }

    @Test
    void erfRisesWithoutSteps() {
        for (double x = -6.5; x < 6.5; x += 1e-4) {
            double rise = Gelu.erf(x + 1e-4) - Gelu.erf(x);
            assertTrue(rise >= -4e-15 && rise <= 1.2e-4, "at " + x + " it rises by " + rise);
        }
    }

    @Test
    void keepsLargeNumbersDropsNegativeOnesAndSpreadsNaN() {
        float[] x = {0, 20, -20, Float.NaN, Float.POSITIVE_INFINITY};
        Gelu.apply(x);
        assertArrayEquals(new float[] {0, 20, -0f, Float.NaN, Float.POSITIVE_INFINITY}, x);
    }
}
