package dev.heed.mask;

/** A {@link Mask} for given numbers of queries and keys, which reports the keys that a query attends to. */
public interface BoundMask {
    /** {@return whether query {@code query} attends to key {@code key}} */
    boolean takesPart(long batch, long head, long query, long key);

    /**
     * Classifies a tile by its attended elements. {@link TileCover#PARTIAL} is always a correct answer. EMPTY requires that
     * every element is masked, FULL that every element is attended.
     *
     * @param batch the batch entry
     * @param head the query head
     * @param queryFrom the first query row
     * @param queryTo the end of the query rows (exclusive)
     * @param keyFrom the first key
     * @param keyTo the end of the keys (exclusive)
     * @return EMPTY, PARTIAL or FULL
     */
    TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo);

    /**
     * {@return a lower bound of the indices of the keys that the queries from {@code queryFrom} to {@code queryTo}
     * (exclusive) attend to; 0 is always a correct answer}
     */
    default long firstKey(long batch, long head, long queryFrom, long queryTo) {
        return 0;
    }

    /**
     * {@return an upper bound (exclusive) of the indices of the keys that the queries from {@code queryFrom} to
     * {@code queryTo} (exclusive) attend to; the number of keys is always a correct answer}
     */
    long endKey(long batch, long head, long queryFrom, long queryTo);

    /**
     * Replaces the scores of masked keys with minus infinity.
     *
     * @param batch the batch entry
     * @param head the query head
     * @param queryFrom the first query
     * @param queryTo the end of the queries (exclusive)
     * @param keyFrom the first key
     * @param keyTo the end of the keys (exclusive)
     * @param scores the scores; the score of query {@code i} and key {@code j} is at index
     *     {@code at + (j - keyFrom) * keyStep + (i - queryFrom)}
     * @param at the index of the score of the first query and the first key
     * @param keyStep the distance between the scores of neighbouring keys, in elements
     */
    default void maskScores(
            long batch,
            long head,
            long queryFrom,
            long queryTo,
            long keyFrom,
            long keyTo,
            float[] scores,
            int at,
            int keyStep) {
        for (long j = keyFrom; j < keyTo; j++) {
            int row = at + (int) (j - keyFrom) * keyStep;
            for (long i = queryFrom; i < queryTo; i++) {
                if (!takesPart(batch, head, i, j)) {
                    scores[row + (int) (i - queryFrom)] = Float.NEGATIVE_INFINITY;
                }
            }
        }
    }
}
