package dev.heed.cli;

import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.BrokenBackend;
import dev.heed.Problem;
import dev.heed.SoftmaxProblem;
import dev.heed.tensor.Tensor;
import java.util.List;

/**
 * The reference backend with one fault: a wrong last element of the output, an exception, an unsupported problem, or
 * not being ready.
 */
final class FaultyBackend extends BrokenBackend {
    enum Fault {
        WRONG,
        THROWS,
        REFUSES_SOFTMAX,
        NOT_READY
    }

    private final Fault fault;

    FaultyBackend(Fault fault) {
        this.fault = fault;
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
                : List.of();
    }

    @Override
    protected AttentionInputs misread(AttentionInputs inputs) {
        if (fault == Fault.THROWS) {
            throw new IllegalStateException("boom\nand more");
        }
        return inputs;
    }

    @Override
    protected void spoil(AttentionInputs inputs, AttentionResult result) {
        if (fault == Fault.WRONG) {
            Tensor output = result.output();
            long[] last = output.shape();
            for (int axis = 0; axis < last.length; axis++) {
                last[axis]--;
            }
            output.set(output.get(last) + 0.01, last);
        }
    }
}
