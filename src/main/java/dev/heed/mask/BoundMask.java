package dev.heed.mask;

/** A {@link Mask} that knows how many queries and keys there are. */
public interface BoundMask {
    /** {@return whether key {@code key} takes part in the row of query {@code query}} */
    boolean takesPart(long batch, long head, long query, long key);

    /**
     * Tells how much of a tile takes part. {@link TileCover#PARTIAL} is always a correct answer; the other two are
     * promises.
     *
     * @param batch the batch
     * @param head the query head
     * @param queryFrom the first query row
     * @param queryTo one past the last query row
     * @param keyFrom the first key
     * @param keyTo one past the last key
     * @return EMPTY, PARTIAL or FULL
     */
    TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo);

    /** {@return a key before which no query of the range sees any; 0 is always a correct answer} */
    default long firstKey(long batch, long head, long queryFrom, long queryTo) {
        return 0;
    }

    /** {@return a key from which on no query of the range sees any; the number of keys is always a correct answer} */
    long endKey(long batch, long head, long queryFrom, long queryTo);

    /**
     * Puts minus infinity in place of the scores that take no part.
     *
     * @param batch the batch
     * @param head the query head
     * @param queryFrom the first query
     * @param queryTo one past the last query
     * @param keyFrom the first key
     * @param keyTo one past the last key
     * @param scores the scores; that of query {@code i} and key {@code j} lies at
     *     {@code at + (j - keyFrom) * keyStep + (i - queryFrom)}
     * @param at where the first score lies
     * @param keyStep the distance between the scores of neighbouring keys
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
