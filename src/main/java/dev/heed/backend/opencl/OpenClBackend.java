package dev.heed.backend.opencl;

import dev.heed.AttentionBackend;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.BackendFailedException;
import dev.heed.LinearPlan;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.RotaryPlan;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.opencl.check.FormulaChecks;
import dev.heed.backend.opencl.check.SelfCheck;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.MatrixUnits;
import dev.heed.backend.opencl.device.OpenClArena;
import dev.heed.backend.opencl.device.SelfCheckPolicy;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.backend.opencl.device.Tuned;
import dev.heed.backend.opencl.plan.OpenClAttention;
import dev.heed.backend.opencl.plan.OpenClLinear;
import dev.heed.backend.opencl.plan.OpenClMultiHead;
import dev.heed.backend.opencl.plan.OpenClRotary;
import dev.heed.backend.opencl.plan.OpenClSoftmax;
import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.DeviceType;
import dev.heed.opencl.OpenCl;
import dev.heed.opencl.Selection;
import dev.heed.opencl.calls.OpenClException;
import dev.heed.score.ScoreKind;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceArena;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The GPU backend: fused attention on any device with OpenCL 1.2, in f32 for f32, f16 and bf16, in f64 where the device
 * has it. The same bits for the same call on one device.
 *
 * <p>The device is the best one, or the one that {@code heed.opencl.device} names. It is opened by the first plan.
 */
public final class OpenClBackend implements AttentionBackend {
    private static final System.Logger LOG = System.getLogger("dev.heed");
    private static final AtomicBoolean SAID = new AtomicBoolean();
    private static final long LONGEST = 1L << 30;

    /** Property: {@code false} makes every call through JOCL, as where the JVM denies other native access. */
    private static final String DIRECT = "heed.opencl.direct";

    private final Selection selection;
    private final Engine.@Nullable Family family;
    private final @Nullable TileSizes sizes;
    private final Function<Device, DeviceContext> opening;
    private final Set<ScoreKind> checked = EnumSet.noneOf(ScoreKind.class);
    private @Nullable Engine engine;
    private @Nullable Tuned tuned;
    private @Nullable String failure;
    private boolean closed;

    /** Creates the backend on the device that {@code heed.opencl.device} names, or else the best. */
    public OpenClBackend() {
        this(null, null, null, OpenClBackend::open);
    }

    private static DeviceContext open(Device device) {
        boolean direct = Boolean.parseBoolean(System.getProperty(DIRECT, "true"));
        return (direct ? device : device.throughJocl()).open();
    }

    /** For tests: a device, kernels and a context of their choice; null for what the device suggests. */
    OpenClBackend(
            @Nullable Selection selection,
            Engine.@Nullable Family family,
            @Nullable TileSizes sizes,
            Function<Device, DeviceContext> opening) {
        this.sizes = sizes;
        this.opening = opening;
        this.selection = selection == null ? new Selection(Optional.empty(), List.of()) : selection;
        this.family = family;
    }

    private Selection selection() {
        return isGiven() ? selection : OpenCl.selected();
    }

    private boolean isGiven() {
        return selection.device().isPresent() || !selection.reasons().isEmpty();
    }

    @Override
    public String name() {
        return "opencl";
    }

    @Override
    public int priority() {
        return 100;
    }

    @Override
    public List<String> devices() {
        Device device = selection().device().orElse(null);
        if (device == null || !notReadyReasons().isEmpty()) {
            return List.of();
        }
        List<String> lines = new ArrayList<>(List.of(device.describe()));
        if (kernelsFor(device) == Engine.Family.MMA) {
            try {
                lines.addAll(engine("heed devices").kernels());
            } catch (BackendFailedException e) {
                lines.addAll(notReadyReasons());
            }
        }
        return lines;
    }

    private Engine.Family kernelsFor(Device device) {
        return family == null ? Engine.Family.of(device) : family;
    }

    @Override
    public synchronized List<String> notReadyReasons() {
        List<String> reasons = new ArrayList<>(selection().reasons());
        if (failure != null) {
            reasons.add(failure);
        }
        if (closed) {
            reasons.add("the backend is closed: make a new one");
        }
        return reasons;
    }

    @Override
    public List<String> notSupportedReasons(Problem problem) {
        List<String> reasons = new ArrayList<>();
        Device device = selection().device().orElse(null);
        if (device == null) {
            return List.of("there is no OpenCL device");
        }
        if (typeOf(problem) == DType.F64 && !device.limits().fp64()) {
            reasons.add("type f64, which " + device.name() + " does not compute (supported: f32, f16, bf16)");
        }
        if (problem instanceof AttentionProblem p && p.kvType() == DType.I8) {
            reasons.add("keys and values of i8 (supported: f32, f64, f16, bf16; the CPU backends take them)");
        }
        ScoreKind score = switch (problem) {
            case AttentionProblem p -> p.score().kind();
            case MultiHeadProblem p -> p.attention().score().kind();
            default -> ScoreKind.DOT;
        };
        if (score == ScoreKind.CUSTOM) {
            reasons.add("score=custom, a function in Java (supported: every other score; the CPU backends take it)");
        }
        AttentionShape shape = shapeOf(problem);
        if (shape != null && Math.max(shape.seqLenQ(), shape.seqLenKv()) > LONGEST) {
            reasons.add("a sequence of " + Math.max(shape.seqLenQ(), shape.seqLenKv()) + " > " + LONGEST);
        }
        return reasons;
    }

    private static DType typeOf(Problem problem) {
        return switch (problem) {
            case AttentionProblem p -> p.type();
            case MultiHeadProblem p -> p.attention().type();
            case SoftmaxProblem p -> p.type();
            case RotaryProblem p -> p.type();
            case LinearProblem p -> p.type();
        };
    }

    private static @Nullable AttentionShape shapeOf(Problem problem) {
        return switch (problem) {
            case AttentionProblem p -> p.shape();
            case MultiHeadProblem p -> p.attention().shape();
            default -> null;
        };
    }

    @Override
    public List<String> passOverReasons(Problem problem) {
        List<String> unasked = isGiven() ? List.of() : OpenCl.reasonsNotToLook();
        if (!unasked.isEmpty()) {
            if (OpenCl.namesDriver() && SAID.compareAndSet(false, true)) {
                LOG.log(System.Logger.Level.INFO, unasked.getFirst());
            }
            return unasked;
        }
        Device device = selection().device().orElse(null);
        if (device == null || device.type() == DeviceType.CPU) {
            return List.of("no OpenCL GPU, and a CPU has faster backends");
        }
        return tuned(device).passOverReasons(problem);
    }

    private synchronized Tuned tuned(Device device) {
        Tuned known = tuned;
        if (known == null) {
            known = Tuned.of(device);
            tuned = known;
        }
        return known;
    }

    @Override
    public AttentionPlan plan(AttentionProblem problem) {
        return new OpenClAttention(problem, engine(problem, problem.score()));
    }

    @Override
    public SoftmaxPlan plan(SoftmaxProblem problem) {
        return new OpenClSoftmax(problem, engine(problem));
    }

    @Override
    public MultiHeadPlan plan(MultiHeadProblem problem) {
        return new OpenClMultiHead(problem, engine(problem, problem.attention().score()));
    }

    @Override
    public LinearPlan plan(LinearProblem problem) {
        return new OpenClLinear(problem, engine(problem));
    }

    @Override
    public RotaryPlan plan(RotaryProblem problem) {
        return new OpenClRotary(problem, engine(problem));
    }

    /**
     * {@return an arena for tensors on the device} What is computed with them stays there: softmax, attention, multi-head and
     * their gradients follow each other without copies, when this backend is asked for by name.
     */
    public DeviceArena arena() {
        return new OpenClArena(engine("an arena"));
    }

    /**
     * How long one launch of a kernel ran on the device.
     *
     * @param kernel its name
     * @param nanos from its start to its end, by the device's clock
     */
    public record KernelTime(String kernel, long nanos) {}

    /**
     * Runs calls of this backend and times each kernel on the device, copies not counted. Nobody else may use the backend
     * meanwhile.
     *
     * @return the kernels in the order of their launches
     */
    public List<KernelTime> timed(Runnable calls) {
        return engine("kernel times").context.timed(calls).stream()
                .map(time -> new KernelTime(time.kernel(), time.nanos()))
                .toList();
    }

    /** {@return bytes of device memory that calls and arenas hold now} */
    synchronized long memoryInUse() {
        return engine == null ? 0 : engine.context.memory().liveBytes();
    }

    /** {@return tiles of matrix units that were tried and failed} */
    synchronized List<String> refusals() {
        MatrixUnits units = engine == null ? null : engine.matrix();
        return units == null ? List.of() : units.failures();
    }

    /** {@return OpenCL's objects that the backend holds now} */
    synchronized int handles() {
        return engine == null ? 0 : engine.context.handles();
    }

    /** {@return the device, after it has shown that it computes the kernels of a score function} */
    private synchronized Engine engine(Problem problem, ScorePattern score) {
        Engine open = engine(problem);
        ScoreKind kernels = switch (score.kind()) {
            case ADDITIVE, CONCAT -> ScoreKind.ADDITIVE;
            case GAUSSIAN -> ScoreKind.GAUSSIAN;
            case COSINE -> ScoreKind.COSINE;
            case DOT, SCALED_DOT, GENERAL, LOCATION, CUSTOM -> ScoreKind.DOT;
        };
        if (kernels != ScoreKind.DOT && SelfCheckPolicy.isWanted() && !checked.contains(kernels)) {
            Optional<String> wrong = SelfCheck.failure(open, kernels);
            if (wrong.isPresent()) {
                throw disabled(failedCheck(open, wrong.get()), problem, null);
            }
            checked.add(kernels);
        }
        return open;
    }

    private static String failedCheck(Engine open, String wrong) {
        return open.context.device().name() + " failed the self-check: " + wrong
                + ": update its driver, or start java with -D" + SelfCheckPolicy.PROPERTY
                + "=false to use it all the same";
    }

    private synchronized Engine engine(Object problem) {
        List<String> reasons = notReadyReasons();
        if (!reasons.isEmpty()) {
            throw new IllegalStateException("Backend opencl is not ready: " + String.join("; ", reasons)
                    + "\n  case      " + problem + "\nHINT: heed devices says what to install");
        }
        Engine open = engine;
        if (open == null) {
            open = opened(problem);
            engine = open;
        }
        return open;
    }

    /** Opens the device and sets it its first task. */
    private Engine opened(Object problem) {
        Device device = selection().device().orElseThrow();
        Engine open;
        try {
            open = new Engine(opening.apply(device), kernelsFor(device), sizes, new FormulaChecks());
        } catch (OpenClException e) {
            throw disabled(device + " cannot be opened: " + e.getMessage(), problem, e);
        }
        Optional<String> wrong = SelfCheckPolicy.isWanted() ? SelfCheck.failure(open) : Optional.empty();
        if (wrong.isPresent()) {
            open.close();
            throw disabled(failedCheck(open, wrong.get()), problem, null);
        }
        return open;
    }

    private BackendFailedException disabled(String reason, Object problem, @Nullable Throwable cause) {
        failure = reason;
        return new BackendFailedException(
                "Backend opencl is disabled: " + reason + "\n  case      " + problem
                        + "\nHINT: withBackend(\"vector\"); heed devices describes the device",
                cause);
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (engine != null) {
            engine.close();
            engine = null;
        }
    }
}
