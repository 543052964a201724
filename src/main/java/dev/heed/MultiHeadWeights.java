package dev.heed;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of multi-head attention (Vaswani et al. 2017, section 3.2.2): a matrix {@code W} and an optional bias
 * {@code b} for each projection {@code y = x W + b}. Weights stored as {@code [out, in]}, as in PyTorch, are passed as
 * {@code tensor.transpose(0, 1)}. Immutable and compared by value, except that tensors are compared by identity.
 */
public final class MultiHeadWeights {
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private final Tensor output;
    private final @Nullable Tensor queryBias;
    private final @Nullable Tensor keyBias;
    private final @Nullable Tensor valueBias;
    private final @Nullable Tensor outputBias;

    private MultiHeadWeights(
            Tensor query,
            Tensor key,
            Tensor value,
            Tensor output,
            @Nullable Tensor queryBias,
            @Nullable Tensor keyBias,
            @Nullable Tensor valueBias,
            @Nullable Tensor outputBias) {
        this.query = InvalidInputException.requirePresent("query weight", query, "weights are tensors [in, out]");
        this.key = InvalidInputException.requirePresent("key weight", key, "weights are tensors [in, out]");
        this.value = InvalidInputException.requirePresent("value weight", value, "weights are tensors [in, out]");
        this.output = InvalidInputException.requirePresent("output weight", output, "weights are tensors [in, out]");
        this.queryBias = queryBias;
        this.keyBias = keyBias;
        this.valueBias = valueBias;
        this.outputBias = outputBias;
    }

    /** {@return the parameters without biases} */
    public static MultiHeadWeights of(Tensor query, Tensor key, Tensor value, Tensor output) {
        return new MultiHeadWeights(query, key, value, output, null, null, null, null);
    }

    /** {@return these parameters with biases; null for a projection without a bias} */
    public MultiHeadWeights withBiases(
            @Nullable Tensor ofQuery, @Nullable Tensor ofKey, @Nullable Tensor ofValue, @Nullable Tensor ofOutput) {
        return new MultiHeadWeights(query, key, value, output, ofQuery, ofKey, ofValue, ofOutput);
    }

    /** {@return the query weights, {@code [embedQ, numHeads * headDim]}} */
    public Tensor query() {
        return query;
    }

    /** {@return the key weights, {@code [embedK, numKvHeads * headDim]}} */
    public Tensor key() {
        return key;
    }

    /** {@return the value weights, {@code [embedV, numKvHeads * valueHeadDim]}} */
    public Tensor value() {
        return value;
    }

    /** {@return the output weights, {@code [numHeads * valueHeadDim, embedOut]}} */
    public Tensor output() {
        return output;
    }

    /** {@return the query bias, {@code [numHeads * headDim]}, or null} */
    public @Nullable Tensor queryBias() {
        return queryBias;
    }

    /** {@return the key bias, {@code [numKvHeads * headDim]}, or null} */
    public @Nullable Tensor keyBias() {
        return keyBias;
    }

    /** {@return the value bias, {@code [numKvHeads * valueHeadDim]}, or null} */
    public @Nullable Tensor valueBias() {
        return valueBias;
    }

    /** {@return the output bias, {@code [embedOut]}, or null} */
    public @Nullable Tensor outputBias() {
        return outputBias;
    }

    /**
     * {@return the same parameters as constants, which the caller promises not to change: {@link Tensor#asConstant}} A
     * backend may pack constants once, at their first use.
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

    /** {@return zeros of the same shapes and types, for gradients} */
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

    private Values values() {
        return Values.of(
                "query",
                query,
                "key",
                key,
                "value",
                value,
                "output",
                output,
                "queryBias",
                queryBias,
                "keyBias",
                keyBias,
                "valueBias",
                valueBias,
                "outputBias",
                outputBias);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MultiHeadWeights weights && values().equals(weights.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().in(MultiHeadWeights.class);
    }
}
