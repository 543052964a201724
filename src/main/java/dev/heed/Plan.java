package dev.heed;

import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One problem, prepared: tile sizes chosen, kernels compiled, scratch sized. The public methods of the subclasses check
 * their arguments, in the same words for every backend, and then call the protected ones that a backend writes.
 *
 * <p>A plan may be run any number of times, by one thread at a time: its scratch memory belongs to the run. A second thread is
 * refused with an {@link IllegalStateException} that names the first, as is closing a plan that runs. Plans of one backend may run
 * side by side, so each thread makes its own.
 *
 * @param <P> the kind of problem
 */
public abstract sealed class Plan<P extends Problem> implements AutoCloseable
        permits AttentionPlan, SoftmaxPlan, MultiHeadPlan, LinearPlan, RotaryPlan {
    private final P problem;
    private final AtomicReference<@Nullable Thread> running = new AtomicReference<>();
    private volatile boolean closed;

    /** Creates the plan of a problem. */
    protected Plan(P problem) {
        this.problem = problem;
    }

    /** {@return what is computed} */
    public final P problem() {
        return problem;
    }

    /** {@return how it is computed, on one line that begins with the backend's name} */
    public abstract String describe();

    /**
     * Gives back what the plan holds. A closed plan refuses to run.
     *
     * @throws IllegalStateException if the plan runs now
     */
    @Override
    public void close() {
        enter();
        closed = true;
        leave();
    }

    /** Does the work of one call on checked arguments, alone, and records it where that is asked for. */
    final void run(
            String operation,
            Runnable work,
            Supplier<List<@Nullable Tensor>> read,
            Supplier<List<@Nullable Tensor>> written) {
        enter();
        try {
            requireOpen();
            Dispatch dispatch = Dispatch.begin();
            work.run();
            if (dispatch != null) {
                dispatch.end(this, operation, read.get(), written.get());
            }
        } finally {
            leave();
        }
    }

    private void enter() {
        Thread now = Thread.currentThread();
        Thread first = running.compareAndExchange(null, now);
        if (first != null) {
            throw new IllegalStateException("The plan runs already.\n  expected  one thread at a time\n  got       "
                    + name(now) + " while " + name(first) + " runs it\n  plan      " + describe() + "\n  case      "
                    + problem + "\nHINT: backend.plan(problem) makes a plan for each thread");
        }
    }

    private void leave() {
        running.set(null);
    }

    private static String name(Thread thread) {
        return "thread " + (thread.getName().isEmpty() ? "" : thread.getName() + " ") + "#" + thread.threadId();
    }

    /** {@return whether the plan computes with tensors in this memory of a device; a plan for the host with none} */
    protected boolean reaches(DeviceMemory memory) {
        return false;
    }

    final void requireReachable(List<? extends @Nullable Tensor> tensors) {
        for (Tensor tensor : tensors) {
            DeviceMemory memory = tensor == null ? null : tensor.device();
            if (memory != null && !reaches(memory)) {
                throw new InvalidInputException(
                        "The backend does not reach a tensor on a device",
                        "memory that " + describe() + " reaches",
                        tensor + " on " + memory.place(),
                        "call toHost() for a copy, or ask for the device's backend by name");
            }
        }
    }

    final void requireRunnable(Problem asked) {
        requireOpen();
        if (!problem.equals(asked)) {
            throw new InvalidInputException(
                    "The inputs pose another problem than the plan solves",
                    problem.toString(),
                    asked.toString(),
                    "backend.plan(inputs.problem())");
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("The plan is closed.\n  plan      " + describe() + "\n  case      "
                    + problem + "\nHINT: backend.plan(problem) makes a new one");
        }
    }

    final InvalidInputException located(InvalidInputException e) {
        return e.in(problem.toString());
    }
}
