package dev.heed.backend.reference;

/**
 * A compensated sum: it also adds up the rounding errors of additions (Neumaier 1974) and of products (Ogita, Rump and Oishi
 * 2005, Dot2).
 */
final class CompensatedSum {
    private double sum;
    private double lost;

    void add(double term) {
        double next = sum + term;
        lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
        sum = next;
    }

    void addProduct(double x, double y) {
        double product = x * y;
        add(product);
        lost += Math.fma(x, y, -product);
    }

    /** {@return the compensated sum, or the uncompensated sum if it is infinite or NaN} */
    double value() {
        return Double.isFinite(sum) ? sum + lost : sum;
    }
}
