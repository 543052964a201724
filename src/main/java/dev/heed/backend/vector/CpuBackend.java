package dev.heed.backend.vector;

import dev.heed.AttentionBackend;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.RotaryPlan;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.vector.f64.F64Linear;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.ArrayLimit;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.lowering.LoweredAttention;
import dev.heed.lowering.LoweredProblem;
import dev.heed.machine.Machine;
import dev.heed.settings.Settings;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Base class of the CPU backends: creates plans and manages the threads. One subclass computes with vector code, the other
 * with plain Java loops. A process has only one kind of inner loops, chosen by {@link Lanes#SCALAR}, so only one of the
 * subclasses is ready.
 *
 * <p>This class and its subclasses import nothing from the module {@code jdk.incubator.vector}.
 */
abstract class CpuBackend implements AttentionBackend {
    private static final System.Logger LOG = System.getLogger("dev.heed");
    private static final AtomicBoolean WARNED = new AtomicBoolean();

    final int threads;
    private final @Nullable Executor executor;
    private @Nullable Workers workers;
    private boolean closed;

    CpuBackend(int threads, @Nullable Executor executor) {
        if (threads < 1) {
            throw new InvalidInputException(
                    "The number of threads is not positive",
                    "1 or more",
                    String.valueOf(threads),
                    Settings.THREADS.to(1) + " computes on the caller's thread");
        }
        this.threads = threads;
        this.executor = executor;
    }

    /**
     * {@return {@code heed.threads} if set, else the number of processors}
     *
     * @throws InvalidInputException if the property is not a valid number of threads
     */
    static int defaultThreads() {
        return Settings.THREADS.or(Runtime.getRuntime().availableProcessors());
    }

    /** {@return the reasons why this backend's inner loops cannot run in this process} */
    abstract List<String> loopReasons();

    @Override
    public final synchronized List<String> notReadyReasons() {
        List<String> reasons = new ArrayList<>(loopReasons());
        if (closed) {
            reasons.add("the backend is closed: make a new one");
        }
        return reasons;
    }

    @Override
    public List<String> notSupportedReasons(Problem problem) {
        List<String> reasons = new ArrayList<>(ArrayLimit.reasons(problem));
        AttentionProblem attention = switch (problem) {
            case AttentionProblem p -> p;
            case MultiHeadProblem p -> p.attention();
            default -> null;
        };
        if (attention != null && LoweredProblem.rewrites(attention.score())) {
            if (attention.outputType() == DType.F64 && attention.type() != DType.F64) {
                reasons.add(
                        "partial=f64 under score=" + attention.score() + ", whose rows are rewritten in f32 (supported:"
                                + " partial, and partial=f64 under a dot product or gaussian)");
            }
            LoweredProblem lowered = LoweredProblem.of(attention);
            reasons.addAll(ArrayLimit.reasons(lowered.inner()));
            lowered.projections().forEach(linear -> reasons.addAll(ArrayLimit.reasons(linear)));
        }
        return reasons.stream().distinct().toList();
    }

    @Override
    public final AttentionPlan plan(AttentionProblem problem) {
        return attention(problem, workers(problem));
    }

    @Override
    public final SoftmaxPlan plan(SoftmaxProblem problem) {
        return new VectorSoftmax(problem, workers(problem));
    }

    @Override
    public final MultiHeadPlan plan(MultiHeadProblem problem) {
        Workers running = workers(problem);
        return problem.attention().type() == DType.F64
                ? new F64MultiHead(problem, running, inner -> attention(inner, running))
                : new VectorMultiHead(problem, running, inner -> attention(inner, running));
    }

    @Override
    public final LinearPlan plan(LinearProblem problem) {
        return linear(problem, workers(problem));
    }

    private static AttentionPlan attention(AttentionProblem problem, Workers running) {
        return LoweredProblem.rewrites(problem.score())
                ? new LoweredAttention(
                        problem, inner -> new VectorAttention(inner, running), layer -> linear(layer, running))
                : new VectorAttention(problem, running);
    }

    private static LinearPlan linear(LinearProblem problem, Workers running) {
        return problem.type() == DType.F64 ? new F64Linear(problem, running) : new VectorLinear(problem, running);
    }

    @Override
    public final RotaryPlan plan(RotaryProblem problem) {
        return new VectorRotary(problem, workers(problem));
    }

    private synchronized Workers workers(Problem problem) {
        List<String> reasons = notReadyReasons();
        if (!reasons.isEmpty()) {
            throw new IllegalStateException("Backend " + name() + " is not ready: " + String.join("; ", reasons)
                    + "\n  case      " + problem + "\nHINT: "
                    + (Machine.current().vectorBits().isEmpty()
                            ? "java " + Machine.VECTOR_FLAG
                            : "leave the backend out to use one that is ready"));
        }
        Workers running = workers;
        if (running == null) {
            Settings.check(); // before a class reads them: an error there would also fail every later call
            running = new Workers(threads, executor);
            workers = running;
            Machine.slowReason()
                    .filter(any -> WARNED.compareAndSet(false, true))
                    .ifPresent(reason ->
                            LOG.log(System.Logger.Level.WARNING, "attention runs on " + name() + ": " + reason));
        }
        return running;
    }

    @Override
    public final synchronized void close() {
        closed = true;
        if (workers != null) {
            workers.close();
        }
    }
}
