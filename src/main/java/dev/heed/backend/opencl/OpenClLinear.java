package dev.heed.backend.opencl;

import dev.heed.Activation;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** A linear layer on an OpenCL device: the product, then the activation of every element. */
final class OpenClLinear extends LinearPlan {
    private final Engine engine;

    OpenClLinear(LinearProblem problem, Engine engine) {
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

    private void multiply(Tensor input, LinearWeights weights, Tensor output) {
        try (var results = new Results(engine);
                var work = new Work(engine, problem().type() == DType.F64)) {
            Placed y = work.place(problem().type(), problem().rows(), problem().out());
            if (problem().activation() == Activation.IDENTITY) {
                product(work, work.upload(input), work.upload(weights.weight()), weights.bias(), y);
            } else {
                Placed z = work.place(work.real(), problem().rows(), problem().out());
                product(work, work.upload(input), work.upload(weights.weight()), weights.bias(), z);
                work.launch("activation", options(work), "activate", size(work), z.buffer(), y.buffer(), y.count());
            }
            Results.read(work, y, results.of(output));
            results.deliver();
        }
    }

    private static void product(Work work, Placed x, Placed w, @Nullable Tensor bias, Placed to) {
        new Projection(work).multiply(x, w, bias == null ? null : work.upload(bias, work.real()), to);
    }

    private String options(Work work) {
        return "-DSTORAGE=" + Engine.storage(problem().type()) + work.widths() + " -DACTIVATION="
                + switch (problem().activation()) {
                    case IDENTITY -> 0;
                    case RELU -> 1;
                    case GELU -> 2;
                    case TANH -> 3;
                };
    }

    private WorkSize size(Work work) {
        return WorkSize.covering(problem().rows() * problem().out(), work.group());
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
        try (var results = new Results(engine);
                var work = new Work(engine, problem().type() == DType.F64)) {
            var projection = new Projection(work);
            Placed x = work.upload(input);
            Placed w = work.upload(weights.weight());
            Placed dz = work.upload(outputGradient, outputGradient.type());
            if (problem().activation() != Activation.IDENTITY) {
                Placed z = work.place(work.real(), problem().rows(), problem().out());
                product(work, x, w, weights.bias(), z);
                Placed flowed =
                        work.place(work.real(), problem().rows(), problem().out());
                work.launch(
                        "activation",
                        options(work),
                        "flow_back",
                        size(work),
                        z.buffer(),
                        dz.buffer(),
                        flowed.buffer(),
                        z.count());
                dz = flowed;
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
