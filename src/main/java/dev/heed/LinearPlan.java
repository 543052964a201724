package dev.heed;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A {@link Plan} that computes one linear layer with its activation. */
public abstract non-sealed class LinearPlan extends Plan<LinearProblem> {
    /** Creates the plan of a problem. */
    protected LinearPlan(LinearProblem problem) {
        super(problem);
    }

    /**
     * Computes {@code y = f(x W + b)}.
     *
     * @param input {@code x}, {@code [rows, in]}, any strides
     * @param weights {@code W} and {@code b}; a backend may pack {@linkplain LinearWeights#asConstant constants} once
     * @param output {@code y}, {@code [rows, out]}; must not overlap the inputs
     * @throws InvalidInputException if an argument does not fit the problem; in that case nothing is written
     */
    public final void forward(Tensor input, LinearWeights weights, Tensor output) {
        requireRunnable(problem());
        try {
            requireInputs(input, weights);
            InputCheck.output(
                    "output",
                    output,
                    true,
                    problem().type(),
                    problem().rows(),
                    problem().out());
            InputCheck.disjoint(List.of(output), read(input, weights, null));
            requireReachable(read(input, weights, output));
        } catch (InvalidInputException e) {
            throw located(e);
        }
        run(
                "linear forward",
                () -> runForward(input, weights, output),
                () -> read(input, weights, null),
                () -> List.of(output));
    }

    /**
     * Computes the gradients {@code dx = dz W'}, {@code dW = x' dz} and {@code db}, the sum of the rows of {@code dz}, where
     * {@code dz = dy f'(z)} and {@code z = x W + b} is recomputed. {@code W'} and {@code x'} are transposes, {@code f'} is
     * the derivative of {@code f}.
     *
     * @param input {@code x}, as in forward
     * @param weights {@code W} and {@code b}, as in forward
     * @param outputGradient {@code dy}, {@code [rows, out]}
     * @param inputGradient {@code dx}, {@code [rows, in]}; earlier contents are overwritten
     * @param weightGradients {@code dW} and {@code db}; earlier contents are overwritten
     * @throws InvalidInputException if an argument does not fit the problem; in that case nothing is written
     */
    public final void backward(
            Tensor input,
            LinearWeights weights,
            Tensor outputGradient,
            Tensor inputGradient,
            LinearWeights weightGradients) {
        requireRunnable(problem());
        LinearProblem p = problem();
        try {
            requireInputs(input, weights);
            InputCheck.input("output gradient", outputGradient, p.type(), p.rows(), p.out());
            InputCheck.output("input gradient", inputGradient, true, p.type(), p.rows(), p.in());
            weightGradients.requireWritable(p);
            List<@Nullable Tensor> written = written(inputGradient, weightGradients);
            InputCheck.disjoint(written, read(input, weights, outputGradient));
            requireReachable(written);
            requireReachable(read(input, weights, outputGradient));
        } catch (InvalidInputException e) {
            throw located(e);
        }
        run(
                "linear backward",
                () -> runBackward(input, weights, outputGradient, inputGradient, weightGradients),
                () -> read(input, weights, outputGradient),
                () -> written(inputGradient, weightGradients));
    }

    private static List<@Nullable Tensor> written(Tensor inputGradient, LinearWeights weightGradients) {
        List<@Nullable Tensor> written = new ArrayList<>(weightGradients.tensors());
        written.add(inputGradient);
        return written;
    }

    private void requireInputs(Tensor input, LinearWeights weights) {
        InputCheck.input(
                "input", input, problem().type(), problem().rows(), problem().in());
        weights.requireFits(problem());
    }

    private static List<@Nullable Tensor> read(Tensor input, LinearWeights weights, @Nullable Tensor gradient) {
        return Arrays.asList(input, weights.weight(), weights.bias(), gradient);
    }

    /** Computes forward on checked arguments. */
    protected abstract void runForward(Tensor input, LinearWeights weights, Tensor output);

    /** Computes backward on checked arguments. */
    protected abstract void runBackward(
            Tensor input,
            LinearWeights weights,
            Tensor outputGradient,
            Tensor inputGradient,
            LinearWeights weightGradients);
}
