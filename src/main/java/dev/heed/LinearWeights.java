package dev.heed;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameters {@code W} and {@code b} of a linear layer {@code f(x W + b)}. Weights stored as {@code [out, in]}, as in
 * PyTorch, are passed as {@code tensor.transpose(0, 1)}.
 *
 * @param weight {@code [in, out]}
 * @param bias {@code [out]}, or null
 */
public record LinearWeights(Tensor weight, @Nullable Tensor bias) {
    /** Checks that there is a weight. */
    public LinearWeights {
        InvalidInputException.requirePresent("weight", weight, "a tensor [in, out]");
    }

    /**
     * {@return the same parameters as constants, which the caller promises not to change: {@link Tensor#asConstant}} A
     * backend may pack constants once, at their first use.
     */
    public LinearWeights asConstant() {
        return new LinearWeights(weight.asConstant(), bias == null ? null : bias.asConstant());
    }

    /** {@return zeros of the same shapes and types, for gradients} */
    public LinearWeights zerosLike() {
        return new LinearWeights(AttentionGradients.like(weight), bias == null ? null : AttentionGradients.like(bias));
    }

    /**
     * {@return the problem of a layer with these parameters}
     *
     * @param rows rows of the input
     * @param activation the function applied to {@code x W + b}
     */
    public LinearProblem problem(long rows, Activation activation) {
        return new LinearProblem(rows, weight.size(0), weight.size(1), bias != null, activation, weight.type());
    }

    /** {@return weight and bias; the bias may be null} */
    public List<@Nullable Tensor> tensors() {
        return Arrays.asList(weight, bias);
    }

    /** Checks the parameters against a problem. */
    void requireFits(LinearProblem p) {
        InputCheck.input("weight", weight, p.type(), p.in(), p.out());
        InputCheck.present("bias", bias, p.bias(), p.type(), p.out());
    }

    /** Checks that the gradients of a problem can be written to these tensors. */
    void requireWritable(LinearProblem p) {
        InputCheck.output("weight gradient", weight, true, p.type(), p.in(), p.out());
        InputCheck.present("bias gradient", bias, p.bias(), p.type(), p.out());
        InputCheck.output("bias gradient", bias, p.bias(), p.type(), p.out());
    }
}
