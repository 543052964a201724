package dev.heed.mask;

import java.util.Arrays;

/**
 * The bound mask of windows and causal masks: query {@code i} attends to the keys {@code j} whose distance {@code j - i} is
 * from {@link Mask.Window#leastDistance} to {@link Mask.Window#largestDistance}.
 */
record Band(Mask.Window window, long seqLenQ, long seqLenKv) implements BoundMask {
    private long least(long batch) {
        return window.leastDistance(batch, seqLenQ, seqLenKv);
    }

    private long largest(long batch) {
        return window.largestDistance(batch, seqLenQ, seqLenKv);
    }

    @Override
    public boolean takesPart(long batch, long head, long query, long key) {
        long distance = key - query;
        return distance >= least(batch) && distance <= largest(batch);
    }

    @Override
    public TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
        long least = least(batch);
        long largest = largest(batch);
        long nearest = keyFrom - (queryTo - 1); // smallest distance in the tile
        long farthest = keyTo - 1 - queryFrom;
        if (nearest > largest || farthest < least) {
            return TileCover.EMPTY;
        }
        return nearest >= least && farthest <= largest ? TileCover.FULL : TileCover.PARTIAL;
    }

    @Override
    public long firstKey(long batch, long head, long queryFrom, long queryTo) {
        return Math.clamp(queryFrom + least(batch), 0, seqLenKv);
    }

    @Override
    public long endKey(long batch, long head, long queryFrom, long queryTo) {
        return Math.clamp(queryTo + largest(batch), 0, seqLenKv);
    }

    @Override
    public void maskScores(
            long batch,
            long head,
            long queryFrom,
            long queryTo,
            long keyFrom,
            long keyTo,
            float[] scores,
            int at,
            int keyStep) {
        long least = least(batch);
        long largest = largest(batch);
        int queries = (int) (queryTo - queryFrom);
        for (long j = keyFrom; j < keyTo; j++) {
            long own = j - queryFrom;
            int row = at + (int) (j - keyFrom) * keyStep;
            int first = Math.clamp(own - largest, 0, queries);
            int end = Math.clamp(own - least + 1, first, queries);
            Arrays.fill(scores, row, row + first, Float.NEGATIVE_INFINITY);
            Arrays.fill(scores, row + end, row + queries, Float.NEGATIVE_INFINITY);
        }
    }
}
