package dev.heed.backend.opencl.plan;

import dev.heed.Activation;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.product.Activating;
import dev.heed.backend.opencl.product.Projection;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The plan of a linear layer on an OpenCL device: the product, then the element-wise activation. */
public final class OpenClLinear extends LinearPlan {
    private final Engine engine;

    public OpenClLinear(LinearProblem problem, Engine engine) {
        super(problem);
        this.engine = engine;
    }

    @Override
    public String describe() {
        return "opencl linear layer, " + engine.context.device().name();
    }

    @Override
    protected boolean reaches(DeviceMemory memory) {
        return engine.reaches(memory);
    }

    @Override
    protected void runForward(Tensor input, LinearWeights weights, Tensor output) {
        engine.guarded(problem(), () -> multiply(input, weights, output));
    }

    /** {@return whether all tensors (in a backward pass also the gradients) and one product's scratch memory fit the device} */
    private boolean fits(boolean backward) {
        long in = problem().in();
        long out = problem().out();
        long rows = problem().rows();
        boolean f64 = problem().type() == DType.F64;
        long elements = rows * in + in * out + 2 * rows * out + out;
        long bytes = elements * (f64 ? 8 : 4) * (backward ? 2 : 1);
        long scratch = Projection.scratch(engine, f64, rows, out, in);
        if (backward) {
            scratch = Math.max(scratch, Projection.scratch(engine, f64, rows, in, out));
            scratch = Math.max(scratch, Projection.scratch(engine, f64, in, out, rows));
        }
        long largest = Math.max(rows * Math.max(in, out), in * out) * (f64 ? 8 : 4);
        return engine.hasRoom(bytes + scratch, Math.max(largest, scratch));
    }

    private void multiply(Tensor input, LinearWeights weights, Tensor output) {
        if (input.device() == null && !fits(false)) {
            try (var results = new Results(engine)) {
                new ChunkedLinear(engine, problem()).forward(input, weights, results.of(output));
                results.deliver();
            }
            return;
        }
        try (var results = new Results(engine);
                var scope = new CallScope(engine, problem().type() == DType.F64)) {
            DeviceTensor x = scope.upload(input);
            DeviceTensor w = scope.upload(weights.weight());
            DeviceTensor y;
            if (problem().activation() == Activation.IDENTITY) {
                y = scope.allocate(problem().type(), problem().rows(), problem().out());
                product(scope, x, w, weights.bias(), y);
            } else {
                DeviceTensor z =
                        scope.allocate(scope.real(), problem().rows(), problem().out());
                product(scope, x, w, weights.bias(), z);
                y = Activating.activate(problem(), scope, z);
            }
            Results.read(scope, y, results.of(output));
            results.deliver();
        }
    }

    private static void product(
            CallScope scope, DeviceTensor x, DeviceTensor w, @Nullable Tensor bias, DeviceTensor to) {
        new Projection(scope).multiply(x, w, bias == null ? null : scope.upload(bias, scope.real()), to);
    }

    @Override
    protected void runBackward(
            Tensor input,
            LinearWeights weights,
            Tensor outputGradient,
            Tensor inputGradient,
            LinearWeights weightGradients) {
        engine.guarded(problem(), () -> propagate(input, weights, outputGradient, inputGradient, weightGradients));
    }

    private void propagate(
            Tensor input, LinearWeights weights, Tensor outputGradient, Tensor inputGradient, LinearWeights to) {
        if (input.device() == null && !fits(true)) {
            try (var results = new Results(engine)) {
                new ChunkedLinear(engine, problem())
                        .backward(
                                input,
                                weights,
                                outputGradient,
                                results.of(inputGradient),
                                new LinearWeights(results.of(to.weight()), results.ofNullable(to.bias())));
                results.deliver();
            }
            return;
        }
        try (var results = new Results(engine);
                var scope = new CallScope(engine, problem().type() == DType.F64)) {
            var projection = new Projection(scope);
            DeviceTensor x = scope.upload(input);
            DeviceTensor w = scope.upload(weights.weight());
            DeviceTensor dz = scope.upload(outputGradient, outputGradient.type());
            if (problem().activation() != Activation.IDENTITY) {
                DeviceTensor z =
                        scope.allocate(scope.real(), problem().rows(), problem().out());
                product(scope, x, w, weights.bias(), z);
                dz = Activating.propagate(problem(), scope, z, dz);
            }
            DeviceTensor dx =
                    scope.allocate(problem().type(), problem().rows(), problem().in());
            projection.multiply(dz, Projection.transposed(w), null, dx);
            Results.read(scope, dx, results.of(inputGradient));
            DeviceTensor dw =
                    scope.allocate(problem().type(), problem().in(), problem().out());
            projection.multiply(Projection.transposed(x), dz, null, dw);
            Results.read(scope, dw, results.of(to.weight()));
            Tensor bias = to.bias();
            if (bias != null) {
                DeviceTensor db = scope.allocate(problem().type(), problem().out());
                projection.columnSums(dz, db);
                Results.read(scope, db, results.of(bias));
            }
            results.deliver();
        }
    }
}
