package dev.heed.mechanism;

import dev.heed.AttentionResult;
import dev.heed.tensor.Tensor;
import java.util.Objects;

/**
 * The row maxima m and row sums l of an attention. The difference of two LSEs is computed as
 * {@code (m1 - m2) + (ln l1 - ln l2)}: near 1e7 an LSE in f32 has no digits after the point, but the difference of the
 * maxima is exact.
 */
record RowStatistics(Tensor maxima, Tensor sums) {
    static RowStatistics of(AttentionResult result) {
        return new RowStatistics(Objects.requireNonNull(result.rowMax()), Objects.requireNonNull(result.rowSum()));
    }

    /** {@return whether a row has no attended keys} */
    boolean isEmpty(long b, long h, long i) {
        return sums.get(b, h, i) == 0;
    }

    /** {@return the LSE of a row minus the LSE of the same row of another attention} */
    double lseMinus(RowStatistics other, long b, long h, long i) {
        return maxima.get(b, h, i)
                - other.maxima.get(b, h, i)
                + (Math.log(sums.get(b, h, i)) - Math.log(other.sums.get(b, h, i)));
    }

    /** {@return the logarithm of the weight of a score in a row} */
    double logWeight(double score, long b, long h, long i) {
        return score - maxima.get(b, h, i) - Math.log(sums.get(b, h, i));
    }
}
