package dev.heed.backend.vector.storage;

import dev.heed.AttentionGradients;
import dev.heed.AttentionShape;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What all tasks of one backward pass add to: the gradients of bias, sink and score parameters. A task is one key head of one
 * batch entry; it adds to elements of its own, except to a bias that heads or batch entries share.
 */
public final class GradientSums {
    /** Sums of the sink's gradient: {@code [batch, numHeads]}. */
    public final double[] sink;

    /** Sums of the score parameter's gradient: {@code [batch, numHeads, headDim]}, or empty where it is not wanted. */
    public final double[] parameter;

    /** The sums of the bias gradient, expanded to every cell of the scores; null where it is not wanted. */
    public final @Nullable Tensor biasCells;

    private final AttentionShape shape;
    private final AttentionGradients gradients;
    private final @Nullable Tensor bias;

    /**
     * Creates sums of zeros.
     *
     * @param bias zeros of the bias gradient's shape in the type that is added up in, or null where it is not wanted
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

    /** {@return the workers, or the caller's thread alone where two tasks add to one element of the bias gradient} */
    public Workers allowed(Workers workers) {
        boolean shared = biasCells != null
                && ((shape.batch() > 1 && biasCells.stride(0) == 0)
                        || (shape.numKvHeads() > 1 && biasCells.stride(1) == 0));
        return shared ? Workers.ALONE : workers;
    }

    /** Writes the gradients of bias and sink, in the order of the batch. */
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
