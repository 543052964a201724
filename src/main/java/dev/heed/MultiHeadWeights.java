package dev.heed;

import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of multi-head attention (Vaswani et al. 2017, section 3.2.2): {@code y = x W + b} for each projection.
 * Weights stored the other way round, as PyTorch's {@code [out, in]}, are passed as {@code tensor.transpose(0, 1)}.
 *
 * @param query {@code [embedQ, numHeads * headDim]}
 * @param key {@code [embedK, numKvHeads * headDim]}
 * @param value {@code [embedV, numKvHeads * valueHeadDim]}
 * @param output {@code [numHeads * valueHeadDim, embedOut]}
 * @param queryBias {@code [numHeads * headDim]}, or null
 * @param keyBias {@code [numKvHeads * headDim]}, or null
 * @param valueBias {@code [numKvHeads * valueHeadDim]}, or null
 * @param outputBias {@code [embedOut]}, or null
 */
public record MultiHeadWeights(
        Tensor query,
        Tensor key,
        Tensor value,
        Tensor output,
        @Nullable Tensor queryBias,
        @Nullable Tensor keyBias,
        @Nullable Tensor valueBias,
        @Nullable Tensor outputBias) {

    /** {@return the parameters without biases} */
    public static MultiHeadWeights of(Tensor query, Tensor key, Tensor value, Tensor output) {
        return new MultiHeadWeights(query, key, value, output, null, null, null, null);
    }

    /**
     * {@return the same parameters with the promise that they change no more, see {@link Tensor#asConstant}} A backend
     * packs them once, at their first use.
     */
    public MultiHeadWeights asConstant() {
        return new MultiHeadWeights(
                query.asConstant(),
                key.asConstant(),
                value.asConstant(),
                output.asConstant(),
                constant(queryBias),
                constant(keyBias),
                constant(valueBias),
                constant(outputBias));
    }

    private static @Nullable Tensor constant(@Nullable Tensor bias) {
        return bias == null ? null : bias.asConstant();
    }

    /** {@return zeros of the same shapes, for gradients} */
    public MultiHeadWeights zerosLike() {
        return new MultiHeadWeights(
                AttentionGradients.like(query),
                AttentionGradients.like(key),
                AttentionGradients.like(value),
                AttentionGradients.like(output),
                AttentionGradients.orNull(queryBias),
                AttentionGradients.orNull(keyBias),
                AttentionGradients.orNull(valueBias),
                AttentionGradients.orNull(outputBias));
    }

    MultiHeadWeights like(AttentionResult.Allocator allocator) {
        return new MultiHeadWeights(
                AttentionGradients.like(query, allocator),
                AttentionGradients.like(key, allocator),
                AttentionGradients.like(value, allocator),
                AttentionGradients.like(output, allocator),
                queryBias == null ? null : AttentionGradients.like(queryBias, allocator),
                keyBias == null ? null : AttentionGradients.like(keyBias, allocator),
                valueBias == null ? null : AttentionGradients.like(valueBias, allocator),
                outputBias == null ? null : AttentionGradients.like(outputBias, allocator));
    }

    List<@Nullable Tensor> tensors() {
        return Arrays.asList(query, key, value, output, queryBias, keyBias, valueBias, outputBias);
    }
}
