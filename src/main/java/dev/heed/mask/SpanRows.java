package dev.heed.mask;

import dev.heed.tensor.Tensor;

/** The bound mask of {@link Mask.Spans}, with one range of keys per query. A tile is classified by the ranges of its queries. */
final class SpanRows implements BoundMask {
    private final Tensor spans;
    private final long[] step = new long[3];
    private final long last;
    private final long seqLenKv;

    SpanRows(Tensor spans, long seqLenKv) {
        this.spans = spans;
        this.seqLenKv = seqLenKv;
        for (int axis = 0; axis < 3; axis++) {
            step[axis] = spans.size(axis) == 1 ? 0 : spans.stride(axis);
        }
        this.last = spans.stride(3);
    }

    private long at(long batch, long head, long query) {
        return spans.offset() + batch * step[0] + head * step[1] + query * step[2];
    }

    private long first(long batch, long head, long query) {
        return Math.max(0, (long) spans.at(at(batch, head, query)));
    }

    private long end(long batch, long head, long query) {
        return Math.min(seqLenKv, (long) spans.at(at(batch, head, query) + last));
    }

    @Override
    public boolean takesPart(long batch, long head, long query, long key) {
        return key >= first(batch, head, query) && key < end(batch, head, query);
    }

    @Override
    public TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
        boolean all = true;
        boolean none = true;
        for (long i = queryFrom; i < queryTo; i++) {
            long first = first(batch, head, i);
            long end = end(batch, head, i);
            all &= first <= keyFrom && end >= keyTo;
            none &= first >= keyTo || end <= keyFrom || first >= end;
        }
        return none ? TileCover.EMPTY : all ? TileCover.FULL : TileCover.PARTIAL;
    }

    @Override
    public long firstKey(long batch, long head, long queryFrom, long queryTo) {
        long least = seqLenKv;
        for (long i = queryFrom; i < queryTo; i++) {
            least = Math.min(least, first(batch, head, i));
        }
        return least;
    }

    @Override
    public long endKey(long batch, long head, long queryFrom, long queryTo) {
        long largest = 0;
        for (long i = queryFrom; i < queryTo; i++) {
            largest = Math.max(largest, end(batch, head, i));
        }
        return largest;
    }
}
