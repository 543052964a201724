package dev.heed;

import java.util.List;

/** A backend for tests of the backend choice: it reports fixed reasons, and its plan methods throw. */
public class AnsweringBackend implements AttentionBackend {
    private final String name;
    private final int priority;
    private final List<String> notReady;
    private final List<String> notSupported;

    public AnsweringBackend(String name, int priority, List<String> notReady, List<String> notSupported) {
        this.name = name;
        this.priority = priority;
        this.notReady = notReady;
        this.notSupported = notSupported;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int priority() {
        return priority;
    }

    @Override
    public List<String> devices() {
        return List.of();
    }

    @Override
    public List<String> notReadyReasons() {
        return notReady;
    }

    @Override
    public List<String> notSupportedReasons(Problem problem) {
        return notSupported;
    }

    @Override
    public AttentionPlan plan(AttentionProblem problem) {
        throw new UnsupportedOperationException(problem.toString());
    }

    @Override
    public SoftmaxPlan plan(SoftmaxProblem problem) {
        throw new UnsupportedOperationException(problem.toString());
    }

    @Override
    public MultiHeadPlan plan(MultiHeadProblem problem) {
        throw new UnsupportedOperationException(problem.toString());
    }

    @Override
    public LinearPlan plan(LinearProblem problem) {
        throw new UnsupportedOperationException(problem.toString());
    }

    @Override
    public RotaryPlan plan(RotaryProblem problem) {
        throw new UnsupportedOperationException(problem.toString());
    }
}
