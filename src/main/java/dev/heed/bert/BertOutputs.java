package dev.heed.bert;

import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The tensors for the optional outputs of the attention of one layer, for one sentence. A tensor is null if its output
 * is not requested.
 *
 * @param rows the indices of the query rows of {@code rowWeights}; empty if they are not requested
 * @param weights {@code [1, heads, tokens, tokens]}
 * @param rowWeights {@code [1, heads, rows, tokens]}
 * @param topKWeights {@code [1, heads, tokens, topK]}
 * @param topKKeys the key indices of {@code topKWeights}, i64, of the same shape
 */
record BertOutputs(
        long[] rows,
        @Nullable Tensor weights,
        @Nullable Tensor rowWeights,
        @Nullable Tensor topKWeights,
        @Nullable Tensor topKKeys) {

    static final BertOutputs NOTHING = new BertOutputs(new long[0], null, null, null, null);

    static BertOutputs weights(int heads, int tokens) {
        return new BertOutputs(NOTHING.rows, Tensor.zeros(DType.F32, 1, heads, tokens, tokens), null, null, null);
    }

    static BertOutputs rows(int heads, int tokens, long... rows) {
        return new BertOutputs(rows.clone(), null, Tensor.zeros(DType.F32, 1, heads, rows.length, tokens), null, null);
    }

    static BertOutputs strongest(int heads, int tokens, int topK) {
        return new BertOutputs(
                NOTHING.rows,
                null,
                null,
                Tensor.zeros(DType.F32, 1, heads, tokens, topK),
                Tensor.zeros(DType.I64, 1, heads, tokens, topK));
    }

    /** {@return the given options, extended by requests for these outputs} */
    AttentionOptions options(AttentionOptions others) {
        AttentionOptions options = weights == null ? others : others.withWeights();
        options = rows.length == 0 ? options : options.withRows(rows);
        return topKWeights == null ? options : options.withTopK((int) topKWeights.size(3));
    }

    AttentionResult result(Tensor output) {
        return AttentionResult.into(output)
                .withWeights(weights)
                .withRowWeights(rowWeights)
                .withTopK(topKWeights, topKKeys);
    }

    /** {@return the tensor of an output without its batch axis} */
    static Tensor only(@Nullable Tensor requested) {
        return Objects.requireNonNull(requested).select(0, 0);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    @Override
    public String toString() {
        return "rows " + Arrays.toString(rows) + ", weights " + weights + ", largest " + topKWeights;
    }
}
