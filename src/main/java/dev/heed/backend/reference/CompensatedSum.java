package dev.heed.backend.reference;

/** A sum with what rounding took from it (Neumaier 1974), of products too (Ogita, Rump and Oishi 2005, Dot2). */
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

    /** {@return the sum; that of the terms alone where it is infinite or NaN, for then nothing was lost} */
    double value() {
        return Double.isFinite(sum) ? sum + lost : sum;
    }
}
