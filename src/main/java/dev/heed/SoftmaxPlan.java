package dev.heed;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;

/**
 * A {@link Plan} that computes one softmax or log-softmax. A row in which every element is minus infinity becomes zeros
 * (log: minus infinity), never NaN.
 */
public abstract non-sealed class SoftmaxPlan extends Plan<SoftmaxProblem> {
    /** Creates the plan of a problem. */
    protected SoftmaxPlan(SoftmaxProblem problem) {
        super(problem);
    }

    /**
     * Computes {@code y = e^(x - max) / sum e^(x - max)} along the axis, or its logarithm.
     *
     * @param input a tensor of the problem's shape and type
     * @param output the tensor to write to, of the same shape and type; must not overlap the input
     * @throws InvalidInputException if an argument does not fit the problem; in that case nothing is written
     */
    public final void forward(Tensor input, Tensor output) {
        requireRunnable(problem());
        try {
            InputCheck.input("input", input, problem().type(), problem().sizes());
            InputCheck.output(
                    "output", output, true, problem().type(), problem().sizes());
            InputCheck.disjoint(List.of(output), List.of(input));
            requireReachable(List.of(input, output));
        } catch (InvalidInputException e) {
            throw located(e);
        }
        run("softmax forward", () -> runForward(input, output), () -> List.of(input), () -> List.of(output));
    }

    /**
     * Computes {@code dx = y * (dy - sum(dy * y))}, or {@code dx = dy - e^y sum(dy)} for the logarithm. A row in which every
     * element is minus infinity has gradients of 0.
     *
     * @param output {@code y}, the result of forward
     * @param outputGradient {@code dy}, the gradient of a loss with respect to the output
     * @param inputGradient {@code dx}, the tensor to which the gradient with respect to the input is written
     * @throws InvalidInputException if an argument does not fit the problem; in that case nothing is written
     */
    public final void backward(Tensor output, Tensor outputGradient, Tensor inputGradient) {
        requireRunnable(problem());
        try {
            InputCheck.input("output", output, problem().type(), problem().sizes());
            InputCheck.input(
                    "output gradient",
                    outputGradient,
                    problem().type(),
                    problem().sizes());
            InputCheck.output(
                    "input gradient",
                    inputGradient,
                    true,
                    problem().type(),
                    problem().sizes());
            InputCheck.disjoint(List.of(inputGradient), List.of(output, outputGradient));
            requireReachable(List.of(output, outputGradient, inputGradient));
        } catch (InvalidInputException e) {
            throw located(e);
        }
        run(
                "softmax backward",
                () -> runBackward(output, outputGradient, inputGradient),
                () -> List.of(output, outputGradient),
                () -> List.of(inputGradient));
    }

    /** Computes forward on checked arguments. */
    protected abstract void runForward(Tensor input, Tensor output);

    /** Computes backward on checked arguments. */
    protected abstract void runBackward(Tensor output, Tensor outputGradient, Tensor inputGradient);
}
