package dev.heed;

import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the backward pass of an attention writes: the gradients of its inputs, each with the shape and type of the input.
 *
 * @param query the gradient of the query
 * @param key the gradient of the key, summed over the query heads that share it
 * @param value the gradient of the value, summed likewise
 * @param bias the gradient of the bias, summed over the axes it was broadcast along; null if there is no bias or its
 *     gradient is not wanted
 * @param sink the gradient of the sink; null if there is none or its gradient is not wanted
 */
public record AttentionGradients(
        Tensor query,
        Tensor key,
        Tensor value,
        @Nullable Tensor bias,
        @Nullable Tensor sink) {

    /** {@return gradients of zeros for every input that has one} */
    public static AttentionGradients allocate(AttentionInputs inputs) {
        AttentionOptions options = inputs.options();
        return new AttentionGradients(
                like(inputs.query()),
                like(inputs.key()),
                like(inputs.value()),
                orNull(options.bias()),
                orNull(options.sink()));
    }

    /** {@return gradients of tensors that the allocator makes, for every input that has one} */
    public static AttentionGradients allocate(AttentionInputs inputs, AttentionResult.Allocator allocator) {
        AttentionOptions options = inputs.options();
        return new AttentionGradients(
                like(inputs.query(), allocator),
                like(inputs.key(), allocator),
                like(inputs.value(), allocator),
                options.bias() == null ? null : like(options.bias(), allocator),
                options.sink() == null ? null : like(options.sink(), allocator));
    }

    static Tensor like(Tensor tensor, AttentionResult.Allocator allocator) {
        return allocator.allocate(tensor.type(), tensor.shape());
    }

    static Tensor like(Tensor tensor) {
        return Tensor.zeros(tensor.type(), tensor.shape());
    }

    static @Nullable Tensor orNull(@Nullable Tensor tensor) {
        return tensor == null ? null : like(tensor);
    }

    void requireFits(AttentionInputs inputs) {
        requireLike("query gradient", query, inputs.query());
        requireLike("key gradient", key, inputs.key());
        requireLike("value gradient", value, inputs.value());
        requireLike("bias gradient", bias, inputs.options().bias());
        requireLike("sink gradient", sink, inputs.options().sink());
    }

    static void requireLike(String name, @Nullable Tensor gradient, @Nullable Tensor input) {
        if (input != null) {
            InputCheck.output(name, gradient, false, input.type(), input.shape());
        }
    }

    /** {@return every tensor that is written; null for what is not wanted} */
    public List<@Nullable Tensor> tensors() {
        return Arrays.asList(query, key, value, bias, sink);
    }
}
