package dev.heed;

import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A prepared computation of one problem on one backend: tile sizes are chosen, kernels compiled and scratch memory sized.
 * The public methods of the subclasses check their arguments, with the same messages for every backend. They then call the
 * protected methods that each backend implements.
 *
 * <p>A plan can run any number of times, but only in one thread at a time, because a run uses the plan's scratch memory. A
 * second thread gets an {@link IllegalStateException} that names the first thread, and so does a thread that tries to close
 * a running plan. Several plans of one backend can run in parallel, so each thread should make its own plan.
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

    /** {@return the problem that the plan computes} */
    public final P problem() {
        return problem;
    }

    /** {@return one line about how the plan computes; the first word is the name of the backend} */
    public abstract String describe();

    /**
     * Releases the plan's resources. A closed plan cannot run.
     *
     * @throws IllegalStateException if the plan is running
     */
    @Override
    public void close() {
        enter();
        closed = true;
        leave();
    }

    /** Runs one call on checked arguments, and records it if recording is enabled. Throws if another thread uses the plan. */
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
            throw new IllegalStateException(
                    "The plan is already running.\n  expected  one thread at a time\n  got       "
                            + name(now) + " while " + name(first) + " runs it\n  plan      " + describe()
                            + "\n  case      "
                            + problem + "\nHINT: backend.plan(problem) makes a plan for each thread");
        }
    }

    private void leave() {
        running.set(null);
    }

    private static String name(Thread thread) {
        return "thread " + (thread.getName().isEmpty() ? "" : thread.getName() + " ") + "#" + thread.threadId();
    }

    /** {@return whether the plan can compute with tensors in this device memory; false by default} */
    protected boolean reaches(DeviceMemory memory) {
        return false;
    }

    final void requireReachable(List<? extends @Nullable Tensor> tensors) {
        for (Tensor tensor : tensors) {
            DeviceMemory memory = tensor == null ? null : tensor.device();
            if (memory != null && !reaches(memory)) {
                throw new InvalidInputException(
                        "The backend cannot access a tensor on a device",
                        "memory that " + describe() + " can access",
                        tensor + " on " + memory.place(),
                        "call toHost() for a copy, or ask for the device's backend by name");
            }
        }
    }

    final void requireRunnable(Problem asked) {
        requireOpen();
        if (!problem.equals(asked)) {
            throw new InvalidInputException(
                    "The inputs belong to a different problem than the plan",
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
