package dev.heed.backend.opencl;

import dev.heed.AttentionShape;
import dev.heed.tensor.Tensor;
import java.util.Arrays;

/**
 * A part of an attention that is computed by itself: some batches, some key heads with their query heads, some queries.
 *
 * @param whole the shape of the whole
 * @param batchFrom the first batch
 * @param batchTo behind the last
 * @param kvHeadFrom the first key head
 * @param kvHeadTo behind the last
 * @param queryFrom the first query
 * @param queryTo behind the last
 */
record Part(
        AttentionShape whole,
        long batchFrom,
        long batchTo,
        long kvHeadFrom,
        long kvHeadTo,
        long queryFrom,
        long queryTo) {
    private static final int BAND = 4;

    static Part whole(AttentionShape s) {
        return new Part(s, 0, s.batch(), 0, s.numKvHeads(), 0, s.seqLenQ());
    }

    long headFrom() {
        return kvHeadFrom * whole.groupSize();
    }

    long headTo() {
        return kvHeadTo * whole.groupSize();
    }

    AttentionShape shape() {
        return new AttentionShape(
                batchTo - batchFrom,
                headTo() - headFrom(),
                kvHeadTo - kvHeadFrom,
                queryTo - queryFrom,
                whole.seqLenKv(),
                whole.headDim(),
                whole.valueHeadDim());
    }

    /** {@return the part of {@code [batch, heads, queries, ...]}} */
    Tensor ofQueries(Tensor tensor) {
        return tensor.slice(0, batchFrom, batchTo)
                .slice(1, headFrom(), headTo())
                .slice(2, queryFrom, queryTo);
    }

    /** {@return the part of {@code [batch, key heads, keys, ...]}} */
    Tensor ofKeys(Tensor tensor) {
        return tensor.slice(0, batchFrom, batchTo).slice(1, kvHeadFrom, kvHeadTo);
    }

    /** {@return the part of what broadcasts to {@code [batch, heads, queries, keys]}} */
    Tensor cells(Tensor tensor) {
        long[][] ranges = {{batchFrom, batchTo}, {headFrom(), headTo()}, {queryFrom, queryTo}};
        Tensor cut = tensor;
        int lead = 4 - tensor.rank();
        for (int axis = lead; axis < 3; axis++) {
            if (tensor.size(axis - lead) > 1) {
                cut = cut.slice(axis - lead, ranges[axis][0], ranges[axis][1]);
            }
        }
        return cut;
    }

    int[] bands(int[] ofAllBatches) {
        return Arrays.copyOfRange(
                ofAllBatches, Math.toIntExact(batchFrom * BAND), Math.toIntExact(batchTo * BAND));
    }
}
