package dev.heed.mask;

import dev.heed.tensor.Tensor;

/**
 * The bound mask of {@link Mask.Blocks}, with one truth value per block. A tile is classified by its blocks, not by its
 * elements.
 */
final class BlockRows implements BoundMask {
    private final Tensor takesPart;
    private final long queryBlock;
    private final long keyBlock;
    private final long seqLenKv;
    private final long[] step = new long[4];

    BlockRows(Tensor takesPart, long queryBlock, long keyBlock, long seqLenKv) {
        this.takesPart = takesPart;
        this.queryBlock = queryBlock;
        this.keyBlock = keyBlock;
        this.seqLenKv = seqLenKv;
        for (int axis = 0; axis < 4; axis++) {
            step[axis] = takesPart.size(axis) == 1 ? 0 : takesPart.stride(axis);
        }
    }

    private boolean block(long batch, long head, long down, long across) {
        return takesPart.at(takesPart.offset() + batch * step[0] + head * step[1] + down * step[2] + across * step[3])
                != 0;
    }

    @Override
    public boolean takesPart(long batch, long head, long query, long key) {
        return block(batch, head, query / queryBlock, key / keyBlock);
    }

    @Override
    public TileCover cover(long batch, long head, long queryFrom, long queryTo, long keyFrom, long keyTo) {
        boolean first = takesPart(batch, head, queryFrom, keyFrom);
        for (long down = queryFrom / queryBlock; down <= (queryTo - 1) / queryBlock; down++) {
            for (long across = keyFrom / keyBlock; across <= (keyTo - 1) / keyBlock; across++) {
                if (block(batch, head, down, across) != first) {
                    return TileCover.PARTIAL;
                }
            }
        }
        return first ? TileCover.FULL : TileCover.EMPTY;
    }

    @Override
    public long firstKey(long batch, long head, long queryFrom, long queryTo) {
        long blocks = Math.ceilDiv(seqLenKv, keyBlock);
        long across = 0;
        while (across < blocks && masked(batch, head, queryFrom, queryTo, across)) {
            across++;
        }
        return Math.min(seqLenKv, across * keyBlock);
    }

    @Override
    public long endKey(long batch, long head, long queryFrom, long queryTo) {
        long across = Math.ceilDiv(seqLenKv, keyBlock);
        while (across > 0 && masked(batch, head, queryFrom, queryTo, across - 1)) {
            across--;
        }
        return Math.min(seqLenKv, across * keyBlock);
    }

    private boolean masked(long batch, long head, long queryFrom, long queryTo, long across) {
        for (long down = queryFrom / queryBlock; down <= (queryTo - 1) / queryBlock; down++) {
            if (block(batch, head, down, across)) {
                return false;
            }
        }
        return true;
    }
}
