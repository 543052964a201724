package dev.heed.backend.vector.storage;

import dev.heed.AttentionShape;
import dev.heed.mask.BoundMask;

/**
 * The splits of a decode call that have attended keys: those from {@code first} to {@code end} (exclusive). A split is a slice of
 * the keys.
 */
public record SplitRange(int first, int end) {
    /**
     * {@return the smallest range with all splits in which some query of some head attends to a key} Splits before and after it
     * would add nothing.
     *
     * @param keys keys per split
     */
    public static SplitRange attended(BoundMask mask, AttentionShape s, long keys) {
        int splits = Math.toIntExact(Math.ceilDiv(s.seqLenKv(), keys));
        int first = splits;
        int end = 0;
        for (long head = 0; head < s.batch() * s.numHeads() && (first > 0 || end < splits); head++) {
            SplitRange own = attended(mask, s, keys, head / s.numHeads(), head % s.numHeads());
            first = Math.min(first, own.first);
            end = Math.max(end, own.end);
        }
        return new SplitRange(first, Math.max(first, end));
    }

    private static SplitRange attended(BoundMask mask, AttentionShape s, long keys, long batch, long head) {
        long firstKey = mask.firstKey(batch, head, 0, s.seqLenQ());
        long endKey = mask.endKey(batch, head, 0, s.seqLenQ());
        if (firstKey >= endKey) {
            return new SplitRange(Integer.MAX_VALUE, 0);
        }
        return new SplitRange((int) (firstKey / keys), (int) Math.ceilDiv(endKey, keys));
    }

    /** {@return the number of splits} */
    public int count() {
        return end - first;
    }
}
