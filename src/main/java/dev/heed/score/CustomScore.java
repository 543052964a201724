package dev.heed.score;

/**
 * A score function of the caller: how one query meets one key. It is called from many threads at once and for every pair
 * that takes part, so it should be pure and cheap.
 */
@FunctionalInterface
public interface CustomScore {
    /**
     * {@return the score}
     *
     * @param query the query {@code [headDim]}; not to be changed
     * @param key the key {@code [keyHeadDim]}; not to be changed
     */
    double score(double[] query, double[] key);

    /** The derivative of a {@link CustomScore}. */
    @FunctionalInterface
    interface Gradient {
        /**
         * Adds {@code upstream} times the derivatives of the score.
         *
         * @param query the query
         * @param key the key
         * @param upstream the derivative of the loss with respect to the score
         * @param queryGradient what to add to, {@code [headDim]}
         * @param keyGradient what to add to, {@code [keyHeadDim]}
         */
        void add(double[] query, double[] key, double upstream, double[] queryGradient, double[] keyGradient);
    }
}
