package dev.heed.verify;

import dev.heed.AttentionBackend;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.RotaryPlan;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The reference with one fault in its attention: what a verifier is for. Without a fault it is right. */
class BrokenBackend implements AttentionBackend {
    private final AttentionBackend right = new ReferenceBackend();

    /** What the attention reads instead of its inputs. */
    AttentionInputs misread(AttentionInputs inputs) {
        return inputs;
    }

    /** What becomes of a right result. */
    void spoil(AttentionInputs inputs, AttentionResult result) {}

    /** What becomes of right gradients. */
    void spoil(AttentionInputs inputs, AttentionGradients gradients) {}

    @Override
    public AttentionPlan plan(AttentionProblem problem) {
        return new AttentionPlan(problem) {
            @Override
            public String describe() {
                return "broken";
            }

            @Override
            protected void runForward(AttentionInputs inputs, AttentionResult result) {
                AttentionInputs read = misread(inputs);
                try (AttentionPlan plan = right.plan(read.problem())) {
                    plan.forward(read, result);
                }
                spoil(inputs, result);
            }

            @Override
            protected void runBackward(
                    AttentionInputs inputs,
                    AttentionResult forward,
                    Tensor outputGradient,
                    @Nullable Tensor lseGradient,
                    AttentionGradients gradients) {
                AttentionInputs read = misread(inputs);
                try (AttentionPlan plan = right.plan(read.problem())) {
                    plan.backward(read, forward, outputGradient, lseGradient, gradients);
                }
                spoil(inputs, gradients);
            }
        };
    }

    @Override
    public String name() {
        return "broken";
    }

    @Override
    public int priority() {
        return 0;
    }

    @Override
    public List<String> devices() {
        return right.devices();
    }

    @Override
    public List<String> notReadyReasons() {
        return List.of();
    }

    @Override
    public List<String> notSupportedReasons(Problem problem) {
        return List.of();
    }

    @Override
    public SoftmaxPlan plan(SoftmaxProblem problem) {
        return right.plan(problem);
    }

    @Override
    public MultiHeadPlan plan(MultiHeadProblem problem) {
        return right.plan(problem);
    }

    @Override
    public LinearPlan plan(LinearProblem problem) {
        return right.plan(problem);
    }

    @Override
    public RotaryPlan plan(RotaryProblem problem) {
        return right.plan(problem);
    }
}
