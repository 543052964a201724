package dev.heed.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.InvalidInputException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ValueRangeTest {
    private static ValueRange of(double... values) {
        return ValueRange.of(List.of(Cells.of(new double[][] {values})));
    }

    @Test
    void weightsBeginAtZero() {
        assertEquals(new ValueRange(0, 0.75), of(0.25, 0.75));
        assertEquals(new ValueRange(0, 0.5), of(0.5, 0.5));
        assertEquals(new ValueRange(-3, 2), of(-3, 2));
        assertEquals(new ValueRange(-3, -2), of(-3, -2));
    }

    @Test
    void whatHasNoExtentGetsOne() {
        assertEquals(new ValueRange(0, 1), of(0, 0));
        assertEquals(new ValueRange(-3, 0), of(-3, -3));
        assertEquals(new ValueRange(0, 1), of(Double.NaN, Double.NEGATIVE_INFINITY));
        assertEquals(new ValueRange(0, 2), of(Double.NaN, 2, Double.POSITIVE_INFINITY));
    }

    @Test
    void aRangeRunsUpwards() {
        assertThrows(InvalidInputException.class, () -> new ValueRange(1, 1));
        assertThrows(InvalidInputException.class, () -> new ValueRange(1, 0));
        assertThrows(InvalidInputException.class, () -> new ValueRange(0, Double.NaN));
        assertThrows(InvalidInputException.class, () -> new ValueRange(0, Double.POSITIVE_INFINITY));
    }

    @Test
    void ticksAreRoundAndInside() {
        assertEquals(List.of("0", "0.2", "0.4", "0.6", "0.8"), texts(new ValueRange(0, 0.87)));
        assertEquals(List.of("0", "0.2", "0.4", "0.6", "0.8", "1"), texts(new ValueRange(0, 1)));
        assertEquals(List.of("-100", "-99", "-98", "-97"), texts(new ValueRange(-100.5, -97)));
        assertEquals(List.of("-10000", "-5000", "0", "5000", "10000"), texts(new ValueRange(-12345, 12345)));
    }

    private static List<String> texts(ValueRange range) {
        return range.ticks().stream().map(ValueRange::tickText).toList();
    }

    @Test
    void everyRangeHasTicksAndPositions() {
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            double a = Double.longBitsToDouble(random.nextLong());
            double b = i % 3 == 0 ? Math.nextUp(a) : Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(a) && Double.isFinite(b) && a != b) {
                var range = new ValueRange(Math.min(a, b), Math.max(a, b));
                List<Double> ticks = range.ticks();
                assertTrue(ticks.size() >= 2 && ticks.size() <= 10, range + " has ticks " + ticks);
                for (double tick : ticks) {
                    double position = range.position(tick);
                    assertTrue(position > -1e-6 && position < 1 + 1e-6, range + " has a tick at " + tick);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 1.000",
        "0.123456, 0.1235",
        "0.00012345, 0.0001235",
        "0.000012345, 1.235e-05",
        "12345.6, 12346",
        "123456, 1.235e+05",
        "-0.5, -0.5000",
        "NaN, NaN",
        "-Infinity, -Infinity"
    })
    void valuesHaveFourDigits(double value, String text) {
        assertEquals(text, ValueRange.text(value));
    }
}
