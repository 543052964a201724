package dev.heed.pooling;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Pooling of a sequence of any length to a fixed number of rows, by learned queries that all batch entries share (such as
 * the word context vector of Yang et al. 2016). The options set the score function, the mask and the bias.
 */
public final class QueryPooling {
    private final Tensor queries;
    private final AttentionOptions options;
    private final AttentionEngine engine;

    private QueryPooling(Tensor queries, AttentionOptions options, AttentionEngine engine) {
        this.queries = queries;
        this.options = options;
        this.engine = InvalidInputException.requirePresent("engine", engine, "AttentionEngine.AUTOMATIC");
    }

    /**
     * Creates a pooling with learned queries.
     *
     * @param queries {@code [rows, width]}
     * @param options score function, mask, bias and other options, for one head
     */
    public QueryPooling(Tensor queries, AttentionOptions options) {
        this(queries, options, AttentionEngine.AUTOMATIC);
    }

    /** {@return this pooling, computed by the given engine} */
    public QueryPooling on(AttentionEngine engine) {
        return new QueryPooling(queries, options, engine);
    }

    /**
     * {@return the pooled rows, {@code [rows, valueWidth]} or {@code [batch, rows, valueWidth]}}
     *
     * @param key {@code [length, width]} or {@code [batch, length, width]}
     * @param value {@code [length, valueWidth]} or {@code [batch, length, valueWidth]}
     */
    public Tensor forward(Tensor key, Tensor value) {
        return Axes.back(engine.forward(inputs(key, value, options)).output(), key.rank());
    }

    /**
     * The gradients of a loss with respect to the queries and the inputs.
     *
     * @param queries gradient of the queries, summed over the batch
     * @param key gradient of the keys
     * @param value gradient of the values
     * @param score gradients of the parameters of the score function, or null if it has none
     */
    public record Gradients(
            Tensor queries,
            Tensor key,
            Tensor value,
            @Nullable ScoreFunction score) {}

    /**
     * {@return the gradients of a loss with respect to the queries and the inputs}
     *
     * @param outputGradient the gradient of the loss with respect to the output of {@link #forward}
     */
    public Gradients backward(Tensor key, Tensor value, Tensor outputGradient) {
        AttentionInputs inputs = inputs(key, value, options.withLse());
        AttentionGradients g =
                engine.backward(inputs, engine.forward(inputs), Axes.four("output gradient", outputGradient), null);
        return new Gradients(
                overBatch(g.query()), Axes.back(g.key(), key.rank()), Axes.back(g.value(), value.rank()), g.score());
    }

    private Tensor overBatch(Tensor gradient) {
        Tensor sum = Tensor.zeros(DType.F64, queries.shape());
        for (long b = 0; b < gradient.size(0); b++) {
            for (long i = 0; i < queries.size(0); i++) {
                for (long d = 0; d < queries.size(1); d++) {
                    sum.set(sum.get(i, d) + gradient.get(b, 0, i, d), i, d);
                }
            }
        }
        return sum.to(queries.type());
    }

    private AttentionInputs inputs(Tensor key, Tensor value, AttentionOptions options) {
        Tensor k = Axes.four("key", key);
        Tensor q = Axes.four("queries", queries).expand(k.size(0), 1, queries.size(0), queries.size(1));
        return AttentionInputs.of(q, k, Axes.four("value", value), options);
    }
}
