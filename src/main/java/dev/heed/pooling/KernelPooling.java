package dev.heed.pooling;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Kernel regression, {@code f(x) = sum_i K(x - x_i) y_i / sum_j K(x - x_j)} (Nadaraya 1964; Watson 1964), as an attention of
 * queries {@code x} over keys {@code x_i} with values {@code y_i}. Queries and keys have any width. A query that no key is
 * near enough to gets 0.
 *
 * <p>The Gaussian runs on every backend. Boxcar and Epanechikov are score functions of a caller, which the CPU backends
 * compute.
 */
public final class KernelPooling {
    private final SmoothingKernel kernel;
    private final AttentionEngine engine;

    private KernelPooling(SmoothingKernel kernel, AttentionEngine engine) {
        this.kernel = kernel;
        this.engine = engine;
    }

    /** Creates the pooling. */
    public KernelPooling(SmoothingKernel kernel) {
        this(kernel, AttentionEngine.AUTOMATIC);
    }

    /** {@return the same, computed by an engine} */
    public KernelPooling on(AttentionEngine engine) {
        return new KernelPooling(kernel, engine);
    }

    /** {@return {@code f} at the queries} */
    public Tensor forward(Tensor query, Tensor key, Tensor value) {
        return forward(query, key, value, Mask.NONE);
    }

    /**
     * {@return {@code f} at the queries, {@code [queries, valueWidth]} or {@code [batch, queries, valueWidth]}}
     *
     * @param query {@code [queries, width]} or {@code [batch, queries, width]}
     * @param key {@code [keys, width]}, or with the batch
     * @param value {@code [keys, valueWidth]}, or with the batch
     * @param mask which keys each query may use; it has one head
     */
    public Tensor forward(Tensor query, Tensor key, Tensor value, Mask mask) {
        AttentionInputs inputs = inputs(query, key, value, options(mask));
        return Axes.back(engine.forward(inputs).output(), query.rank());
    }

    /** {@return the weights {@code K(x - x_i) / sum}, {@code [queries, keys]} or {@code [batch, queries, keys]}} */
    public Tensor weights(Tensor query, Tensor key, Tensor value, Mask mask) {
        AttentionInputs inputs = inputs(query, key, value, options(mask).withWeights());
        return Axes.back(Objects.requireNonNull(engine.forward(inputs).weights()), query.rank());
    }

    /**
     * The gradients of a loss.
     *
     * @param query that of the queries
     * @param key that of the keys
     * @param value that of the values
     * @param width that of a learned width, or null if the kernel has none
     */
    public record Gradients(
            Tensor query,
            Tensor key,
            Tensor value,
            @Nullable Tensor width) {}

    /**
     * {@return the gradients of a loss}
     *
     * @param outputGradient the gradient with respect to what {@link #forward} gave
     */
    public Gradients backward(Tensor query, Tensor key, Tensor value, Mask mask, Tensor outputGradient) {
        AttentionInputs inputs = inputs(query, key, value, options(mask).withLse());
        AttentionGradients g =
                engine.backward(inputs, engine.forward(inputs), Axes.four("output gradient", outputGradient), null);
        ScoreFunction ofScore = g.score();
        Tensor value0 = Axes.back(g.value(), value.rank());
        if (kernel.score() == null) { // distances do not matter
            return new Gradients(zeros(query), zeros(key), value0, null);
        }
        return new Gradients(
                Axes.back(g.query(), query.rank()),
                Axes.back(g.key(), key.rank()),
                value0,
                ofScore == null ? null : ofScore.parameters().get("width"));
    }

    private static Tensor zeros(Tensor like) {
        return Tensor.zeros(like.type(), like.shape());
    }

    private AttentionOptions options(Mask mask) {
        ScoreFunction score = kernel.score();
        return AttentionOptions.DEFAULT.withMask(mask).withScore(score == null ? ScoreFunction.dot() : score);
    }

    private AttentionInputs inputs(Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        Tensor q = Axes.four("query", query);
        Tensor k = Axes.four("key", key);
        Tensor v = Axes.four("value", value);
        if (kernel.score() == null) {
            q = Tensor.zeros(q.type(), q.size(0), 1, q.size(2), 1);
            k = Tensor.zeros(k.type(), k.size(0), 1, k.size(2), 1);
        }
        return AttentionInputs.of(q, k, v, options);
    }
}
