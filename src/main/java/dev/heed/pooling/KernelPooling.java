package dev.heed.pooling;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Kernel regression, {@code f(x) = sum_i K(x - x_i) y_i / sum_j K(x - x_j)} (Nadaraya 1964; Watson 1964), computed as
 * attention of queries {@code x} over keys {@code x_i} with values {@code y_i}. Queries and keys have the same width.
 * The output of a query is 0 if the kernel is 0 for all attended keys.
 *
 * <p>The constant and the Gaussian kernel run on every backend. The boxcar and Epanechikov kernels are custom score
 * functions, which only the CPU backends support.
 */
public final class KernelPooling {
    private final SmoothingKernel kernel;
    private final AttentionEngine engine;

    private KernelPooling(SmoothingKernel kernel, AttentionEngine engine) {
        this.kernel = kernel;
        this.engine = InvalidInputException.requirePresent("engine", engine, "AttentionEngine.AUTOMATIC");
    }

    /** Creates a pooling with a kernel, on the automatically chosen backend. */
    public KernelPooling(SmoothingKernel kernel) {
        this(kernel, AttentionEngine.AUTOMATIC);
    }

    /** {@return this pooling, computed by the given engine} */
    public KernelPooling on(AttentionEngine engine) {
        return new KernelPooling(kernel, engine);
    }

    /** {@return {@code f} at the queries, without a mask} */
    public Tensor forward(Tensor query, Tensor key, Tensor value) {
        return forward(query, key, value, Mask.NONE);
    }

    /**
     * {@return {@code f} at the queries, {@code [queries, valueWidth]} or {@code [batch, queries, valueWidth]}}
     *
     * @param query {@code [queries, width]} or {@code [batch, queries, width]}
     * @param key {@code [keys, width]} or {@code [batch, keys, width]}
     * @param value {@code [keys, valueWidth]} or {@code [batch, keys, valueWidth]}
     * @param mask the keys that each query attends to, for one head
     */
    public Tensor forward(Tensor query, Tensor key, Tensor value, Mask mask) {
        AttentionInputs inputs = inputs(query, key, value, options(mask));
        return Axes.back(engine.forward(inputs).output(), query.rank());
    }

    /**
     * {@return the weights {@code K(x - x_i) / sum_j K(x - x_j)}, {@code [queries, keys]} or
     * {@code [batch, queries, keys]}}
     */
    public Tensor weights(Tensor query, Tensor key, Tensor value, Mask mask) {
        AttentionInputs inputs = inputs(query, key, value, options(mask).withWeights());
        return Axes.back(Objects.requireNonNull(engine.forward(inputs).weights()), query.rank());
    }

    /**
     * The gradients of a loss with respect to the inputs.
     *
     * @param query gradient of the queries
     * @param key gradient of the keys
     * @param value gradient of the values
     * @param width gradient of the trainable width, or null if the kernel has none
     */
    public record Gradients(
            Tensor query,
            Tensor key,
            Tensor value,
            @Nullable Tensor width) {}

    /**
     * {@return the gradients of a loss with respect to the inputs}
     *
     * @param outputGradient the gradient of the loss with respect to the output of {@link #forward}
     */
    public Gradients backward(Tensor query, Tensor key, Tensor value, Mask mask, Tensor outputGradient) {
        AttentionInputs inputs = inputs(query, key, value, options(mask).withLse());
        AttentionGradients g =
                engine.backward(inputs, engine.forward(inputs), Axes.four("output gradient", outputGradient), null);
        ScoreFunction ofScore = g.score();
        Tensor value0 = Axes.back(g.value(), value.rank());
        if (kernel.score() == null) { // the kernel does not depend on distances
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
