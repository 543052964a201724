package dev.heed.backend.opencl.plan;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.kernels.ForwardKernels;
import dev.heed.backend.opencl.kernels.Operands;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The plan of an attention on an OpenCL device. */
public final class OpenClAttention extends AttentionPlan {
    private final Engine engine;

    public OpenClAttention(AttentionProblem problem, Engine engine) {
        super(problem);
        this.engine = engine;
    }

    @Override
    public String describe() {
        AttentionProblem p = problem();
        return "opencl "
                + (ForwardKernels.isDecode(p.shape(), engine.family, p.outputs().anyWeights()) ? "decode" : "prefill")
                + ", kernels for "
                + (engine.family == Engine.Family.LANES ? "CPUs" : "GPUs") + ", "
                + engine.context.device().name();
    }

    @Override
    protected boolean reaches(DeviceMemory memory) {
        return engine.reaches(memory);
    }

    @Override
    protected void runForward(AttentionInputs inputs, AttentionResult result) {
        engine.guarded(problem(), () -> attend(inputs, result));
    }

    private void attend(AttentionInputs inputs, AttentionResult result) {
        try (var results = new Results(engine)) {
            new ChunkedForward(engine, problem(), Operands.of(inputs), result, results)
                    .run(results.of(result.output()));
            results.deliver();
        }
    }

    @Override
    protected void runBackward(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        engine.guarded(problem(), () -> propagate(inputs, forward, outputGradient, lseGradient, gradients));
    }

    private void propagate(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        try (var results = new Results(engine)) {
            var targets = new ChunkedBackward.Targets(
                    results.of(gradients.query()),
                    results.of(gradients.key()),
                    results.of(gradients.value()),
                    results.ofNullable(gradients.bias()),
                    results.ofNullable(gradients.sink()),
                    results.ofNullable(gradients.score()));
            AttentionResult given = forward.isMerged() ? forward : null;
            new ChunkedBackward(engine, Operands.of(inputs), given, outputGradient, lseGradient, targets).run();
            results.deliver();
        }
    }
}
