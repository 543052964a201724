package dev.heed;

import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One problem, prepared: tile sizes chosen, kernels compiled, scratch sized. The public methods of the subclasses check
 * their arguments, in the same words for every backend, and then call the protected ones that a backend writes.
 *
 * <p>A plan may be run any number of times, by one thread at a time.
 *
 * @param <P> the kind of problem
 */
public abstract sealed class Plan<P extends Problem> implements AutoCloseable
        permits AttentionPlan, SoftmaxPlan, MultiHeadPlan, LinearPlan, RotaryPlan {
    private final P problem;
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

    /** Gives back what the plan holds. A closed plan refuses to run. */
    @Override
    public void close() {
        closed = true;
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
        if (closed) {
            throw new IllegalStateException("The plan is closed.\n  plan      " + describe() + "\n  case      "
                    + problem + "\nHINT: backend.plan(problem) makes a new one");
        }
        if (!problem.equals(asked)) {
            throw new InvalidInputException(
                    "The inputs pose another problem than the plan solves",
                    problem.toString(),
                    asked.toString(),
                    "backend.plan(inputs.problem())");
        }
    }

    final InvalidInputException located(InvalidInputException e) {
        return e.in(problem.toString());
    }
}
