package dev.heed.mask;

/** Keys {@code p - left <= j <= p + right} around the query's position {@code p = i + offset}. */
record Band(long left, long right, CausalAlignment alignment, long seqLenQ, long seqLenKv) implements BoundMask {
    @Override
    public boolean takesPart(long batch, long head, long query, long key) {
        long distance = key - query - alignment.offset(batch, seqLenQ, seqLenKv);
        return distance <= right && -distance <= left;
    }

    @Override
    public TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
        long offset = alignment.offset(batch, seqLenQ, seqLenKv);
        long nearest = keyFrom - (queryTo - 1) - offset; // the smallest distance in the tile
        long farthest = keyTo - 1 - queryFrom - offset;
        if (nearest > right || -farthest > left) {
            return TileCover.EMPTY;
        }
        return farthest <= right && -nearest <= left ? TileCover.FULL : TileCover.PARTIAL;
    }
}
