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
}
