package dev.heed.verify;

import dev.heed.tensor.DType;

/**
 * The error limit of a result. The truth is the result of the double-precision reference for the stored inputs. The
 * naive implementation is the textbook formula in f32, with weights and output rounded to the storage type. {@code err}
 * is the largest absolute difference from the truth, and the limit is the rule of FlashAttention's tests:
 *
 * <pre>{@code
 * err(ours) <= factor * err(naive) + 2 * max |truth + 0.3 - 0.3 - truth|      factor 2, gradients 3
 * }</pre>
 *
 * <p>The last term is computed in the storage type and measures the ulp of that type at the size of the truth. The limit is
 * never less than one ulp of the largest truth, nor less than the smallest normal number of the compute type: the last term
 * may be 0 if the truth has few elements, or is 0 or 1 everywhere. For an
 * f64 result, the naive f32 error is multiplied by twice the ratio of the two precisions, because the truth is also
 * rounded to f64. If tf32 is allowed, the naive implementation rounds the factors of all products to tf32, and the last
 * term is computed with 11 significant bits.
 */
public final class ErrorBudget {
    private static final double F64_TO_F32 = 0x1p-29;

    private final DType type;
    private final double factor;
    private final boolean tf32;

    private ErrorBudget(DType type, double factor) {
        this(type, factor, false);
    }

    private ErrorBudget(DType type, double factor, boolean tf32) {
        this.type = type;
        this.factor = factor;
        this.tf32 = tf32;
    }

    /** {@return this budget for results with factors rounded to tf32, if {@code tf32} and the type is f32} */
    public ErrorBudget allowing(boolean tf32) {
        return new ErrorBudget(type, factor, tf32 && type == DType.F32);
    }

    /** {@return the nearest number with 11 significant bits, ties away from zero; a non-finite number itself} */
    static float tf32(float x) {
        return Float.isFinite(x) ? Float.intBitsToFloat((Float.floatToRawIntBits(x) + 0x1000) & ~0x1fff) : x;
    }

    private double round(double x) {
        return tf32 ? tf32((float) x) : type.round(x);
    }

    /** {@return the budget of forward results} */
    public static ErrorBudget forward(DType type) {
        return new ErrorBudget(type, 2);
    }

    /** {@return the budget of gradients} */
    public static ErrorBudget gradient(DType type) {
        return new ErrorBudget(type, 3);
    }

    /**
     * {@return the budget of a gradient of keys, values or a parameter with {@code count} elements: factor
     * {@code 3 (1 + 16 / count)}} Each element is one long sum. The largest naive error of only a few sums is a poor
     * estimate of the possible error: in 1 of 80 pairs of equally accurate sums, one error is 51 times the other. The
     * largest errors of hundreds of sums differ little, so the factor approaches 3.
     */
    public static ErrorBudget parameter(DType type, long count) {
        return new ErrorBudget(type, 3 * (1 + 16.0 / count));
    }

    /**
     * Measures the error of a result.
     *
     * @param name the tensor's name, for the report
     * @param ours the result of a backend, in row-major order
     * @param truth the result of the double-precision reference
     * @param naive the result of the naive f32 implementation
     * @param cap an absolute limit in addition to the rule, infinity for none
     */
    public Measure measure(String name, double[] ours, double[] truth, double[] naive, double cap) {
        double max = 0;
        double sum = 0;
        double naiveMax = 0;
        double probe = 0;
        double largest = 0;
        int worst = 0;
        for (int i = 0; i < truth.length; i++) {
            double error = distance(ours[i], truth[i]);
            double naiveError = distance(naive[i], truth[i]);
            sum += error;
            if (error > max) {
                max = error;
                worst = i;
            }
            if (Double.isFinite(naiveError)) {
                naiveMax = Math.max(naiveMax, naiveError);
            }
            if (Double.isFinite(truth[i])) {
                probe = Math.max(probe, ulpProbe(truth[i]));
                largest = Math.max(largest, Math.abs(truth[i]));
            }
        }
        double scale = type == DType.F64 ? 2 * F64_TO_F32 : 1; // twice, because the truth is also rounded to double
        double allowed = Math.min(cap, factor * scale * naiveMax + Math.max(2 * probe, ulp(largest)));
        double mean = truth.length == 0 ? 0 : sum / truth.length;
        return new Measure(name, max, mean, naiveMax * scale, allowed, worst, truth[worst], ours[worst]);
    }

    /**
     * {@return the absolute difference} It is 0 if both numbers are NaN or the same infinity, and infinite for all
     * other pairs with a non-finite number.
     */
    private static double distance(double x, double y) {
        if (Double.compare(x, y) == 0 || (x == y)) {
            return 0;
        }
        double distance = Math.abs(x - y);
        return Double.isNaN(distance) ? Double.POSITIVE_INFINITY : distance;
    }

    private double ulpProbe(double truth) {
        double there = round(truth + round(0.3));
        return Math.abs(round(there - round(0.3)) - truth);
    }

    /** {@return the largest relative error of rounding to a floating-point type} */
    static double rounding(DType type) {
        return Math.scalb(1.0, -significantBits(type));
    }

    private static int significantBits(DType type) {
        return switch (type) {
            case F64 -> 53;
            case F16 -> 11;
            case BF16 -> 8;
            default -> 24;
        };
    }

    /** {@return the ulp of the storage type at {@code x}; at least the smallest normal number of the compute type} */
    private double ulp(double x) {
        int bits = tf32 ? 11 : significantBits(type);
        double least = type == DType.F64 ? Double.MIN_NORMAL : Float.MIN_NORMAL;
        return Math.max(least, Math.scalb(1.0, Math.getExponent(x) - (bits - 1)));
    }
}
