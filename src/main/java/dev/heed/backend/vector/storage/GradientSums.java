package dev.heed.backend.vector.storage;

import dev.heed.AttentionGradients;
import dev.heed.AttentionShape;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Sums shared by all tasks of one backward pass: the gradients of bias, sink and score parameters. A task computes one
 * key/value head of one batch entry. No two tasks add to the same element, unless heads or batch entries share a bias.
 */
public final class GradientSums {
    /** Sums of the sink gradient: {@code [batch, numHeads]}. */
    public final double[] sink;

    /** Sums of the score parameter gradient: {@code [batch, numHeads, headDim]}, or empty if not requested. */
    public final double[] parameter;

    /** Sums of the bias gradient, expanded to the shape of the scores; null if not requested. */
    public final @Nullable Tensor biasCells;

    private final AttentionShape shape;
    private final AttentionGradients gradients;
    private final @Nullable Tensor bias;

    /**
     * Creates sums that start at 0.
     *
     * @param bias a tensor of zeros in the shape of the bias, for the sums of its gradient; null if not requested
     */
    public GradientSums(AttentionShape shape, AttentionGradients gradients, @Nullable Tensor bias) {
        this.shape = shape;
        this.gradients = gradients;
        this.bias = bias;
        this.biasCells =
                bias == null ? null : bias.expand(shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.seqLenKv());
        this.sink = new double[Math.toIntExact(shape.batch() * shape.numHeads())];
        this.parameter = gradients.score() == null
                ? new double[0]
                : new double[Math.toIntExact(shape.batch() * shape.numHeads() * shape.headDim())];
    }

    /** {@return the workers, or {@link Workers#ALONE} if two tasks may add to the same element of the bias gradient} */
    public Workers allowed(Workers workers) {
        boolean shared = biasCells != null
                && ((shape.batch() > 1 && biasCells.stride(0) == 0)
                        || (shape.numKvHeads() > 1 && biasCells.stride(1) == 0));
        return shared ? Workers.ALONE : workers;
    }

    /** Writes the gradients of bias and sink; the sums of the sink gradient are added over the batch, in order. */
    public void write() {
        if (gradients.bias() != null && bias != null) {
            gradients.bias().copyFrom(bias);
        }
        if (gradients.sink() != null) {
            for (long h = 0; h < shape.numHeads(); h++) {
                double sum = 0;
                for (long b = 0; b < shape.batch(); b++) {
                    sum += sink[(int) (b * shape.numHeads() + h)];
                }
                gradients.sink().set(sum, h);
            }
        }
    }
}
