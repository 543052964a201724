package dev.heed.backend.opencl;

import dev.heed.AttentionBackend;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
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
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.MatrixUnits;
import dev.heed.backend.opencl.device.OpenClArena;
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
import dev.heed.settings.Settings;
import dev.heed.tensor.DeviceArena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The GPU backend: fused attention on any device with OpenCL 1.2. It computes f32, f16 and bf16 tensors in f32, and f64 tensors
 * in f64 if the device supports it. On one device, a repeated call gives the same bits.
 *
 * <p>The device is the one that {@link OpenClOptions#withDevice} or {@code heed.opencl.device} names, or else the first one
 * that {@code heed devices} lists. It is opened at its first use.
 */
public final class OpenClBackend implements AttentionBackend {
    private static final System.Logger LOG = System.getLogger("dev.heed");
    private static final AtomicBoolean LOGGED = new AtomicBoolean();

    /** Work-items of the smallest work-groups of kernels that do not depend on tile sizes. */
    private static final long FEWEST_ITEMS = 64;

    private final OpenClOptions options;
    private final @Nullable Selection given;
    private final OpenedDevice opened;
    private @Nullable Tuned tuned;
    private boolean closed;

    /** Creates the backend with the options of the system properties {@code heed.opencl.*}. */
    public OpenClBackend() {
        this(OpenClOptions.DEFAULT);
    }

    /** Creates the backend with options. The device is opened at its first use. */
    public OpenClBackend(OpenClOptions options) {
        this(options, null, device -> open(device, options));
    }

    private static DeviceContext open(Device device, OpenClOptions options) {
        Device reached = options.directCalls() ? device : device.throughJocl();
        return options.memory().isPresent() ? reached.open(options.memory().getAsLong()) : reached.open();
    }

    /** For tests: creates the backend with a selected device (null: the options select it) and a function that opens a device. */
    OpenClBackend(OpenClOptions options, @Nullable Selection given, Function<Device, DeviceContext> opening) {
        this.options = options;
        this.given = given;
        this.opened = new OpenedDevice(options, opening);
    }

    private Selection selection() {
        return given != null ? given : OpenCl.selected(options.device().orElse(""));
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
        if (opened.family(device) == Engine.Family.MMA) {
            try {
                lines.addAll(engine("heed devices").kernels());
            } catch (BackendFailedException e) {
                lines.addAll(notReadyReasons());
            }
        }
        return lines;
    }

    @Override
    public synchronized List<String> notReadyReasons() {
        List<String> reasons = new ArrayList<>(selection().reasons());
        selection().device().flatMap(this::smallGroups).ifPresent(reasons::add);
        opened.failure().ifPresent(reasons::add);
        if (closed) {
            reasons.add("the backend is closed: make a new one");
        }
        return reasons;
    }

    /** {@return the reason why the device cannot run the kernels, if its work-groups are too small} */
    private Optional<String> smallGroups(Device device) {
        long needed = Math.max(
                FEWEST_ITEMS,
                options.tiles()
                        .map(sizes -> (long) sizes.get(0) * sizes.get(1))
                        .orElseGet(() -> tuned(device).largestGroup()));
        long most = device.limits().maxWorkGroupSize();
        return needed <= most
                ? Optional.empty()
                : Optional.of(device.name() + " runs work-groups of at most " + most + " work-items, and " + needed
                        + " are needed: "
                        + (most < FEWEST_ITEMS
                                ? Settings.OPENCL_DEVICE.to("NAME") + " chooses another device"
                                : "start java with " + Settings.OPENCL_TILES.to("8,8,4,4,16")));
    }

    @Override
    public List<String> notSupportedReasons(Problem problem) {
        return selection()
                .device()
                .map(device -> NotSupported.reasons(device, problem))
                .orElse(List.of("there is no OpenCL device"));
    }

    @Override
    public List<String> passOverReasons(Problem problem) {
        boolean chosen = given != null || options.device().isPresent();
        List<String> reasonsNotToLook = chosen ? List.of() : OpenCl.reasonsNotToLook();
        if (!reasonsNotToLook.isEmpty()) {
            if (OpenCl.namesDriver() && LOGGED.compareAndSet(false, true)) {
                LOG.log(System.Logger.Level.INFO, reasonsNotToLook.getFirst());
            }
            return reasonsNotToLook;
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
        return new OpenClAttention(problem, engine(problem, problem));
    }

    @Override
    public SoftmaxPlan plan(SoftmaxProblem problem) {
        return new OpenClSoftmax(problem, engine(problem));
    }

    @Override
    public MultiHeadPlan plan(MultiHeadProblem problem) {
        return new OpenClMultiHead(problem, engine(problem, problem.attention()));
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
     * {@return an arena for tensors on the device} A result that is written to a tensor of the arena stays on the device, so
     * softmax, attention, multi-head attention and their gradients can run one after another without copies. The calls must
     * request this backend by name.
     */
    public DeviceArena arena() {
        return new OpenClArena(engine("an arena"));
    }

    /**
     * The time that one launch of a kernel took on the device.
     *
     * @param kernel the name of the kernel
     * @param nanos nanoseconds from the start to the end of the launch, by the device's clock
     */
    public record KernelTime(String kernel, long nanos) {}

    /**
     * Runs calls of this backend and times each kernel launch on the device; copies are not timed. No other thread may use the
     * backend until this method returns.
     *
     * @param calls makes the calls; it runs once
     * @return the times of all launches, in launch order
     */
    public List<KernelTime> timed(Runnable calls) {
        return engine("kernel times").context.timed(calls).stream()
                .map(time -> new KernelTime(time.kernel(), time.nanos()))
                .toList();
    }

    /** {@return bytes of device memory that calls, arenas and constants hold now} */
    long memoryInUse() {
        return opened.opened()
                .map(engine -> engine.context.memory().liveBytes())
                .orElse(0L);
    }

    /** {@return descriptions of the failed self-checks of programs for matrix units} */
    List<String> refusals() {
        return opened.opened().map(Engine::matrix).map(MatrixUnits::failures).orElse(List.of());
    }

    /** {@return the number of OpenCL objects that the backend holds now} */
    int handles() {
        return opened.opened().map(engine -> engine.context.handles()).orElse(0);
    }

    private synchronized Engine engine(Object problem) {
        return opened.engine(device(problem), problem);
    }

    private synchronized Engine engine(Problem problem, AttentionProblem attention) {
        return opened.engine(device(problem), problem, attention.score().kind());
    }

    private Device device(Object problem) {
        List<String> reasons = notReadyReasons();
        if (!reasons.isEmpty()) {
            throw new IllegalStateException("Backend opencl is not ready: " + String.join("; ", reasons)
                    + "\n  case      " + problem + "\nHINT: "
                    + (closed ? "new OpenClBackend() opens another" : "heed devices says what is missing"));
        }
        return selection().device().orElseThrow();
    }

    @Override
    public synchronized void close() {
        closed = true;
        opened.close();
    }
}
