package dev.heed;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A chapter of the {@link AttentionBackendContract}, with methods that run the backend under test. */
interface ContractChapter {
    /** {@return the backend under test, which a chapter must not close} */
    AttentionBackend subject();

    /** Skips the test with the reasons if the backend does not support the problem. */
    default void assumeSupported(Problem problem) {
        List<String> notReady = subject().notReadyReasons();
        List<String> reasons = notReady.isEmpty() ? subject().notSupportedReasons(problem) : notReady;
        assumeTrue(reasons.isEmpty(), () -> String.join("; ", reasons));
    }

    default AttentionResult forward(AttentionInputs inputs) {
        assumeSupported(inputs.problem());
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        try (AttentionPlan plan = subject().plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        return result;
    }

    default Tensor output(AttentionInputs inputs) {
        return forward(inputs).output();
    }

    /** Runs forward and backward. The gradients of the output, and of the LSE if requested, are random with a fixed seed. */
    default AttentionGradients gradients(AttentionInputs inputs) {
        AttentionResult result = forward(inputs);
        var random = new RandomTensors(99);
        Tensor dOutput = random.normal(result.output().type(), result.output().shape());
        Tensor lse = result.lse();
        return gradients(inputs, result, dOutput, lse == null ? null : random.normal(lse.type(), lse.shape()));
    }

    default AttentionGradients gradients(
            AttentionInputs inputs, AttentionResult forward, Tensor dOutput, @Nullable Tensor dLse) {
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        try (AttentionPlan plan = subject().plan(inputs.problem())) {
            plan.backward(inputs, forward, dOutput, dLse, gradients);
        }
        return gradients;
    }

    default Tensor softmax(Tensor input, int axis, boolean log) {
        SoftmaxProblem problem = SoftmaxProblem.of(input.shape(), axis, input.type(), log);
        assumeSupported(problem);
        Tensor output = Tensor.zeros(input.type(), input.shape());
        try (SoftmaxPlan plan = subject().plan(problem)) {
            plan.forward(input, output);
        }
        return output;
    }

    default AttentionResult multiHead(MultiHeadInputs inputs) {
        assumeSupported(inputs.problem());
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        try (MultiHeadPlan plan = subject().plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        return result;
    }

    default Tensor linear(Tensor x, LinearWeights weights, Activation activation) {
        LinearProblem problem = weights.problem(x.size(0), activation);
        assumeSupported(problem);
        Tensor y = Tensor.zeros(x.type(), x.size(0), problem.out());
        try (LinearPlan plan = subject().plan(problem)) {
            plan.forward(x, weights, y);
        }
        return y;
    }

    default Tensor rotary(RotaryInputs inputs) {
        assumeSupported(inputs.problem());
        Tensor output = Tensor.zeros(inputs.input().type(), inputs.input().shape());
        try (RotaryPlan plan = subject().plan(inputs.problem())) {
            plan.forward(inputs, output);
        }
        return output;
    }
}
