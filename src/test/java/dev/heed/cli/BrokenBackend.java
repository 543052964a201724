package dev.heed.cli;

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

/** The reference with faults: wrong in the last output, throwing, refusing, or not ready. */
final class BrokenBackend implements AttentionBackend {
    enum Fault {
        WRONG,
        THROWS,
        REFUSES_SOFTMAX,
        NOT_READY
    }

    private final AttentionBackend right = new ReferenceBackend();
    private final Fault fault;

    BrokenBackend(Fault fault) {
        this.fault = fault;
    }

    @Override
    public String name() {
        return "broken";
    }

    @Override
    public int priority() {
        return 99;
    }

    @Override
    public List<String> devices() {
        return fault == Fault.NOT_READY ? List.of() : List.of("a device\nof two lines");
    }

    @Override
    public List<String> notReadyReasons() {
        return fault == Fault.NOT_READY
                ? List.of("libBroken.so is missing: apt install broken", "and it rains")
                : List.of();
    }

    @Override
    public List<String> notSupportedReasons(Problem problem) {
        return fault == Fault.REFUSES_SOFTMAX && problem instanceof SoftmaxProblem
                ? List.of("softmax (supported: attention)")
                : right.notSupportedReasons(problem);
    }

    @Override
    public AttentionPlan plan(AttentionProblem problem) {
        AttentionPlan plan = right.plan(problem);
        return new AttentionPlan(problem) {
            @Override
            public String describe() {
                return "broken";
            }

            @Override
            protected void runForward(AttentionInputs inputs, AttentionResult result) {
                if (fault == Fault.THROWS) {
                    throw new IllegalStateException("boom\nand more");
                }
                plan.forward(inputs, result);
                if (fault == Fault.WRONG) {
                    Tensor output = result.output();
                    long[] last = output.shape();
                    for (int axis = 0; axis < last.length; axis++) {
                        last[axis]--;
                    }
                    output.set(output.get(last) + 0.01, last);
                }
            }

            @Override
            protected void runBackward(
                    AttentionInputs inputs,
                    AttentionResult forward,
                    Tensor outputGradient,
                    Tensor lseGradient,
                    AttentionGradients gradients) {
                plan.backward(inputs, forward, outputGradient, lseGradient, gradients);
            }
        };
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
