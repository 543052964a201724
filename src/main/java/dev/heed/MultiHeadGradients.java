package dev.heed;

import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the backward pass of a multi-head attention writes, each with the shape and type of the input it belongs to.
 *
 * @param query the gradient of the query input
 * @param key the gradient of the key input
 * @param value the gradient of the value input; for self-attention the caller adds the three
 * @param weights the gradients of the parameters
 * @param bias the gradient of the attention's bias, or null
 * @param sink the gradient of the attention's sink, or null
 * @param score the gradients of the score function's parameters, or null
 */
public record MultiHeadGradients(
        Tensor query,
        Tensor key,
        Tensor value,
        MultiHeadWeights weights,
        @Nullable Tensor bias,
        @Nullable Tensor sink,
        @Nullable ScoreFunction score) {

    /** {@return gradients of zeros for every input that has one} */
    public static MultiHeadGradients allocate(MultiHeadInputs inputs) {
        return new MultiHeadGradients(
                AttentionGradients.like(inputs.query()),
                AttentionGradients.like(inputs.key()),
                AttentionGradients.like(inputs.value()),
                inputs.weights().zerosLike(),
                AttentionGradients.orNull(inputs.options().bias()),
                AttentionGradients.orNull(inputs.options().sink()),
                AttentionGradients.score(inputs.options(), AttentionGradients::like));
    }

    /** {@return gradients of tensors that the allocator makes, for every input that has one} */
    public static MultiHeadGradients allocate(MultiHeadInputs inputs, AttentionResult.Allocator allocator) {
        AttentionOptions options = inputs.options();
        return new MultiHeadGradients(
                AttentionGradients.like(inputs.query(), allocator),
                AttentionGradients.like(inputs.key(), allocator),
                AttentionGradients.like(inputs.value(), allocator),
                inputs.weights().like(allocator),
                options.bias() == null ? null : AttentionGradients.like(options.bias(), allocator),
                options.sink() == null ? null : AttentionGradients.like(options.sink(), allocator),
                AttentionGradients.score(options, tensor -> AttentionGradients.like(tensor, allocator)));
    }

    void requireFits(MultiHeadInputs inputs) {
        AttentionGradients.requireLike("query gradient", query, inputs.query());
        AttentionGradients.requireLike("key gradient", key, inputs.key());
        AttentionGradients.requireLike("value gradient", value, inputs.value());
        List<@Nullable Tensor> parameters = inputs.weights().tensors();
        List<@Nullable Tensor> slots = weights.tensors();
        for (int i = 0; i < parameters.size(); i++) {
            AttentionGradients.requireLike("parameter gradient", slots.get(i), parameters.get(i));
        }
        AttentionGradients.requireLike("bias gradient", bias, inputs.options().bias());
        AttentionGradients.requireLike("sink gradient", sink, inputs.options().sink());
        AttentionGradients.requireLike(score, inputs.options().score());
    }

    /** {@return every tensor that is written; null for what is not wanted} */
    public List<@Nullable Tensor> tensors() {
        List<@Nullable Tensor> tensors = new ArrayList<>(List.of(query, key, value));
        tensors.addAll(weights.tensors());
        tensors.add(bias);
        tensors.add(sink);
        if (score != null) {
            tensors.addAll(score.parameters().values());
        }
        return tensors;
    }
}
