package dev.heed.mask;

import java.util.Arrays;

/**
 * The bound mask of windows and causal masks: query {@code i} has the position {@code p = i + offset} and attends to the
 * keys {@code j} with {@code p - left <= j <= p + right}.
 */
record Band(long left, long right, CausalAlignment alignment, long seqLenQ, long seqLenKv) implements BoundMask {
    @Override
    public boolean takesPart(long batch, long head, long query, long key) {
        long distance = key - query - alignment.offsetOf(batch, seqLenQ, seqLenKv);
        return distance <= right && -distance <= left;
    }

    @Override
    public TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
        long offset = alignment.offsetOf(batch, seqLenQ, seqLenKv);
        long nearest = keyFrom - (queryTo - 1) - offset; // smallest key minus query position in the tile
        long farthest = keyTo - 1 - queryFrom - offset;
        if (nearest > right || -farthest > left) {
            return TileCover.EMPTY;
        }
        return farthest <= right && -nearest <= left ? TileCover.FULL : TileCover.PARTIAL;
    }

    @Override
    public long firstKey(long batch, long head, long queryFrom, long queryTo) {
        long position = queryFrom + alignment.offsetOf(batch, seqLenQ, seqLenKv);
        return left > position ? 0 : Math.min(seqLenKv, position - left);
    }

    @Override
    public long endKey(long batch, long head, long queryFrom, long queryTo) {
        long position = queryTo - 1 + alignment.offsetOf(batch, seqLenQ, seqLenKv);
        return right >= seqLenKv - position ? seqLenKv : Math.max(0, position + right + 1);
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
        long offset = alignment.offsetOf(batch, seqLenQ, seqLenKv);
        int queries = (int) (queryTo - queryFrom);
        for (long j = keyFrom; j < keyTo; j++) {
            long own = j - offset - queryFrom; // index of the query whose position is this key, relative to queryFrom
            int row = at + (int) (j - keyFrom) * keyStep;
            int first = right >= own ? 0 : (int) Math.min(queries, own - right);
            int end = left >= queries - own ? queries : (int) Math.max(0, own + left + 1);
            Arrays.fill(scores, row, row + first, Float.NEGATIVE_INFINITY);
            Arrays.fill(scores, row + Math.max(first, end), row + queries, Float.NEGATIVE_INFINITY);
        }
    }
}
