package dev.heed.bert;

/** The Gaussian error linear unit (Hendrycks and Gimpel 2016), exact: {@code x (1 + erf(x / sqrt 2)) / 2}. */
final class Gelu {
    private static final double SQRT_HALF = Math.sqrt(0.5);

    // erf by Taylor's formula of degree 4 around the nearest of these points. Half a step away, the term left out is
    // below 4e-12; beyond the last point erf is 1 to 2e-17.
    private static final int POINTS_PER_UNIT = 64;
    private static final int LARGEST = 6;
    private static final double[] ERF = new double[LARGEST * POINTS_PER_UNIT + 1];
    private static final double[] SLOPE = new double[ERF.length];

    static {
        for (int i = 0; i < ERF.length; i++) {
            double x = (double) i / POINTS_PER_UNIT;
            SLOPE[i] = 2 / Math.sqrt(Math.PI) * Math.exp(-x * x);
            ERF[i] = series(x, SLOPE[i]);
        }
    }

    private Gelu() {}

    /** Applies the unit to every element where it lies. */
    static void apply(float[] x) {
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) (0.5 * x[i] * (1 + erf(x[i] * SQRT_HALF)));
        }
    }

    /** {@return the error function, to 4e-12} */
    static double erf(double x) {
        double size = Math.abs(x);
        if (size >= LARGEST) {
            return Math.signum(x);
        }
        int nearest = (int) (size * POINTS_PER_UNIT + 0.5); // 0 for NaN, which h then carries on
        double at = (double) nearest / POINTS_PER_UNIT;
        double h = size - at;
        double square = at * at;
        double bracket = 1 + h * (-at + h * ((2 * square - 1) / 3 + h * at * (3 - 2 * square) / 6));
        return Math.copySign(ERF[nearest] + SLOPE[nearest] * h * bracket, x);
    }

    /** {@code erf(x) = slope (x + 2 x^3 / 3 + 4 x^5 / (3 * 5) + ...)}: every term positive, so nothing cancels. */
    private static double series(double x, double slope) {
        double sum = 0;
        double term = x;
        for (int n = 1; sum + term != sum; n++) {
            sum += term;
            term *= 2 * x * x / (2 * n + 1);
        }
        return slope * sum;
    }
}
