package dev.heed.backend.opencl.device;

import dev.heed.AttentionShape;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * A chunk of an attention call that is computed separately: ranges of batch entries, of key/value heads with their query heads,
 * of queries and of keys. Every end of a range is exclusive.
 *
 * @param whole the shape of the attention that the chunk is cut from
 * @param batchFrom the first batch entry
 * @param batchTo the end of the batch entries
 * @param kvHeadFrom the first key/value head
 * @param kvHeadTo the end of the key/value heads
 * @param queryFrom the first query
 * @param queryTo the end of the queries
 * @param keyFrom the first key
 * @param keyTo the end of the keys
 */
public record Chunk(
        AttentionShape whole,
        long batchFrom,
        long batchTo,
        long kvHeadFrom,
        long kvHeadTo,
        long queryFrom,
        long queryTo,
        long keyFrom,
        long keyTo) {
    private static final int BAND = 4; // fields per batch entry, see DeviceMask

    public static Chunk whole(AttentionShape s) {
        return new Chunk(s, 0, s.batch(), 0, s.numKvHeads(), 0, s.seqLenQ(), 0, s.seqLenKv());
    }

    public long headFrom() {
        return kvHeadFrom * whole.groupSize();
    }

    public long headTo() {
        return kvHeadTo * whole.groupSize();
    }

    public AttentionShape shape() {
        return new AttentionShape(
                batchTo - batchFrom,
                headTo() - headFrom(),
                kvHeadTo - kvHeadFrom,
                queryTo - queryFrom,
                keyTo - keyFrom,
                whole.headDim(),
                whole.keyHeadDim(),
                whole.valueHeadDim());
    }

    /** {@return this chunk of a tensor {@code [batch, query heads, queries, ...]}} */
    public Tensor ofQueries(Tensor tensor) {
        return tensor.slice(0, batchFrom, batchTo)
                .slice(1, headFrom(), headTo())
                .slice(2, queryFrom, queryTo);
    }

    /** {@return this chunk of a tensor {@code [batch, key/value heads, keys, ...]}} */
    public Tensor ofKeys(Tensor tensor) {
        return tensor.slice(0, batchFrom, batchTo)
                .slice(1, kvHeadFrom, kvHeadTo)
                .slice(2, keyFrom, keyTo);
    }

    /** {@return this chunk of a tensor {@code [batch, query heads, queries, keys]}} */
    public Tensor ofCells(Tensor tensor) {
        return ofQueries(tensor).slice(3, keyFrom, keyTo);
    }

    /** {@return the same batch entries, heads and queries with some of the keys} */
    public Chunk withKeys(long from, long to) {
        return new Chunk(whole, batchFrom, batchTo, kvHeadFrom, kvHeadTo, queryFrom, queryTo, from, to);
    }

    /** {@return the same batch entries, heads and keys with some of the queries} */
    public Chunk withQueries(long from, long to) {
        return new Chunk(whole, batchFrom, batchTo, kvHeadFrom, kvHeadTo, from, to, keyFrom, keyTo);
    }

    /**
     * {@return the two halves of this chunk along the first axis with more than one index, in the order batch, key/value heads,
     * queries; only this chunk if each of these axes has one index}
     */
    public List<Chunk> halves() {
        if (batchTo - batchFrom > 1) {
            long middle = (batchFrom + batchTo) / 2;
            return List.of(
                    new Chunk(whole, batchFrom, middle, kvHeadFrom, kvHeadTo, queryFrom, queryTo, keyFrom, keyTo),
                    new Chunk(whole, middle, batchTo, kvHeadFrom, kvHeadTo, queryFrom, queryTo, keyFrom, keyTo));
        }
        if (kvHeadTo - kvHeadFrom > 1) {
            long middle = (kvHeadFrom + kvHeadTo) / 2;
            return List.of(
                    new Chunk(whole, batchFrom, batchTo, kvHeadFrom, middle, queryFrom, queryTo, keyFrom, keyTo),
                    new Chunk(whole, batchFrom, batchTo, middle, kvHeadTo, queryFrom, queryTo, keyFrom, keyTo));
        }
        if (queryTo - queryFrom > 1) {
            long middle = (queryFrom + queryTo) / 2;
            return List.of(
                    new Chunk(whole, batchFrom, batchTo, kvHeadFrom, kvHeadTo, queryFrom, middle, keyFrom, keyTo),
                    new Chunk(whole, batchFrom, batchTo, kvHeadFrom, kvHeadTo, middle, queryTo, keyFrom, keyTo));
        }
        return List.of(this);
    }

    /** {@return this chunk of a tensor that broadcasts to {@code [batch, query heads, queries, keys]}} */
    public Tensor cells(Tensor tensor) {
        return cells(tensor, 1, 1);
    }

    /**
     * {@return the cells that contain queries and keys of this chunk, of a tensor that broadcasts to
     * {@code [batch, query heads, ceil(queries / cellQueries), ceil(keys / cellKeys)]}}
     */
    public Tensor cells(Tensor tensor, long cellQueries, long cellKeys) {
        return cut(
                tensor,
                queryFrom / cellQueries,
                Math.ceilDiv(queryTo, cellQueries),
                keyFrom / cellKeys,
                Math.ceilDiv(keyTo, cellKeys));
    }

    /** {@return batch entries and heads of this chunk, and ranges of the last two axes; an axis of size 1 stays} */
    private Tensor cut(Tensor tensor, long thirdFrom, long thirdTo, long fourthFrom, long fourthTo) {
        long[][] ranges = {{batchFrom, batchTo}, {headFrom(), headTo()}, {thirdFrom, thirdTo}, {fourthFrom, fourthTo}};
        Tensor cut = tensor;
        int lead = 4 - tensor.rank();
        for (int axis = lead; axis < 4; axis++) {
            if (tensor.size(axis - lead) > 1) {
                cut = cut.slice(axis - lead, ranges[axis][0], ranges[axis][1]);
            }
        }
        return cut;
    }

    /** {@return this chunk of a tensor {@code [batch, query heads, queries, ...]} whose first three axes may broadcast} */
    public Tensor ofRowsThatBroadcast(Tensor tensor) {
        return cut(tensor, queryFrom, queryTo, 0, tensor.size(3));
    }

    /** {@return this chunk of a tensor that broadcasts to {@code [batch, query heads, queries]}} */
    public Tensor rowsThatBroadcast(Tensor tensor) {
        return cells(tensor.unsqueeze(tensor.rank())).select(tensor.rank(), 0);
    }

    /** {@return the bands of a mask for the batch entries of this chunk, from the bands for all batch entries} */
    public int[] bands(int[] ofAllBatches) {
        return Arrays.copyOfRange(ofAllBatches, Math.toIntExact(batchFrom * BAND), Math.toIntExact(batchTo * BAND));
    }
}
