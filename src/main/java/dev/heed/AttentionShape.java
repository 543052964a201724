package dev.heed;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/**
 * The sizes of one attention: query {@code [batch, numHeads, seqLenQ, headDim]}, key
 * {@code [batch, numKvHeads, seqLenKv, keyHeadDim]}, value {@code [batch, numKvHeads, seqLenKv, valueHeadDim]}, output
 * {@code [batch, numHeads, seqLenQ, valueHeadDim]}.
 *
 * @param batch the batch size
 * @param numHeads query heads; a multiple of {@code numKvHeads}
 * @param numKvHeads key and value heads; query head {@code h} reads {@code h / groupSize}
 * @param seqLenQ queries a head
 * @param seqLenKv keys a head
 * @param headDim width of a query, and of a key where the score function does not say otherwise
 * @param keyHeadDim width of a key
 * @param valueHeadDim width of a value and an output
 */
public record AttentionShape(
        long batch,
        long numHeads,
        long numKvHeads,
        long seqLenQ,
        long seqLenKv,
        long headDim,
        long keyHeadDim,
        long valueHeadDim) {

    /** The sizes of an attention whose queries and keys have the same width. */
    public AttentionShape(
            long batch, long numHeads, long numKvHeads, long seqLenQ, long seqLenKv, long headDim, long valueHeadDim) {
        this(batch, numHeads, numKvHeads, seqLenQ, seqLenKv, headDim, headDim, valueHeadDim);
    }

    /** Checks that every size is at least 1 and that the key heads divide the query heads. */
    public AttentionShape {
        long smallest = Math.min(
                Math.min(Math.min(batch, numHeads), Math.min(numKvHeads, seqLenQ)),
                Math.min(Math.min(seqLenKv, keyHeadDim), Math.min(headDim, valueHeadDim)));
        if (smallest < 1) {
            throw new InvalidInputException(
                    "Every size of an attention is at least 1",
                    "sizes of 1 or more",
                    "batch " + batch + ", numHeads " + numHeads + ", numKvHeads " + numKvHeads + ", seqLenQ " + seqLenQ
                            + ", seqLenKv " + seqLenKv + ", headDim " + headDim + ", keyHeadDim " + keyHeadDim
                            + ", valueHeadDim " + valueHeadDim,
                    "leave the call out where there is nothing to compute");
        }
        if (numHeads % numKvHeads != 0) {
            throw new InvalidInputException(
                    "The key heads do not divide the query heads",
                    "numHeads % numKvHeads == 0",
                    numHeads + " query heads, " + numKvHeads + " key heads",
                    "query head h reads key head h / (numHeads / numKvHeads)");
        }
    }

    /**
     * {@return the shape of three tensors}
     *
     * @throws InvalidInputException if they do not fit each other
     */
    public static AttentionShape of(Tensor query, Tensor key, Tensor value) {
        boolean ranks = query.rank() == 4 && key.rank() == 4 && value.rank() == 4;
        if (!ranks) {
            throw misfit(
                    "Query, key and value have four axes", "[batch, heads, sequence, width] each", query, key, value);
        }
        if (key.size(0) != query.size(0) || value.size(0) != query.size(0)) {
            throw misfit("The batch sizes differ", "batch " + query.size(0) + " in all three", query, key, value);
        }
        if (key.size(1) != value.size(1)) {
            throw misfit("Key and value have different heads", "the same number of heads", query, key, value);
        }
        if (key.size(2) != value.size(2)) {
            throw misfit("Key and value have different lengths", "one value for each key", query, key, value);
        }
        return new AttentionShape(
                query.size(0),
                query.size(1),
                key.size(1),
                query.size(2),
                key.size(2),
                query.size(3),
                key.size(3),
                value.size(3));
    }

    /** Refuses keys of a width of their own, for score functions that compare a query with a key number by number. */
    static void requireOneWidth(Tensor query, Tensor key, Tensor value) {
        if (key.size(3) != query.size(3)) {
            throw misfit(
                    "Query and key have different widths",
                    "headDim " + query.size(3) + " in both; only the value may have a width of its own",
                    query,
                    key,
                    value);
        }
    }

    private static InvalidInputException misfit(
            String subject, String expected, Tensor query, Tensor key, Tensor value) {
        return new InvalidInputException(
                subject,
                expected,
                "query " + query + ", key " + key + ", value " + value,
                "Layout.BSHD.toBhsd(tensor) and Layout.packed(tensor, numHeads) give views in the right order");
    }

    /** {@return how many query heads share one key head} */
    public long groupSize() {
        return numHeads / numKvHeads;
    }

    /** {@return multiplications and additions of both matrix products, masks ignored} */
    public double flops() {
        return 2.0 * batch * numHeads * seqLenQ * seqLenKv * (headDim + valueHeadDim);
    }
}
