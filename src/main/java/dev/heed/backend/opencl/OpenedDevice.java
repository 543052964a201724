package dev.heed.backend.opencl;

import dev.heed.BackendFailedException;
import dev.heed.backend.opencl.check.FormulaChecks;
import dev.heed.backend.opencl.check.SelfCheck;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.EngineOptions;
import dev.heed.backend.opencl.device.FirstLine;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.DeviceType;
import dev.heed.opencl.calls.OpenClException;
import dev.heed.score.ScoreKind;
import dev.heed.settings.Settings;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A device that is opened at its first use. Unless the options disable self-checks, it must pass one when it is opened, and one
 * before the first plan with each kind of score that has separate kernels. A device that fails a check is disabled, and
 * {@link #failure} is the reason.
 */
final class OpenedDevice implements AutoCloseable {
    private final OpenClOptions options;
    private final Function<Device, DeviceContext> opening;
    private final Set<ScoreKind> checked = EnumSet.noneOf(ScoreKind.class);
    private @Nullable Engine engine;
    private @Nullable String failure;

    OpenedDevice(OpenClOptions options, Function<Device, DeviceContext> opening) {
        this.options = options;
        this.opening = opening;
    }

    /** {@return the requested family of kernels, or else the device's default} */
    Engine.Family family(Device device) {
        return options.kernels()
                .map(kernels -> Engine.Family.valueOf(kernels.name()))
                .orElseGet(() -> Engine.Family.of(device));
    }

    /** {@return the reason why the device is disabled, if it is} */
    synchronized Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    /** {@return the engine, if the device is open} */
    synchronized Optional<Engine> opened() {
        return Optional.ofNullable(engine);
    }

    /** {@return the engine; opens the device if it is not open} */
    synchronized Engine engine(Device device, Object problem) {
        Engine open = engine;
        if (open == null) {
            open = open(device, problem);
            engine = open;
        }
        return open;
    }

    /** {@return the engine; if a score has separate kernels that have not passed their self-check yet, runs it first} */
    synchronized Engine engine(Device device, Object problem, ScoreKind score) {
        Engine open = engine(device, problem);
        ScoreKind kernels = switch (score) {
            case ADDITIVE, CONCAT -> ScoreKind.ADDITIVE;
            case GAUSSIAN -> ScoreKind.GAUSSIAN;
            case COSINE -> ScoreKind.COSINE;
            case DOT, SCALED_DOT, GENERAL, LOCATION, CUSTOM -> ScoreKind.DOT;
        };
        if (kernels != ScoreKind.DOT && open.options.selfCheck() && !checked.contains(kernels)) {
            Optional<SelfCheck.Failure> wrong = SelfCheck.failure(open, kernels);
            if (wrong.isPresent()) {
                throw disabled(failedCheck(open, wrong.get()), problem, null);
            }
            checked.add(kernels);
        }
        return open;
    }

    private Engine open(Device device, Object problem) {
        Engine open;
        try {
            open = new Engine(opening.apply(device), engineOptions(device));
        } catch (OpenClException e) {
            throw disabled(
                    device + " cannot be opened: " + FirstLine.of(e) + ": "
                            + (e.isOutOfMemory() ? needsMemory() : "update its driver"),
                    problem,
                    e);
        }
        Optional<SelfCheck.Failure> wrong = open.options.selfCheck() ? SelfCheck.failure(open) : Optional.empty();
        if (wrong.isPresent()) {
            open.close();
            throw disabled(failedCheck(open, wrong.get()), problem, null);
        }
        return open;
    }

    private EngineOptions engineOptions(Device device) {
        boolean emulation =
                device.type() == DeviceType.CPU || options.kernels().equals(Optional.of(OpenClOptions.Kernels.MMA));
        return new EngineOptions(
                family(device),
                emulation,
                options.tiles().map(TileSizes::of).orElse(null),
                options.selfCheck(),
                options.guardZones(),
                new FormulaChecks());
    }

    private String needsMemory() {
        boolean limited =
                options.memory().isPresent() || Settings.OPENCL_MEMORY.value().isPresent();
        return "free memory of the device" + (limited ? ", or raise the limit that you set" : "");
    }

    private String failedCheck(Engine open, SelfCheck.Failure wrong) {
        return open.context.device().name() + " failed the self-check: " + wrong.text() + ": "
                + (wrong.isOutOfMemory()
                        ? needsMemory()
                        : "update its driver, or start java with " + Settings.OPENCL_SELFCHECK.to(false)
                                + " to use it all the same");
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
        if (engine != null) {
            engine.close();
            engine = null;
        }
    }
}
