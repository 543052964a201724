package dev.heed;

import dev.heed.score.ScoreFunction;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tensors to which the backward pass of a multi-head attention writes the gradients of its inputs and parameters. Each
 * gradient has the shape and type of its input. Immutable and compared by value, except that tensors are compared by
 * identity.
 */
public final class MultiHeadGradients {
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private final MultiHeadWeights weights;
    private final @Nullable Tensor bias;
    private final @Nullable Tensor sink;
    private final @Nullable ScoreFunction score;

    private MultiHeadGradients(
            Tensor query,
            Tensor key,
            Tensor value,
            MultiHeadWeights weights,
            @Nullable Tensor bias,
            @Nullable Tensor sink,
            @Nullable ScoreFunction score) {
        this.query = InputCheck.target("gradient of the query", query);
        this.key = InputCheck.target("gradient of the key", key);
        this.value = InputCheck.target("gradient of the value", value);
        this.weights =
                InvalidInputException.requirePresent("gradients of the weights", weights, "MultiHeadWeights.of(...)");
        this.bias = bias;
        this.sink = sink;
        this.score = score;
    }

    /** {@return gradients of the inputs and the weights only, to be written to these tensors} */
    public static MultiHeadGradients into(Tensor query, Tensor key, Tensor value, MultiHeadWeights weights) {
        return new MultiHeadGradients(query, key, value, weights, null, null, null);
    }

    /** {@return these gradients with a tensor for the gradient of the bias; null leaves it out} */
    public MultiHeadGradients withBias(@Nullable Tensor gradient) {
        return new MultiHeadGradients(query, key, value, weights, gradient, sink, score);
    }

    /** {@return these gradients with a tensor for the gradient of the sink; null leaves it out} */
    public MultiHeadGradients withSink(@Nullable Tensor gradient) {
        return new MultiHeadGradients(query, key, value, weights, bias, gradient, score);
    }

    /**
     * {@return these gradients with tensors for the gradients of the score function's parameters; null leaves them out}
     *
     * @param gradients a function of the same kind, whose parameters are the tensors to write to
     */
    public MultiHeadGradients withScore(@Nullable ScoreFunction gradients) {
        return new MultiHeadGradients(query, key, value, weights, bias, sink, gradients);
    }

    /** {@return the gradient of the query input} */
    public Tensor query() {
        return query;
    }

    /** {@return the gradient of the key input} */
    public Tensor key() {
        return key;
    }

    /** {@return the gradient of the value input; for self-attention the caller adds the gradients of query, key and value} */
    public Tensor value() {
        return value;
    }

    /** {@return the gradients of the parameters} */
    public MultiHeadWeights weights() {
        return weights;
    }

    /** {@return the gradient of the bias, summed over the axes it was broadcast along, or null} */
    public @Nullable Tensor bias() {
        return bias;
    }

    /** {@return the gradient of the sink, or null} */
    public @Nullable Tensor sink() {
        return sink;
    }

    /** {@return the gradients of the score function's parameters, in a function of the same kind, or null} */
    public @Nullable ScoreFunction score() {
        return score;
    }

    /**
     * {@return zero-filled tensors for the gradients of inputs and weights and, if present, of bias, sink and score
     * parameters}
     */
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

    /** {@return tensors made by the allocator, for the same gradients as in {@link #allocate(MultiHeadInputs)}} */
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

    /** {@return the tensors to which gradients are written; null for a tensor that is left out} */
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

    private Values values() {
        return Values.of(
                "query", query, "key", key, "value", value, "weights", weights, "bias", bias, "sink", sink, "score",
                score);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MultiHeadGradients gradients && values().equals(gradients.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().in(MultiHeadGradients.class);
    }
}
