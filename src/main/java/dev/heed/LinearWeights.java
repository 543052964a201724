package dev.heed;

import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a linear layer. Weights stored the other way round, as PyTorch's {@code [out, in]}, are passed as
 * {@code tensor.transpose(0, 1)}.
 *
 * @param weight {@code [in, out]}
 * @param bias {@code [out]}, or null
 */
public record LinearWeights(Tensor weight, @Nullable Tensor bias) {

    /**
     * {@return the same parameters with the promise that they change no more, see {@link Tensor#asConstant}} A backend
     * packs them once, at their first use.
     */
    public LinearWeights asConstant() {
        return new LinearWeights(weight.asConstant(), bias == null ? null : bias.asConstant());
    }

    /** {@return zeros of the same shapes, for gradients} */
    public LinearWeights zerosLike() {
        return new LinearWeights(AttentionGradients.like(weight), bias == null ? null : AttentionGradients.like(bias));
    }

    /**
     * {@return the layer on so many rows}
     *
     * @param rows rows of the input
     * @param activation what follows the product
     */
    public LinearProblem problem(long rows, Activation activation) {
        return new LinearProblem(rows, weight.size(0), weight.size(1), bias != null, activation, weight.type());
    }

    /** {@return every tensor; null for what is absent} */
    public List<@Nullable Tensor> tensors() {
        return Arrays.asList(weight, bias);
    }

    /** Checks the parameters against a problem. */
    void requireFits(LinearProblem p) {
        InputCheck.input("weight", weight, p.type(), p.in(), p.out());
        InputCheck.present("bias", bias, p.bias(), p.type(), p.out());
    }

    /** Checks these as a place for gradients. */
    void requireWritable(LinearProblem p) {
        InputCheck.output("weight gradient", weight, true, p.type(), p.in(), p.out());
        InputCheck.present("bias gradient", bias, p.bias(), p.type(), p.out());
        InputCheck.output("bias gradient", bias, p.bias(), p.type(), p.out());
    }
}
