package dev.heed.backend.reference;

import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.tensor.Tensor;

/** A linear layer: the matrices in double, the activation element by element. */
final class ReferenceLinear extends LinearPlan {
    ReferenceLinear(LinearProblem problem) {
        super(problem);
    }

    @Override
    public String describe() {
        return "reference linear layer, double";
    }

    @Override
    protected void runForward(Tensor input, LinearWeights weights, Tensor output) {
        Matrix y = product(input, weights);
        for (int i = 0; i < y.cells().length; i++) {
            y.cells()[i] = problem().activation().apply(y.cells()[i]);
        }
        y.into(output);
    }

    @Override
    protected void runBackward(
            Tensor input,
            LinearWeights weights,
            Tensor outputGradient,
            Tensor inputGradient,
            LinearWeights weightGradients) {
        Matrix z = product(input, weights);
        Matrix dz = Matrix.of(outputGradient);
        for (int i = 0; i < z.cells().length; i++) {
            dz.cells()[i] *= problem().activation().derivative(z.cells()[i]);
        }
        dz.times(Matrix.of(weights.weight()).transposed()).into(inputGradient);
        Matrix.of(input).transposed().times(dz).into(weightGradients.weight());
        dz.columnSums(weightGradients.bias());
    }

    private static Matrix product(Tensor input, LinearWeights weights) {
        return Matrix.of(input).times(Matrix.of(weights.weight())).plus(weights.bias());
    }
}
