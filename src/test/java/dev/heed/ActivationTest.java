package dev.heed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ActivationTest {
    /** Compares GELU at {@code x} and {@code -x} with products of {@code x} and tabulated values of the normal distribution. */
    @ParameterizedTest
    @CsvSource({
        "0, 0.5",
        "0.1, 0.539827837277029",
        "0.5, 0.691462461274013",
        "1, 0.841344746068543",
        "1.96, 0.975002104851780",
        "3, 0.998650101968370",
        "5, 0.999999713348428",
        "8.9, 1",
        "9.1, 1",
        "Infinity, 1"
    })
    void geluHasTheValuesOfTables(double x, double normal) {
        assertEquals(x * normal, Activation.GELU.apply(x), Math.max(1, x) * 1e-15);
        double left = Double.isInfinite(x) ? 0 : -x * (1 - normal);
        assertEquals(left, Activation.GELU.apply(-x), 5e-15);
    }

    @ParameterizedTest
    @EnumSource
    void theDerivativeIsThatOfTheFunction(Activation activation) {
        for (double x = -10.03; x < 10.03; x += 0.1) {
            double rise = activation.apply(x + 1e-5) - activation.apply(x - 1e-5);
            assertEquals(rise / 2e-5, activation.derivative(x), 1e-9, activation + " at " + x);
        }
    }

    @ParameterizedTest
    @EnumSource
    void nanStaysNan(Activation activation) {
        assertEquals(Double.NaN, activation.apply(Double.NaN));
    }

    @Test
    void farAwayTheFunctionsAreFlatOrStraight() {
        assertEquals(0, Activation.GELU.derivative(Double.NEGATIVE_INFINITY));
        assertEquals(1, Activation.GELU.derivative(Double.POSITIVE_INFINITY));
        assertEquals(1, Activation.TANH.apply(Double.POSITIVE_INFINITY));
        assertEquals(0, Activation.RELU.apply(Double.NEGATIVE_INFINITY));
        assertEquals(0, Activation.RELU.derivative(0));
    }
}
