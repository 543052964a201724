package dev.heed.backend.vector.f64;

import dev.heed.Activation;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.Tensor;

/** The plan of a linear layer in f64. */
public final class F64Linear extends LinearPlan {
    private final Workers workers;

    public F64Linear(LinearProblem problem, Workers workers) {
        super(problem);
        this.workers = workers;
    }

    @Override
    public String describe() {
        return Lanes.BACKEND + " f64 linear layer, " + workers.describe();
    }

    @Override
    protected void runForward(Tensor input, LinearWeights weights, Tensor output) {
        double[] y = product(input, weights);
        Activation activation = problem().activation();
        int width = (int) problem().out();
        workers.run(y.length / width, (row, scratch) -> {
            for (int i = row * width; i < (row + 1) * width; i++) {
                y[i] = activation.apply(y[i]);
            }
        });
        output.copyFrom(Tensor.of(y, output.shape()));
    }

    @Override
    protected void runBackward(
            Tensor input,
            LinearWeights weights,
            Tensor outputGradient,
            Tensor inputGradient,
            LinearWeights weightGradients) {
        double[] dz = outputGradient.toDoubleArray();
        if (problem().activation() != Activation.IDENTITY) {
            double[] z = product(input, weights);
            for (int i = 0; i < z.length; i++) {
                dz[i] *= problem().activation().derivative(z[i]);
            }
        }
        Tensor dx = F64Gemm.projectBackward(
                input.unsqueeze(0),
                weights.weight(),
                Tensor.of(dz, 1, problem().rows(), problem().out()),
                weightGradients.weight(),
                weightGradients.bias(),
                workers);
        inputGradient.copyFrom(dx.select(0, 0));
    }

    private double[] product(Tensor input, LinearWeights weights) {
        return F64Gemm.project(input.unsqueeze(0), weights.weight(), weights.bias(), workers)
                .toDoubleArray();
    }
}
