package dev.heed.verify;

import java.util.Locale;

/**
 * The error of one tensor: its differences from the truth, and the limit.
 *
 * @param name the name of the tensor: output, lse, weights, query gradient ...
 * @param maxError the largest absolute difference from the truth; infinity if a NaN or an infinity is at another
 *     element than in the truth
 * @param meanError the mean absolute difference
 * @param naiveError the largest absolute difference of the naive implementation from the truth; for f64, scaled as in
 *     {@link ErrorBudget}
 * @param allowed the largest difference that passes
 * @param worstIndex the row-major index of the largest difference
 * @param expected the truth at that index
 * @param got the result at that index
 */
public record Measure(
        String name,
        double maxError,
        double meanError,
        double naiveError,
        double allowed,
        long worstIndex,
        double expected,
        double got) {

    /** {@return whether the largest difference is allowed} */
    public boolean passed() {
        return maxError <= allowed;
    }

    /** {@return {@code maxError} divided by {@code naiveError}; NaN if {@code naiveError} is 0} */
    public double ratioToNaive() {
        return naiveError == 0 ? Double.NaN : maxError / naiveError;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s: max error %.3g, allowed %.3g, mean %.3g, %.2f x naive, worst at %d: expected %s got %s",
                name,
                maxError,
                allowed,
                meanError,
                ratioToNaive(),
                worstIndex,
                expected,
                got);
    }
}
