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
import dev.heed.machine.Machine;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The CPU backend: fused attention on the Vector API, in f32 for f32, f16 and bf16, in f64 for f64. The same bits for any
 * number of threads, any batch composition and every repeat.
 *
 * <p>Threads: all processors by default, {@code heed.threads} or the constructor for another number; 1 computes on the
 * caller's thread. Calls may come from many threads at once, virtual ones too.
 *
 * <p>This class imports nothing from the incubator module: where it is absent, that is one more reason.
 */
public final class VectorBackend implements AttentionBackend {
    private static final String THREADS = "heed.threads";
    private static final String BITS = "heed.vector.bits";
    private static final int NOT_A_NUMBER = -1;

    private final int threads;
    private final @Nullable Executor executor;
    private @Nullable Workers workers;
    private boolean closed;

    /** Creates the backend with {@code heed.threads} threads, or one for every processor. */
    public VectorBackend() {
        this(Math.max(1, property(THREADS, Runtime.getRuntime().availableProcessors())));
    }

    /**
     * Creates the backend with a pool of its own, started with the first call.
     *
     * @param threads how many threads compute one call, the caller's included; at least 1
     */
    public VectorBackend(int threads) {
        this(threads, null);
    }

    /**
     * Creates the backend on threads of the caller.
     *
     * @param threads how many threads compute one call, the caller's included; at least 1
     * @param executor where the other threads come from, or null for a pool of the backend's own
     */
    public VectorBackend(int threads, @Nullable Executor executor) {
        if (threads < 1) {
            throw new InvalidInputException(
                    "The number of threads is not positive",
                    "1 or more",
                    String.valueOf(threads),
                    "-Dheed.threads=1 computes on the caller's thread");
        }
        this.threads = threads;
        this.executor = executor;
    }

    private static int property(String name, int otherwise) {
        String text = System.getProperty(name);
        try {
            return text == null || text.isEmpty() ? otherwise : Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return NOT_A_NUMBER;
        }
    }

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public int priority() {
        return 50;
    }

    @Override
    public List<String> devices() {
        if (!notReadyReasons().isEmpty()) {
            return List.of();
        }
        OptionalInt bits = Machine.current().vectorBits();
        int forced = property(BITS, 0);
        int width = forced == 0 ? bits.orElse(0) : forced;
        return List.of("CPU, " + width + "-bit vectors, " + threads + (threads == 1 ? " thread" : " threads"));
    }

    @Override
    public synchronized List<String> notReadyReasons() {
        List<String> reasons = new ArrayList<>(Machine.current().vectorReasons());
        if (property(THREADS, 1) < 1) {
            reasons.add(
                    "-D" + THREADS + "=" + System.getProperty(THREADS) + " is no number of threads: give 1 or more");
        }
        if (!List.of(0, 128, 256, 512).contains(property(BITS, 0))) {
            reasons.add("-D" + BITS + "=" + System.getProperty(BITS) + " is no vector width: give 128, 256 or 512");
        }
        if (closed) {
            reasons.add("the backend is closed: make a new one");
        }
        return reasons;
    }

    @Override
    public List<String> notSupportedReasons(Problem problem) {
        return ArrayLimit.reasons(problem);
    }

    @Override
    public AttentionPlan plan(AttentionProblem problem) {
        return new VectorAttention(problem, workers(problem));
    }

    @Override
    public SoftmaxPlan plan(SoftmaxProblem problem) {
        return new VectorSoftmax(problem, workers(problem));
    }

    @Override
    public MultiHeadPlan plan(MultiHeadProblem problem) {
        Workers running = workers(problem);
        return problem.attention().type() == DType.F64
                ? new WideMultiHead(problem, running)
                : new VectorMultiHead(problem, running);
    }

    @Override
    public LinearPlan plan(LinearProblem problem) {
        Workers running = workers(problem);
        return problem.type() == DType.F64 ? new WideLinear(problem, running) : new VectorLinear(problem, running);
    }

    @Override
    public RotaryPlan plan(RotaryProblem problem) {
        return new VectorRotary(problem, workers(problem));
    }

    private synchronized Workers workers(Problem problem) {
        List<String> reasons = notReadyReasons();
        if (!reasons.isEmpty()) {
            throw new IllegalStateException("Backend vector is not ready: " + String.join("; ", reasons)
                    + "\n  case      " + problem + "\nHINT: java " + Machine.VECTOR_FLAG);
        }
        Workers running = workers;
        if (running == null) {
            running = new Workers(threads, executor);
            workers = running;
        }
        return running;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (workers != null) {
            workers.close();
        }
    }
}
