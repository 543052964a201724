package dev.heed.backend.vector;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.backend.vector.f64.F64Attention;
import dev.heed.backend.vector.f64.F64Backward;
import dev.heed.backend.vector.f64.F64Decode;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The plan of attention on the CPU. For each forward call it chooses the decode or the prefill driver, in f32 or in
 * f64. The backward pass has one driver in f32 and one in f64.
 */
final class VectorAttention extends AttentionPlan {
    private final Workers workers;
    private final Decode.States states = new Decode.States();

    VectorAttention(AttentionProblem problem, Workers workers) {
        super(problem);
        this.workers = workers;
    }

    @Override
    public String describe() {
        boolean few = f64() ? F64Decode.fits(problem()) : Decode.fits(problem());
        String loops = Lanes.BACKEND + (f64() ? " f64" : "") + (few ? " decode, " : f64() ? ", " : " prefill, ");
        return loops + workers.describe();
    }

    private boolean f64() {
        return problem().outputType() == DType.F64;
    }

    @Override
    protected void runForward(AttentionInputs inputs, AttentionResult result) {
        forward(inputs, result, states, workers);
    }

    /** Computes the forward pass with the driver that suits the problem. */
    static void forward(AttentionInputs inputs, AttentionResult result, Decode.States states, Workers workers) {
        if (inputs.problem().outputType() == DType.F64) {
            if (F64Decode.fits(inputs.problem()) && result.onlyOutputAndLse()) {
                F64Decode.run(inputs, result, states.f64, workers);
            } else {
                F64Attention.run(inputs, result, workers);
            }
        } else if (Decode.fits(inputs.problem()) && result.onlyOutputAndLse()) {
            Decode.run(inputs, result, states, workers);
        } else {
            Prefill.run(inputs, result, workers);
        }
    }

    @Override
    protected void runBackward(
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor outputGradient,
            @Nullable Tensor lseGradient,
            AttentionGradients gradients) {
        if (f64()) {
            F64Backward.run(inputs, forward, outputGradient, lseGradient, gradients, workers);
        } else {
            Backward.run(inputs, forward, outputGradient, lseGradient, gradients, workers);
        }
    }
}
