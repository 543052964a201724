package dev.heed;

import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A backend for tests of the verifier, which computes with the reference backend. Subclasses add a fault to its attention;
 * without a subclass, all results are correct.
 */
public class BrokenBackend implements AttentionBackend {
    private final AttentionBackend right = new ReferenceBackend();

    /** {@return the inputs that the attention reads instead of {@code inputs}; the same inputs by default} */
    protected AttentionInputs misread(AttentionInputs inputs) {
        return inputs;
    }

    /** Corrupts a correct result; does nothing by default. */
    protected void spoil(AttentionInputs inputs, AttentionResult result) {}

    /** Corrupts correct gradients; does nothing by default. */
    protected void spoil(AttentionInputs inputs, AttentionGradients gradients) {}

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
