package dev.heed;

/**
 * A partial attention state, computed from some keys of one row: the maximum of the scores, the sum of the exponentials and
 * the weighted sum of the values (online softmax: Milakov and Gimelshein 2018; mergeable state: Ye et al. 2025).
 *
 * <p>{@link #merge} is associative and commutative up to rounding, and the empty state is its neutral element. The keys can
 * therefore be divided among tiles, threads, splits, caches or machines, and their states can then be merged:
 *
 * <pre>
 * m = max(m1, m2)      sum = sum1 e^(m1 - m) + sum2 e^(m2 - m)      weighted likewise
 * output = weighted / sum                                          lse = m + ln(sum)
 * </pre>
 */
public final class AttentionState {
    private double max = Double.NEGATIVE_INFINITY;
    private double sum;
    private final double[] weighted;

    /** Creates the empty state: no keys, output 0, LSE minus infinity. */
    public AttentionState(int valueHeadDim) {
        weighted = new double[valueHeadDim];
    }

    /** {@return the state of a finished row, from its output and its LSE (natural logarithm)} */
    public static AttentionState of(double[] output, double lse) {
        var state = new AttentionState(output.length);
        if (lse != Double.NEGATIVE_INFINITY) {
            state.max = lse;
            state.sum = 1;
            System.arraycopy(output, 0, state.weighted, 0, output.length);
        }
        return state;
    }

    /** Adds a key by its modified score and its value. A score of minus infinity changes nothing. */
    public void add(double score, double[] value) {
        if (score == Double.NEGATIVE_INFINITY) {
            return;
        }
        rescale(Math.max(max, score));
        double weight = weight(score);
        sum += weight;
        for (int d = 0; d < weighted.length; d++) {
            weighted[d] += weight * value[d];
        }
    }

    /** Adds a score that has no value: an attention sink. */
    public void addSink(double score) {
        if (score == Double.NEGATIVE_INFINITY) {
            return;
        }
        rescale(Math.max(max, score));
        sum += weight(score);
    }

    /** Merges the keys of another state into this one; the other state is not changed. */
    public void merge(AttentionState other) {
        if (other.max == Double.NEGATIVE_INFINITY) {
            return;
        }
        rescale(Math.max(max, other.max));
        double factor = weight(other.max);
        sum += other.sum * factor;
        for (int d = 0; d < weighted.length; d++) {
            weighted[d] += other.weighted[d] * factor;
        }
    }

    private void rescale(double larger) {
        if (larger == max) {
            return;
        }
        double factor = max == Double.NEGATIVE_INFINITY ? 0 : Math.exp(max - larger);
        sum *= factor;
        for (int d = 0; d < weighted.length; d++) {
            weighted[d] *= factor;
        }
        max = larger;
    }

    private double weight(double score) {
        return Math.exp(score - max); // a score of plus infinity makes the row NaN, as IEEE 754 requires
    }

    /** {@return the LSE (natural logarithm) of the added scores, sinks included; minus infinity if there are none} */
    public double lse() {
        return sum == 0 ? Double.NEGATIVE_INFINITY : max + Math.log(sum);
    }

    /** {@return the weighted sum of the added values; zeros if there are none} The weights of keys and sinks sum to 1. */
    public double[] output() {
        double[] output = new double[weighted.length];
        if (sum != 0) {
            for (int d = 0; d < output.length; d++) {
                output[d] = weighted[d] / sum;
            }
        }
        return output;
    }
}
