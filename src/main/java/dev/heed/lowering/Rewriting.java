package dev.heed.lowering;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/** The rewriting of the query and key rows of an attention problem for one kind of score function, and its backward pass. */
abstract class Rewriting {
    /**
     * Rewritten rows in the accumulator type; {@code width} is the number of elements of a rewritten row.
     *
     * @param query {@code [batch, numHeads, seqLenQ, width]}
     * @param key {@code [batch, numKvHeads or numHeads, seqLenKv, width]}
     * @param score the score function of the rewritten rows
     */
    record Rewritten(Tensor query, Tensor key, ScoreFunction score) {}

    abstract Rewritten rewrite(AttentionInputs inputs);

    /**
     * Writes the gradients of the original queries, keys and score parameters.
     *
     * @param inner the gradients of the rewritten rows and of the inner score function; its query and key may be the same
     *     tensors as in {@code gradients}
     */
    abstract void backward(AttentionInputs inputs, AttentionGradients inner, AttentionGradients gradients);

    /** {@return a tensor in which to compute the gradient of the rewritten queries} */
    abstract Tensor queryGradient(AttentionInputs inputs, AttentionGradients gradients);

    /** {@return a tensor in which to compute the gradient of the rewritten keys} */
    abstract Tensor keyGradient(AttentionInputs inputs, AttentionGradients gradients);

    /** Closes the plans of the rewriting. */
    void close() {}

    /** {@return the tensor itself if it has the type, else a copy in that type} */
    static Tensor as(DType type, Tensor tensor) {
        return tensor.type() == type ? tensor : tensor.to(type);
    }

    static Tensor zeros(Tensor like) {
        return Tensor.zeros(like.type().accumulator(), like.shape());
    }
}
