package dev.heed;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A {@link Plan} that computes one multi-head attention with its projections. */
public abstract non-sealed class MultiHeadPlan extends Plan<MultiHeadProblem> {
    /** Creates the plan of a problem. */
    protected MultiHeadPlan(MultiHeadProblem problem) {
        super(problem);
    }

    /**
     * Computes {@code concat(head_1, ..., head_h) W_o + b_o}, where {@code head_i} is head {@code i} of the attention with
     * query {@code x_q W_q + b_q}, key {@code x_k W_k + b_k} and value {@code x_v W_v + b_v}.
     *
     * @param inputs the tensors to read
     * @param result the tensors to write to: the output is {@code [batch, seqLenQ, embedOut]}, the optional outputs
     *     belong to the inner attention and are per head
     * @throws InvalidInputException if the result does not fit the problem or overlaps an input; in that case nothing is
     *     written
     */
    public final void forward(MultiHeadInputs inputs, AttentionResult result) {
        requireRunnable(inputs.problem());
        try {
            result.requireFits(problem().attention(), problem().outputShape());
            InputCheck.disjoint(result.tensors(), inputs.tensors());
            requireReachable(inputs.tensors());
            requireReachable(result.tensors());
        } catch (InvalidInputException e) {
            throw located(e);
        }
        run("multi-head forward", () -> runForward(inputs, result), inputs::tensors, result::tensors);
    }

    /**
     * Computes the gradients of a loss with respect to inputs and parameters. The intermediate results of forward are
     * recomputed.
     *
     * @param inputs the inputs of forward
     * @param outputGradient the gradient of the loss with respect to the output, {@code [batch, seqLenQ, embedOut]}
     * @param gradients the tensors to write to; earlier contents are overwritten
     * @throws InvalidInputException if an argument does not fit the problem; in that case nothing is written
     */
    public final void backward(MultiHeadInputs inputs, Tensor outputGradient, MultiHeadGradients gradients) {
        requireRunnable(inputs.problem());
        try {
            InputCheck.input(
                    "output gradient",
                    outputGradient,
                    problem().attention().type(),
                    problem().outputShape());
            gradients.requireFits(inputs);
            List<@Nullable Tensor> read = read(inputs, outputGradient);
            InputCheck.disjoint(gradients.tensors(), read);
            requireReachable(read);
            requireReachable(gradients.tensors());
        } catch (InvalidInputException e) {
            throw located(e);
        }
        run(
                "multi-head backward",
                () -> runBackward(inputs, outputGradient, gradients),
                () -> read(inputs, outputGradient),
                gradients::tensors);
    }

    private static List<@Nullable Tensor> read(MultiHeadInputs inputs, Tensor outputGradient) {
        List<@Nullable Tensor> read = new ArrayList<>(inputs.tensors());
        read.add(outputGradient);
        return read;
    }

    /** Computes forward on checked arguments. */
    protected abstract void runForward(MultiHeadInputs inputs, AttentionResult result);

    /** Computes backward on checked arguments. */
    protected abstract void runBackward(MultiHeadInputs inputs, Tensor outputGradient, MultiHeadGradients gradients);
}
