package dev.heed;

import java.util.List;

/**
 * One way to compute attention on this machine. Backends are found through {@link java.util.ServiceLoader}; they are
 * thread-safe, the plans they make are not.
 *
 * <p>A backend says no with reasons: comparisons that carry the value, and the cure where there is one. An empty list
 * means yes, and then {@code plan} does not throw. Neither finding a backend nor asking it has side effects.
 */
public interface AttentionBackend extends AutoCloseable {
    /** {@return the name by which it is asked for: reference, vector, opencl} */
    String name();

    /** {@return its place in the automatic choice: the highest that can compute a problem is taken} */
    int priority();

    /** {@return the devices it computes on, one line each; empty if it is not ready} */
    List<String> devices();

    /** {@return why it can compute nothing on this machine, with what to do about it; empty if it is ready} */
    List<String> notReadyReasons();

    /** {@return why it cannot compute a problem; empty if it can} */
    List<String> notSupportedReasons(Problem problem);

    /**
     * {@return why the automatic choice should pass this problem over although it may be computable here, because another
     * backend is faster; empty if it should not} A choice by name asks nothing of this, and nothing is logged.
     */
    default List<String> passOverReasons(Problem problem) {
        return List.of();
    }

    /** {@return scaled dot-product attention, or another score function, prepared} */
    AttentionPlan plan(AttentionProblem problem);

    /** {@return softmax or log-softmax, prepared} */
    SoftmaxPlan plan(SoftmaxProblem problem);

    /** {@return multi-head attention, prepared} */
    MultiHeadPlan plan(MultiHeadProblem problem);

    /** {@return a linear layer with its activation, prepared: the projections and feed-forward layers around attention} */
    LinearPlan plan(LinearProblem problem);

    /** {@return a rotary position embedding, prepared} */
    RotaryPlan plan(RotaryProblem problem);

    /** Gives back devices and threads. A closed backend is not ready. */
    @Override
    default void close() {}
}
