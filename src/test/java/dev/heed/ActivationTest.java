package dev.heed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.MathContext;
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

    private static final MathContext DIGITS = new MathContext(100);
    private static final BigDecimal PI =
            new BigDecimal("3.141592653589793238462643383279502884197169399375105820974944592"
                    + "3078164062862089986280348253421170679");

    /** {@code exp(-x^2 / 2) / sqrt(2 pi)} to about 95 digits. */
    private static BigDecimal density(BigDecimal x) {
        BigDecimal exponent = x.multiply(x).divide(BigDecimal.TWO, DIGITS);
        BigDecimal sum = BigDecimal.ONE;
        BigDecimal term = BigDecimal.ONE;
        for (int n = 1; n < 1000; n++) {
            term = term.multiply(exponent, DIGITS).divide(BigDecimal.valueOf(n), DIGITS);
            sum = sum.add(term, DIGITS);
        }
        return BigDecimal.ONE.divide(sum.multiply(PI.multiply(BigDecimal.TWO).sqrt(DIGITS), DIGITS), DIGITS);
    }

    /** The normal distribution function by {@code 1/2 + density(x) (x + x^3/3 + x^5/(3 5) + ...)}, to about 50 digits. */
    private static BigDecimal normal(BigDecimal x) {
        BigDecimal square = x.multiply(x);
        BigDecimal sum = x;
        BigDecimal term = x;
        for (int n = 3; n < 2000; n += 2) {
            term = term.multiply(square, DIGITS).divide(BigDecimal.valueOf(n), DIGITS);
            sum = sum.add(term, DIGITS);
        }
        return new BigDecimal("0.5").add(density(x).multiply(sum, DIGITS));
    }

    /** Tests the tail of GELU and of its derivative, whose relative error must be a few ulps. */
    @Test
    void geluKeepsItsTail() {
        assertEquals(-5.919525870e-9, Activation.GELU.apply(-6), 1e-18);
        assertEquals(-7.6e-23, Activation.GELU.apply(-10), 1e-24);
        for (double x = -13; x <= 13; x += 0.171875) {
            BigDecimal at = new BigDecimal(x);
            double value = at.multiply(normal(at)).doubleValue();
            assertEquals(value, Activation.GELU.apply(x), Math.abs(value) * 2e-15, "GELU at " + x);
            BigDecimal first = normal(at);
            BigDecimal second = at.multiply(density(at));
            double larger = Math.max(first.doubleValue(), Math.abs(second.doubleValue()));
            double derivative = first.add(second).doubleValue();
            assertEquals(derivative, Activation.GELU.derivative(x), larger * 2e-15, "derivative at " + x);
        }
        for (double far : new double[] {38.9, 39.1, 1e3, 1e200, Double.MAX_VALUE}) {
            assertEquals(0, Activation.GELU.apply(-far), Double.MIN_NORMAL);
            assertEquals(0, Activation.GELU.derivative(-far), Double.MIN_NORMAL);
            assertEquals(far, Activation.GELU.apply(far));
            assertEquals(1, Activation.GELU.derivative(far));
        }
    }
}
