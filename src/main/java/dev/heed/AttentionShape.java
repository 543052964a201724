package dev.heed;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/**
 * The sizes of one attention: query {@code [batch, numHeads, seqLenQ, headDim]}, key {@code [batch, numKvHeads, seqLenKv,
 * keyHeadDim]}, value {@code [batch, numKvHeads, seqLenKv, valueHeadDim]}, output {@code [batch, numHeads, seqLenQ,
 * valueHeadDim]}.
 *
 * @param batch the batch size
 * @param numHeads query heads; a multiple of {@code numKvHeads}
 * @param numKvHeads key/value heads; query head {@code h} reads key/value head {@code h / groupSize}, rounded down
 * @param seqLenQ queries per head
 * @param seqLenKv keys per head
 * @param headDim elements of a query
 * @param keyHeadDim elements of a key; differs from {@code headDim} only for some score functions
 * @param valueHeadDim elements of a value and of an output row
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

    /** Creates the sizes of an attention in which a query and a key have {@code headDim} elements each. */
    public AttentionShape(
            long batch, long numHeads, long numKvHeads, long seqLenQ, long seqLenKv, long headDim, long valueHeadDim) {
        this(batch, numHeads, numKvHeads, seqLenQ, seqLenKv, headDim, headDim, valueHeadDim);
    }

    /** Checks that every size is at least 1 and that {@code numKvHeads} divides {@code numHeads}. */
    public AttentionShape {
        long smallest = Math.min(
                Math.min(Math.min(batch, numHeads), Math.min(numKvHeads, seqLenQ)),
                Math.min(Math.min(seqLenKv, keyHeadDim), Math.min(headDim, valueHeadDim)));
        if (smallest < 1) {
            throw new InvalidInputException(
                    "Every size of an attention must be at least 1",
                    "sizes of 1 or more",
                    "batch " + batch + ", numHeads " + numHeads + ", numKvHeads " + numKvHeads + ", seqLenQ " + seqLenQ
                            + ", seqLenKv " + seqLenKv + ", headDim " + headDim + ", keyHeadDim " + keyHeadDim
                            + ", valueHeadDim " + valueHeadDim,
                    "skip the call if there is nothing to compute");
        }
        if (numHeads % numKvHeads != 0) {
            throw new InvalidInputException(
                    "numKvHeads does not divide numHeads",
                    "numHeads % numKvHeads == 0",
                    numHeads + " query heads, " + numKvHeads + " key/value heads",
                    "query head h reads key/value head h / (numHeads / numKvHeads)");
        }
    }

    /**
     * {@return the shape of an attention of these tensors}
     *
     * @throws InvalidInputException if the tensors do not fit each other
     */
    public static AttentionShape of(Tensor query, Tensor key, Tensor value) {
        boolean ranks = query.rank() == 4 && key.rank() == 4 && value.rank() == 4;
        if (!ranks) {
            throw misfit(
                    "Query, key and value must have four axes",
                    "[batch, heads, sequence, headDim] each",
                    query,
                    key,
                    value);
        }
        if (key.size(0) != query.size(0) || value.size(0) != query.size(0)) {
            throw misfit("The batch sizes differ", "batch " + query.size(0) + " in all three", query, key, value);
        }
        if (key.size(1) != value.size(1)) {
            throw misfit(
                    "Key and value have different numbers of heads", "the same number of heads", query, key, value);
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

    /** Checks that keys have {@code headDim} elements, as some score functions require. */
    static void requireOneWidth(Tensor query, Tensor key, Tensor value) {
        if (key.size(3) != query.size(3)) {
            throw misfit(
                    "Query and key differ in headDim",
                    "headDim " + query.size(3) + " in both; only the value may have another size",
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

    /** {@return the number of query heads that share one key/value head} */
    public long groupSize() {
        return numHeads / numKvHeads;
    }

    /** {@return the number of multiplications and additions of both matrix products, masked cells included} */
    public double flops() {
        return 2.0 * batch * numHeads * seqLenQ * seqLenKv * (headDim + valueHeadDim);
    }
}
