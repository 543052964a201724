package dev.heed.pooling;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A sequence of any length pooled to a fixed number of rows by learned queries that all batches share (such as the word context
 * vector of Yang et al. 2016). Score function, mask, bias and the rest are
 * those of the options.
 */
public final class QueryPooling {
    private final Tensor queries;
    private final AttentionOptions options;
    private final AttentionEngine engine;

    private QueryPooling(Tensor queries, AttentionOptions options, AttentionEngine engine) {
        this.queries = queries;
        this.options = options;
        this.engine = engine;
    }

    /**
     * Creates the pooling.
     *
     * @param queries {@code [rows, width]}
     * @param options score function, mask and the rest, for one head
     */
    public QueryPooling(Tensor queries, AttentionOptions options) {
        this(queries, options, AttentionEngine.AUTOMATIC);
    }

    /** {@return the same, computed by an engine} */
    public QueryPooling on(AttentionEngine engine) {
        return new QueryPooling(queries, options, engine);
    }

    /**
     * {@return the pooled rows, {@code [rows, valueWidth]} or {@code [batch, rows, valueWidth]}}
     *
     * @param key {@code [length, width]} or {@code [batch, length, width]}
     * @param value {@code [length, valueWidth]}, or with the batch
     */
    public Tensor forward(Tensor key, Tensor value) {
        return Axes.back(engine.forward(inputs(key, value, options)).output(), key.rank());
    }

    /**
     * The gradients of a loss.
     *
     * @param queries that of the queries, summed over the batch
     * @param key that of the keys
     * @param value that of the values
     * @param score those of the score function's parameters, or null if it has none
     */
    public record Gradients(
            Tensor queries,
            Tensor key,
            Tensor value,
            @Nullable ScoreFunction score) {}

    /**
     * {@return the gradients of a loss}
     *
     * @param outputGradient the gradient with respect to what {@link #forward} gave
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
