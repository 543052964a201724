package dev.heed.backend.vector;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.backend.vector.f64.F64Backward;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.lowering.LoweredProblem;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * The attention between the projections of multi-head attention. The drivers compute it directly, unless its score
 * function is computed by rewriting rows ({@link LoweredProblem}). In that case a plan that rewrites the rows computes it;
 * these plans are cached by problem.
 */
final class InnerAttention {
    private final Function<AttentionProblem, AttentionPlan> maker;
    private final Map<AttentionProblem, AttentionPlan> plans = new HashMap<>();
    private final Decode.States states = new Decode.States();

    InnerAttention(Function<AttentionProblem, AttentionPlan> maker) {
        this.maker = maker;
    }

    void forward(AttentionInputs heads, AttentionResult result, Workers workers) {
        if (LoweredProblem.rewrites(heads.problem().score())) {
            plan(heads.problem()).forward(heads, result);
        } else {
            VectorAttention.forward(heads, result, states, workers);
        }
    }

    void backward(
            AttentionInputs heads,
            AttentionResult forward,
            Tensor outputGradient,
            AttentionGradients gradients,
            Workers workers) {
        if (LoweredProblem.rewrites(heads.problem().score())) {
            plan(heads.problem()).backward(heads, forward, outputGradient, null, gradients);
        } else if (heads.problem().type() == DType.F64) {
            F64Backward.run(heads, forward, outputGradient, null, gradients, workers);
        } else {
            Backward.run(heads, forward, outputGradient, null, gradients, workers);
        }
    }

    private AttentionPlan plan(AttentionProblem problem) {
        return plans.computeIfAbsent(problem, maker);
    }

    void close() {
        plans.values().forEach(AttentionPlan::close);
    }
}
