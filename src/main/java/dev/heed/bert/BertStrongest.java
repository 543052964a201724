package dev.heed.bert;

import dev.heed.tensor.Tensor;

/**
 * The largest attention weights of each token in one layer, selected by the kernels without a matrix of all weights.
 *
 * @param weights f32 {@code [heads, tokens, topK]}, the largest first
 * @param keys the token indices of these weights, i64 of the same shape; -1 in entries beyond the number of tokens
 */
public record BertStrongest(Tensor weights, Tensor keys) {}
