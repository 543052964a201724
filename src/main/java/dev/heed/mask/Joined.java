package dev.heed.mask;

/** All of several masks, or any of them. */
record Joined(BoundMask[] parts, boolean all) implements BoundMask {
    @Override
    public boolean takesPart(long batch, long head, long query, long key) {
        for (BoundMask part : parts) {
            if (part.takesPart(batch, head, query, key) != all) {
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
        for (BoundMask part : parts) {
            TileCover cover = part.cover(batch, head, queryFrom, queryTo, keyFrom, keyTo);
            if (cover == decisive) {
                return decisive;
            }
            joined = cover == neutral ? joined : TileCover.PARTIAL;
        }
        return joined;
    }

    @Override
    public long firstKey(long batch, long head, long queryFrom, long queryTo) {
        long first = parts[0].firstKey(batch, head, queryFrom, queryTo);
        for (BoundMask part : parts) {
            long other = part.firstKey(batch, head, queryFrom, queryTo);
            first = all ? Math.max(first, other) : Math.min(first, other);
        }
        return first;
    }

    @Override
    public long endKey(long batch, long head, long queryFrom, long queryTo) {
        long end = parts[0].endKey(batch, head, queryFrom, queryTo);
        for (BoundMask part : parts) {
            long other = part.endKey(batch, head, queryFrom, queryTo);
            end = all ? Math.min(end, other) : Math.max(end, other);
        }
        return end;
    }

    @Override
    public void hide(
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
            BoundMask.super.hide(batch, head, queryFrom, queryTo, keyFrom, keyTo, scores, at, keyStep);
            return;
        }
        for (BoundMask part : parts) {
            part.hide(batch, head, queryFrom, queryTo, keyFrom, keyTo, scores, at, keyStep);
        }
    }
}
