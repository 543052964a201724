package dev.heed.score;

/**
 * A score function of one query and one key, written by a caller. It is called concurrently by many threads and for every
 * attended pair, so it should be pure and cheap.
 */
@FunctionalInterface
public interface CustomScore {
    /**
     * {@return the score of the query and the key}
     *
     * @param query the query {@code [headDim]}; must not be changed
     * @param key the key {@code [keyHeadDim]}; must not be changed
     */
    double score(double[] query, double[] key);

    /** The gradient of a {@link CustomScore} with respect to query and key. */
    @FunctionalInterface
    interface Gradient {
        /**
         * Adds {@code upstream} times the derivatives of the score to the gradients.
         *
         * @param query the query
         * @param key the key
         * @param upstream the derivative of the loss with respect to the score
         * @param queryGradient the gradient of the query, {@code [headDim]}, to add to
         * @param keyGradient the gradient of the key, {@code [keyHeadDim]}, to add to
         */
        void add(double[] query, double[] key, double upstream, double[] queryGradient, double[] keyGradient);
    }
}
