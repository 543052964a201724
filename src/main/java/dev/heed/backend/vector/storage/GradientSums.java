package dev.heed.backend.vector.storage;

import dev.heed.AttentionGradients;
import dev.heed.AttentionShape;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The sums to which all tasks of one backward pass add: the gradients of bias, sink and score parameters. A task is one
 * key/value head of one batch entry. It adds to elements of its own, except for a bias that heads or batch entries share.
 */
public final class GradientSums {
    /** Sums of the sink's gradient: {@code [batch, numHeads]}. */
    public final double[] sink;

    /** Sums of the score parameter's gradient: {@code [batch, numHeads, headDim]}, or empty if not requested. */
    public final double[] parameter;

    /** The sums of the bias gradient, expanded to every cell of the scores; null if not requested. */
    public final @Nullable Tensor biasCells;

    private final AttentionShape shape;
    private final AttentionGradients gradients;
    private final @Nullable Tensor bias;

    /**
     * Creates sums that start at 0.
     *
     * @param bias zeros of the bias gradient's shape, in the type of the sums; null if not requested
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

    /** {@return the workers, or the caller's thread alone if two tasks add to one element of the bias gradient} */
    public Workers allowed(Workers workers) {
        boolean shared = biasCells != null
                && ((shape.batch() > 1 && biasCells.stride(0) == 0)
                        || (shape.numKvHeads() > 1 && biasCells.stride(1) == 0));
        return shared ? Workers.ALONE : workers;
    }

    /** Writes the gradients of bias and sink; the sums of the sink are added in batch order. */
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
