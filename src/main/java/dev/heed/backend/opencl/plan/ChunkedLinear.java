package dev.heed.backend.opencl.plan;

import dev.heed.Activation;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.product.Activating;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;

/** A linear layer that does not fit the device: computed block by block, with intermediate results on the host. */
final class ChunkedLinear {
    private final LinearProblem problem;
    private final boolean f64;
    private final ChunkedProduct products;

    ChunkedLinear(Engine engine, LinearProblem problem) {

        this.problem = problem;
        this.f64 = problem.type() == DType.F64;
        this.products = new ChunkedProduct(engine, f64);
    }

    void forward(Tensor input, LinearWeights weights, Tensor output) {
        ChunkedProduct.Finish activate = (scope, z, row, column) ->
                problem.activation() == Activation.IDENTITY ? z : Activating.activate(problem, scope, z);
        products.multiply(input, weights.weight(), weights.bias(), output, activate);
    }

    void backward(Tensor input, LinearWeights weights, Tensor outputGradient, Tensor inputGradient, LinearWeights to) {
        try (Arena host = Arena.ofConfined()) {
            Tensor preActivationGradient = outputGradient;
            if (problem.activation() != Activation.IDENTITY) {
                preActivationGradient =
                        Tensor.allocate(host, f64 ? DType.F64 : DType.F32, problem.rows(), problem.out());
                products.multiply(
                        input, weights.weight(), weights.bias(), preActivationGradient, (scope, z, row, column) -> {
                            Tensor dy = outputGradient
                                    .slice(0, row, row + z.size(0))
                                    .slice(1, column, column + z.size(1));
                            return Activating.propagate(problem, scope, z, scope.upload(dy, dy.type()));
                        });
            }
            products.multiply(preActivationGradient, weights.weight().transpose(0, 1), null, inputGradient);
            products.multiply(input.transpose(0, 1), preActivationGradient, null, to.weight());
            Tensor bias = to.bias();
            if (bias != null) {
                products.columnSums(preActivationGradient, bias);
            }
        }
    }
}
