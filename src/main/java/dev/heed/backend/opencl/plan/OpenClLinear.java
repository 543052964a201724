package dev.heed.backend.opencl.plan;

import dev.heed.Activation;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.Placed;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.device.Work;
import dev.heed.backend.opencl.product.Activating;
import dev.heed.backend.opencl.product.Projection;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** A linear layer on an OpenCL device: the product, then the activation of every element. */
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

    /** Input, weight, product and output with their gradients, and what one of the products packs. */
    private boolean fits(boolean backward) {
        long in = problem().in();
        long out = problem().out();
        long rows = problem().rows();
        boolean wide = problem().type() == DType.F64;
        long numbers = rows * in + in * out + 2 * rows * out + out;
        long bytes = numbers * (wide ? 8 : 4) * (backward ? 2 : 1);
        long scratch = Projection.scratch(engine, wide, rows, out, in);
        if (backward) {
            scratch = Math.max(scratch, Projection.scratch(engine, wide, rows, in, out));
            scratch = Math.max(scratch, Projection.scratch(engine, wide, in, out, rows));
        }
        long largest = Math.max(rows * Math.max(in, out), in * out) * (wide ? 8 : 4);
        return engine.hasRoom(bytes + scratch, Math.max(largest, scratch));
    }

    private void multiply(Tensor input, LinearWeights weights, Tensor output) {
        if (input.device() == null && !fits(false)) {
            try (var results = new Results(engine)) {
                new LinearInParts(engine, problem()).forward(input, weights, results.of(output));
                results.deliver();
            }
            return;
        }
        try (var results = new Results(engine);
                var work = new Work(engine, problem().type() == DType.F64)) {
            Placed x = work.upload(input);
            Placed w = work.upload(weights.weight());
            Placed y;
            if (problem().activation() == Activation.IDENTITY) {
                y = work.place(problem().type(), problem().rows(), problem().out());
                product(work, x, w, weights.bias(), y);
            } else {
                Placed z = work.place(work.real(), problem().rows(), problem().out());
                product(work, x, w, weights.bias(), z);
                y = Activating.activate(problem(), work, z);
            }
            Results.read(work, y, results.of(output));
            results.deliver();
        }
    }

    private static void product(Work work, Placed x, Placed w, @Nullable Tensor bias, Placed to) {
        new Projection(work).multiply(x, w, bias == null ? null : work.upload(bias, work.real()), to);
    }

    @Override
    protected void runBackward(
            Tensor input,
            LinearWeights weights,
            Tensor outputGradient,
            Tensor inputGradient,
            LinearWeights weightGradients) {
        engine.guarded(problem(), () -> flowBack(input, weights, outputGradient, inputGradient, weightGradients));
    }

    private void flowBack(
            Tensor input, LinearWeights weights, Tensor outputGradient, Tensor inputGradient, LinearWeights to) {
        if (input.device() == null && !fits(true)) {
            try (var results = new Results(engine)) {
                new LinearInParts(engine, problem())
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
                var work = new Work(engine, problem().type() == DType.F64)) {
            var projection = new Projection(work);
            Placed x = work.upload(input);
            Placed w = work.upload(weights.weight());
            Placed dz = work.upload(outputGradient, outputGradient.type());
            if (problem().activation() != Activation.IDENTITY) {
                Placed z = work.place(work.real(), problem().rows(), problem().out());
                product(work, x, w, weights.bias(), z);
                dz = Activating.flowBack(problem(), work, z, dz);
            }
            Placed dx = work.place(problem().type(), problem().rows(), problem().in());
            projection.multiply(dz, Projection.turned(w), null, dx);
            Results.read(work, dx, results.of(inputGradient));
            Placed dw = work.place(problem().type(), problem().in(), problem().out());
            projection.multiply(Projection.turned(x), dz, null, dw);
            Results.read(work, dw, results.of(to.weight()));
            Tensor bias = to.bias();
            if (bias != null) {
                Placed db = work.place(problem().type(), problem().out());
                projection.columnSums(dz, db);
                Results.read(work, db, results.of(bias));
            }
            results.deliver();
        }
    }
}
