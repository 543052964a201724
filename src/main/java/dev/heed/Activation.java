package dev.heed;

import java.util.Locale;

/**
 * The function {@code f} of a linear layer {@code f(x W + b)}, applied to every element. The methods compute {@code f} and
 * its derivative in double.
 */
public enum Activation {
    /** The identity: {@code f(x) = x}. */
    IDENTITY {
        @Override
        public double apply(double x) {
            return x;
        }

        @Override
        public double derivative(double x) {
            return 1;
        }
    },

    /** {@code max(x, 0)}; its derivative at 0 is 0. */
    RELU {
        @Override
        public double apply(double x) {
            return x < 0 ? 0 : x;
        }

        @Override
        public double derivative(double x) {
            return x > 0 ? 1 : Double.isNaN(x) ? x : 0;
        }
    },

    /**
     * {@code x Phi(x)}, where {@code Phi} is the standard normal distribution function (Hendrycks and Gimpel 2016, section
     * 2). This is the exact form, not its approximation by a hyperbolic tangent.
     */
    GELU {
        @Override
        public double apply(double x) {
            return x == Double.NEGATIVE_INFINITY ? 0 : x * normal(x);
        }

        @Override
        public double derivative(double x) {
            return Double.isInfinite(x) ? normal(x) : normal(x) + x * density(x);
        }
    },

    /** The hyperbolic tangent. */
    TANH {
        @Override
        public double apply(double x) {
            return Math.tanh(x);
        }

        @Override
        public double derivative(double x) {
            double y = Math.tanh(x);
            return 1 - y * y;
        }
    };

    private static final double ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

    /** Distance from 0 beyond which the normal density is 0 in double. */
    private static final double FAR = 39;

    /** Distance from 0 from which the tail of the distribution is computed as a continued fraction. */
    private static final double TAIL = 1.25;

    /** {@return the activation of {@code x}} */
    public abstract double apply(double x);

    /** {@return the derivative of the activation at {@code x}} */
    public abstract double derivative(double x);

    /** {@return the word for the activation in a case string; empty for {@link #IDENTITY}} */
    String word() {
        return this == IDENTITY ? "" : name().toLowerCase(Locale.ROOT);
    }

    /** The normal density. The rounding error of the square would be a relative error of the result, so it is included. */
    private static double density(double x) {
        if (Math.abs(x) > FAR) {
            return 0;
        }
        double square = x * x;
        double rest = Math.fma(x, x, -square);
        return Math.exp(-square / 2) * (1 - rest / 2) / ROOT_TWO_PI;
    }

    /**
     * {@code Phi(x) = 1/2 + density(x) (x + x^3/3 + x^5/(3 5) + ...)}: all terms have the sign of x (Marsaglia 2004). The
     * tail, {@code 1 - Phi(-x)}, is computed by itself, so that its relative error stays small.
     */
    private static double normal(double x) {
        if (Math.abs(x) >= TAIL) {
            double tail = tail(Math.abs(x));
            return x > 0 ? 1 - tail : tail;
        }
        double sum = x;
        double term = x;
        for (int n = 3; Math.abs(term) > Math.abs(sum) * 0x1p-54; n += 2) { // the condition is false for NaN
            term *= x * x / n;
            sum += term;
        }
        return 0.5 + sum * density(x);
    }

    /**
     * {@code 1 - Phi(x) = density(x) / (x + 1/(x + 2/(x + 3/(x + ...))))} for {@code x >= }{@link #TAIL} (Laplace; Abramowitz
     * and Stegun 1964, 26.2.14). The fractions beyond the last that is computed are estimated as the solution of
     * {@code f = x + n / f}; then {@code 300 / x^2 + 10} fractions leave a relative error below 1e-16.
     */
    private static double tail(double x) {
        if (x > FAR) {
            return 0;
        }
        int last = 10 + (int) (300 / (x * x));
        double fraction = (x + Math.sqrt(x * x + 4.0 * (last + 1))) / 2;
        for (int n = last; n > 0; n--) {
            fraction = x + n / fraction;
        }
        return density(x) / fraction;
    }
}
