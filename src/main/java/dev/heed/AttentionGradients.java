package dev.heed;

import dev.heed.score.ScoreFunction;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The tensors to which the backward pass of an attention writes the gradients of its inputs. Each gradient has the shape
 * and type of its input. Immutable and compared by value, except that tensors are compared by identity.
 */
public final class AttentionGradients {
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private final @Nullable Tensor bias;
    private final @Nullable Tensor sink;
    private final @Nullable ScoreFunction score;

    private AttentionGradients(
            Tensor query,
            Tensor key,
            Tensor value,
            @Nullable Tensor bias,
            @Nullable Tensor sink,
            @Nullable ScoreFunction score) {
        this.query = InputCheck.target("gradient of the query", query);
        this.key = InputCheck.target("gradient of the key", key);
        this.value = InputCheck.target("gradient of the value", value);
        this.bias = bias;
        this.sink = sink;
        this.score = score;
    }

    /** {@return gradients of query, key and value only, to be written to these tensors} */
    public static AttentionGradients into(Tensor query, Tensor key, Tensor value) {
        return new AttentionGradients(query, key, value, null, null, null);
    }

    /** {@return these gradients with a tensor for the gradient of the bias; null leaves it out} */
    public AttentionGradients withBias(@Nullable Tensor gradient) {
        return new AttentionGradients(query, key, value, gradient, sink, score);
    }

    /** {@return these gradients with a tensor for the gradient of the sink; null leaves it out} */
    public AttentionGradients withSink(@Nullable Tensor gradient) {
        return new AttentionGradients(query, key, value, bias, gradient, score);
    }

    /**
     * {@return these gradients with tensors for the gradients of the score function's parameters; null leaves them out}
     *
     * @param gradients a function of the same kind, whose parameters are the tensors to write to
     */
    public AttentionGradients withScore(@Nullable ScoreFunction gradients) {
        return new AttentionGradients(query, key, value, bias, sink, gradients);
    }

    /** {@return the gradient of the query} */
    public Tensor query() {
        return query;
    }

    /** {@return the gradient of the key, summed over the query heads that share it} */
    public Tensor key() {
        return key;
    }

    /** {@return the gradient of the value, summed over the query heads that share it} */
    public Tensor value() {
        return value;
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

    /** {@return zero-filled tensors for the gradients of query, key, value and, if present, bias, sink and score parameters} */
    public static AttentionGradients allocate(AttentionInputs inputs) {
        AttentionOptions options = inputs.options();
        return new AttentionGradients(
                like(inputs.query()),
                like(inputs.key()),
                like(inputs.value()),
                orNull(options.bias()),
                orNull(options.sink()),
                score(options, AttentionGradients::like));
    }

    /** {@return tensors made by the allocator, for the same gradients as in {@link #allocate(AttentionInputs)}} */
    public static AttentionGradients allocate(AttentionInputs inputs, AttentionResult.Allocator allocator) {
        AttentionOptions options = inputs.options();
        return new AttentionGradients(
                like(inputs.query(), allocator),
                like(inputs.key(), allocator),
                like(inputs.value(), allocator),
                options.bias() == null ? null : like(options.bias(), allocator),
                options.sink() == null ? null : like(options.sink(), allocator),
                score(options, tensor -> like(tensor, allocator)));
    }

    static @Nullable ScoreFunction score(AttentionOptions options, UnaryOperator<Tensor> like) {
        return options.score().parameters().isEmpty() ? null : options.score().map(like);
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
        requireLike(score, inputs.options().score());
    }

    static void requireLike(@Nullable ScoreFunction gradient, ScoreFunction score) {
        if (gradient == null) {
            return;
        }
        if (!gradient.pattern().equals(score.pattern())) {
            throw new InvalidInputException(
                    "The gradients of the score function are of another function",
                    score.pattern().toString(),
                    gradient.pattern().toString(),
                    "AttentionGradients.allocate(inputs)");
        }
        Map<String, Tensor> places = gradient.parameters();
        score.parameters()
                .forEach((name, parameter) -> requireLike("gradient of " + name, places.get(name), parameter));
    }

    static void requireLike(String name, @Nullable Tensor gradient, @Nullable Tensor input) {
        if (input != null) {
            InputCheck.output(name, gradient, false, input.type(), input.shape());
        }
    }

    /** {@return the tensors to which gradients are written; null if the gradient of bias or sink is left out} */
    public List<@Nullable Tensor> tensors() {
        List<@Nullable Tensor> tensors = new ArrayList<>();
        tensors.addAll(Arrays.asList(query, key, value, bias, sink));
        if (score != null) {
            tensors.addAll(score.parameters().values());
        }
        return tensors;
    }

    private Values values() {
        return Values.of("query", query, "key", key, "value", value, "bias", bias, "sink", sink, "score", score);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AttentionGradients gradients && values().equals(gradients.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().in(AttentionGradients.class);
    }
}
