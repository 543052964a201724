package dev.heed.mask;

/** The bound mask of {@link Mask.And} (if {@code all} is true) or {@link Mask.Or} (if false). */
record Joined(BoundMask[] masks, boolean all) implements BoundMask {
    @Override
    public boolean takesPart(long batch, long head, long query, long key) {
        for (BoundMask mask : masks) {
            if (mask.takesPart(batch, head, query, key) != all) {
                return !all;
            }
        }
        return all;
    }

    @Override
    public TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
        TileCover decisive = all ? TileCover.EMPTY : TileCover.FULL;
        TileCover neutral = all ? TileCover.FULL : TileCover.EMPTY;
        TileCover joined = neutral;
        for (BoundMask mask : masks) {
            TileCover cover = mask.cover(batch, head, queryFrom, queryTo, keyFrom, keyTo);
            if (cover == decisive) {
                return decisive;
            }
            joined = cover == neutral ? joined : TileCover.PARTIAL;
        }
        return joined;
    }

    @Override
    public long firstKey(long batch, long head, long queryFrom, long queryTo) {
        long first = masks[0].firstKey(batch, head, queryFrom, queryTo);
        for (BoundMask mask : masks) {
            long other = mask.firstKey(batch, head, queryFrom, queryTo);
            first = all ? Math.max(first, other) : Math.min(first, other);
        }
        return first;
    }

    @Override
    public long endKey(long batch, long head, long queryFrom, long queryTo) {
        long end = masks[0].endKey(batch, head, queryFrom, queryTo);
        for (BoundMask mask : masks) {
            long other = mask.endKey(batch, head, queryFrom, queryTo);
            end = all ? Math.min(end, other) : Math.max(end, other);
        }
        return end;
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
        if (!all) {
            BoundMask.super.maskScores(batch, head, queryFrom, queryTo, keyFrom, keyTo, scores, at, keyStep);
            return;
        }
        for (BoundMask mask : masks) {
            mask.maskScores(batch, head, queryFrom, queryTo, keyFrom, keyTo, scores, at, keyStep);
        }
    }
}
