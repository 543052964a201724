package dev.heed.backend.reference;

import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.tensor.Tensor;

/** A linear layer in double: a matrix product, a bias if present, and an element-wise activation. */
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
        DoubleMatrix y = product(input, weights);
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
        DoubleMatrix z = product(input, weights);
        DoubleMatrix dz = DoubleMatrix.of(outputGradient);
        for (int i = 0; i < z.cells().length; i++) {
            dz.cells()[i] *= problem().activation().derivative(z.cells()[i]);
        }
        dz.times(DoubleMatrix.of(weights.weight()).transposed()).into(inputGradient);
        DoubleMatrix.of(input).transposed().times(dz).into(weightGradients.weight());
        dz.columnSums(weightGradients.bias());
    }

    private static DoubleMatrix product(Tensor input, LinearWeights weights) {
        return DoubleMatrix.of(input).times(DoubleMatrix.of(weights.weight())).plus(weights.bias());
    }
}
