package dev.heed.verify;

import dev.heed.tensor.DType;

/**
 * How far from the truth a result may be. The truth is the double reference on the inputs as stored; the naive
 * implementation is the textbook formula in f32, with weights and output rounded to the storage type. With {@code err} the
 * largest absolute difference from the truth (the rule is FlashAttention's, from its tests):
 *
 * <pre>{@code
 * err(ours) <= factor * err(naive) + 2 * max |truth + 0.3 - 0.3 - truth|      factor 2, gradients 3
 * }</pre>
 *
 * <p>where the last term is computed in the storage type and measures its ulp at the size of the truth. An f64 result is
 * held to the naive f32 error scaled by the ratio of the two precisions. Where factors may be tf32, they are in the naive
 * implementation, and the ulp is that of 11 significant bits.
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

    /** {@return the same budget for what was computed with factors of tf32, if they were allowed and mean anything} */
    public ErrorBudget allowing(boolean tf32) {
        return new ErrorBudget(type, factor, tf32 && type == DType.F32);
    }

    /** {@return the nearest number of 11 significant bits, ties away from zero} */
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
     * {@return the budget of so many numbers of a gradient of keys, values or a parameter: factor {@code 3 (1 + 16 / count)}}
     * Each is one long sum, and the largest error of one or a few sums in the naive implementation says little of how large
     * it might have been. Of two equally good sums one errs 51 times as much as the other once in 80 pairs; the largest
     * errors of hundreds differ by little, and the factor falls back to 3.
     */
    public static ErrorBudget parameter(DType type, long count) {
        return new ErrorBudget(type, 3 * (1 + 16.0 / count));
    }

    /**
     * Compares a result with the truth.
     *
     * @param name the tensor's name, for the report
     * @param ours what a backend computed, in row-major order
     * @param truth what the double reference computed
     * @param naive what the naive f32 implementation computed
     * @param cap an absolute limit besides the rule, infinity for none
     */
    public Measure measure(String name, double[] ours, double[] truth, double[] naive, double cap) {
        double max = 0;
        double sum = 0;
        double naiveMax = 0;
        double probe = 0;
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
            }
        }
        double scale = type == DType.F64 ? 2 * F64_TO_F32 : 1; // the truth is a double too and errs as much
        double allowed = Math.min(cap, factor * scale * naiveMax + 2 * probe);
        double mean = truth.length == 0 ? 0 : sum / truth.length;
        return new Measure(name, max, mean, naiveMax * scale, allowed, worst, truth[worst], ours[worst]);
    }

    /** NaN stands for NaN and an infinity for itself; anything else out of place is infinitely far. */
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
}
