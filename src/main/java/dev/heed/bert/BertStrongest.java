package dev.heed.bert;

import dev.heed.tensor.Tensor;

/**
 * The largest attention weights of each token in one layer, as the kernels select them: no matrix of all weights is made.
 *
 * @param weights f32 {@code [heads, tokens, topK]}, the largest first
 * @param keys i64 of the same shape, the tokens looked at; -1 where there are fewer
 */
public record BertStrongest(Tensor weights, Tensor keys) {}
