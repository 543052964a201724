package dev.heed.verify;

import java.util.Locale;

/**
 * How far one tensor is from the truth.
 *
 * @param name which tensor: output, lse, weights, query gradient ...
 * @param maxError the largest absolute difference from the truth; infinity where NaN or infinity stand in the wrong place
 * @param meanError the mean absolute difference
 * @param naiveError the largest difference of the naive implementation
 * @param allowed the largest difference that passes
 * @param worstIndex the row-major index of the largest difference
 * @param expected the truth there
 * @param got what was computed there
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

    /** {@return whether the difference is allowed} */
    public boolean passed() {
        return maxError <= allowed;
    }

    /** {@return the error in units of the naive implementation's; NaN where that has none} */
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
