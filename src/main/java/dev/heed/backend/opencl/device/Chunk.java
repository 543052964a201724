package dev.heed.backend.opencl.device;

import dev.heed.AttentionShape;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * A part of an attention that is computed by itself: some batches, some key heads with their query heads, some queries, and
 * of these perhaps only some of the keys.
 *
 * @param whole the shape of the whole
 * @param batchFrom the first batch
 * @param batchTo behind the last
 * @param kvHeadFrom the first key head
 * @param kvHeadTo behind the last
 * @param queryFrom the first query
 * @param queryTo behind the last
 * @param keyFrom the first key
 * @param keyTo behind the last
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
    private static final int BAND = 4;

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

    /** {@return the part of {@code [batch, heads, queries, ...]}} */
    public Tensor ofQueries(Tensor tensor) {
        return tensor.slice(0, batchFrom, batchTo)
                .slice(1, headFrom(), headTo())
                .slice(2, queryFrom, queryTo);
    }

    /** {@return the part of {@code [batch, key heads, keys, ...]}} */
    public Tensor ofKeys(Tensor tensor) {
        return tensor.slice(0, batchFrom, batchTo)
                .slice(1, kvHeadFrom, kvHeadTo)
                .slice(2, keyFrom, keyTo);
    }

    /** {@return the part of {@code [batch, heads, queries, keys]}} */
    public Tensor ofCells(Tensor tensor) {
        return ofQueries(tensor).slice(3, keyFrom, keyTo);
    }

    /** {@return the same batches, heads and queries with some of the keys} */
    public Chunk withKeys(long from, long to) {
        return new Chunk(whole, batchFrom, batchTo, kvHeadFrom, kvHeadTo, queryFrom, queryTo, from, to);
    }

    /** {@return the same batches, heads and keys with some of the queries} */
    public Chunk withQueries(long from, long to) {
        return new Chunk(whole, batchFrom, batchTo, kvHeadFrom, kvHeadTo, from, to, keyFrom, keyTo);
    }

    /** {@return two halves along the batch, else the heads, else the queries; itself alone where it has one of each} */
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

    /** {@return the part of what broadcasts to {@code [batch, heads, queries, keys]}} */
    public Tensor cells(Tensor tensor) {
        long[][] ranges = {{batchFrom, batchTo}, {headFrom(), headTo()}, {queryFrom, queryTo}, {keyFrom, keyTo}};
        Tensor cut = tensor;
        int lead = 4 - tensor.rank();
        for (int axis = lead; axis < 4; axis++) {
            if (tensor.size(axis - lead) > 1) {
                cut = cut.slice(axis - lead, ranges[axis][0], ranges[axis][1]);
            }
        }
        return cut;
    }

    /** {@return the part of what broadcasts to {@code [batch, heads, queries]}} */
    public Tensor rowsThatBroadcast(Tensor tensor) {
        return cells(tensor.unsqueeze(tensor.rank())).select(tensor.rank(), 0);
    }

    public int[] bands(int[] ofAllBatches) {
        return Arrays.copyOfRange(ofAllBatches, Math.toIntExact(batchFrom * BAND), Math.toIntExact(batchTo * BAND));
    }
}
