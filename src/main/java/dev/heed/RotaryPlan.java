package dev.heed;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/** A {@link Plan} that computes one rotary position embedding. */
public abstract non-sealed class RotaryPlan extends Plan<RotaryProblem> {
    /** Creates the plan of a problem. */
    protected RotaryPlan(RotaryProblem problem) {
        super(problem);
    }

    /**
     * Rotates every pair {@code (x, y)} of elements by its angle: {@code (x cos - y sin, x sin + y cos)}. The elements of a
     * head from index {@code rotaryDim} on are copied.
     *
     * @throws InvalidInputException if an argument does not fit the problem; in that case nothing is written
     */
    public final void forward(RotaryInputs inputs, Tensor output) {
        requireOutput(inputs, output, List.of());
        dispatch("rotary forward", inputs, inputs.input(), output, 1);
    }

    /**
     * Computes the gradient of the input: rotates the output gradient by the negative angles, because the transpose of a
     * rotation is its inverse.
     *
     * @throws InvalidInputException if an argument does not fit the problem; in that case nothing is written
     */
    public final void backward(RotaryInputs inputs, Tensor outputGradient, Tensor inputGradient) {
        requireRunnable(inputs.problem());
        try {
            InputCheck.input(
                    "output gradient",
                    outputGradient,
                    problem().type(),
                    inputs.input().shape());
        } catch (InvalidInputException e) {
            throw located(e);
        }
        requireOutput(inputs, inputGradient, List.of(outputGradient));
        dispatch("rotary backward", inputs, outputGradient, inputGradient, -1);
    }

    private void dispatch(String operation, RotaryInputs inputs, Tensor from, Tensor to, int direction) {
        run(
                operation,
                () -> run(inputs, from, to, direction),
                () -> Arrays.asList(from, inputs.cos(), inputs.sin(), inputs.positions()),
                () -> List.of(to));
    }

    private void requireOutput(RotaryInputs inputs, Tensor output, List<Tensor> read) {
        requireRunnable(inputs.problem());
        try {
            InputCheck.output(
                    "output", output, true, problem().type(), inputs.input().shape());
            InputCheck.disjoint(List.of(output), read);
            requireReachable(Arrays.asList(output, inputs.input(), inputs.cos(), inputs.sin(), inputs.positions()));
            requireReachable(read);
            InputCheck.disjoint(
                    List.of(output), Arrays.asList(inputs.input(), inputs.cos(), inputs.sin(), inputs.positions()));
        } catch (InvalidInputException e) {
            throw located(e);
        }
    }

    /**
     * Rotates {@code from} and writes to {@code to}, on checked arguments.
     *
     * @param direction 1 for the angles of the inputs, -1 for the negative angles
     */
    protected abstract void run(RotaryInputs inputs, Tensor from, Tensor to, int direction);
}
