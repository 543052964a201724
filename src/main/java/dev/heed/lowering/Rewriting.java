package dev.heed.lowering;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;

/** One way to rewrite the rows of an attention, and to carry the gradients of the rewritten rows back. */
abstract class Rewriting {
    /**
     * Rewritten rows in the accumulator type.
     *
     * @param query {@code [batch, numHeads, seqLenQ, width]}
     * @param key {@code [batch, numKvHeads or numHeads, seqLenKv, width]}
     * @param score how they meet
     */
    record Rewritten(Tensor query, Tensor key, ScoreFunction score) {}

    abstract Rewritten rewrite(AttentionInputs inputs);

    /**
     * Writes the gradients of query, key and parameters.
     *
     * @param inner the gradients of the rewritten rows and of the inner score function; its query and key may be the very
     *     tensors of {@code gradients}
     */
    abstract void backward(AttentionInputs inputs, AttentionGradients inner, AttentionGradients gradients);

    /** {@return a place for the gradient of rewritten queries} */
    abstract Tensor queryGradient(AttentionInputs inputs, AttentionGradients gradients);

    /** {@return a place for the gradient of rewritten keys} */
    abstract Tensor keyGradient(AttentionInputs inputs, AttentionGradients gradients);

    /** Gives back what the rewriting holds. */
    void close() {}

    /** The tensor itself, or a copy in another type. */
    static Tensor as(DType type, Tensor tensor) {
        return tensor.type() == type ? tensor : tensor.to(type);
    }

    static Tensor zeros(Tensor like) {
        return Tensor.zeros(like.type().accumulator(), like.shape());
    }
}
