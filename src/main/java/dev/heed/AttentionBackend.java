package dev.heed;

import java.util.List;

/**
 * An implementation of attention, multi-head attention, softmax, linear layers and rotary embeddings for one kind of
 * hardware. {@link java.util.ServiceLoader} finds the backends. Backends are thread-safe; the plans they make are not.
 *
 * <p>A backend reports the reasons why it does not support a problem. A reason states the failed condition with the actual
 * value, such as {@code headDim 4 < 8}, and a remedy if there is one. An empty list means that the problem is supported: if
 * the backend is ready, {@code plan} then throws only if a device fails ({@link BackendFailedException}).
 */
public interface AttentionBackend extends AutoCloseable {
    /** {@return the name by which callers request the backend, for example reference, scalar, vector or opencl} */
    String name();

    /**
     * {@return the priority} The automatic choice selects the backend with the highest priority among the backends that
     * support the problem and have no {@linkplain #passOverReasons reasons to be passed over}.
     */
    int priority();

    /** {@return the devices of the backend, one line each; empty if it is not ready} */
    List<String> devices();

    /** {@return the reasons why the backend cannot be used on this machine, each with a remedy; empty if it is ready} */
    List<String> notReadyReasons();

    /**
     * {@return the reasons why the backend does not support a problem; empty if it does} The answer is about the problem and not
     * about this machine, so a backend that is not ready may give no reason: see {@link #notReadyReasons}.
     */
    List<String> notSupportedReasons(Problem problem);

    /**
     * {@return the reasons why another backend computes this problem faster; empty if none does} If there are reasons, the
     * automatic choice tries this backend after the backends without reasons. A choice by name ignores the reasons. They are
     * not logged.
     */
    default List<String> passOverReasons(Problem problem) {
        return List.of();
    }

    /** {@return a plan for scaled dot-product attention or attention with another score function} */
    AttentionPlan plan(AttentionProblem problem);

    /** {@return a plan for softmax or log-softmax} */
    SoftmaxPlan plan(SoftmaxProblem problem);

    /** {@return a plan for multi-head attention} */
    MultiHeadPlan plan(MultiHeadProblem problem);

    /** {@return a plan for a linear layer with its activation, such as a projection before or after attention} */
    LinearPlan plan(LinearProblem problem);

    /** {@return a plan for a rotary position embedding} */
    RotaryPlan plan(RotaryProblem problem);

    /** Releases devices and threads. A closed backend is not ready. */
    @Override
    default void close() {}
}
