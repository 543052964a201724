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
}
