package dev.heed.backend.opencl.device;

import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.calls.OpenClException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The matrix units of a device: whether kernels can use them, and the reasons if not. Each instruction is compiled and run on
 * the device. Each program must pass a self-check before it computes for a caller, unless self-checks are off.
 */
public final class MatrixUnits {
    /** Whether kernels use the instructions of matrix units (PTX). */
    final boolean ptx;

    /** Whether kernels use an emulation of the instructions, for tests on any device. */
    final boolean emulated;

    /** The reasons why kernels do not use the instructions; empty if they use them. */
    final List<String> reasons;

    private final boolean small;
    private final boolean selfCheck;
    private @Nullable List<String> tf32Reasons;
    private final Map<String, Finding> findings = new ConcurrentHashMap<>();
    private final ReentrantLock checking = new ReentrantLock(); // concurrent callers wait until a check ends

    /**
     * The result of a self-check.
     *
     * @param wrong a description of the first wrong result, or null
     * @param isFinal false if the check failed for lack of memory and must be repeated
     */
    private record Finding(@Nullable String wrong, boolean isFinal) {}

    private MatrixUnits(boolean ptx, List<String> reasons, EngineOptions options) {
        this.ptx = ptx;
        this.emulated = options.emulation();
        this.reasons = reasons;
        this.small = options.tiles() != null;
        this.selfCheck = options.selfCheck();
    }

    /**
     * Probes a device. If the emulation is requested, the device is not probed, because some compilers for CPUs crash the process
     * if they do not support an instruction.
     */
    public static MatrixUnits of(DeviceContext context, EngineOptions options) {
        List<String> reasons = options.emulation()
                ? List.of("their instructions were not tried")
                : new MatrixProbe(context, true).reasons();
        return new MatrixUnits(reasons.isEmpty(), reasons, options);
    }

    /** {@return the reasons why tf32 products cannot be used, or an empty list} The first call probes the device. */
    public synchronized List<String> tf32Reasons(Engine engine) {
        List<String> known = tf32Reasons;
        if (known == null) {
            known = new MatrixProbe(engine.context, ptx).tf32Reasons();
            tf32Reasons = known;
        }
        return known;
    }

    /**
     * {@return the tile sizes of a phase, if the table has them} If the engine's options set tile sizes, small tiles are
     * returned, provided they can hold {@code width} elements.
     *
     * @param width headDim; for products, rows of the result
     * @param valueWidth valueHeadDim; for products, columns of the result
     */
    public Optional<MatrixTiles> tiles(Device device, String phase, long width, long valueWidth) {
        return MatrixTiles.shipped(device, phase, width, valueWidth)
                .map(tiles -> small && tiles.small(phase).hold(width) ? tiles.small(phase) : tiles);
    }

    /**
     * {@return whether the self-check of a program passed, or self-checks are off} The check runs once; if it failed for lack of
     * memory, the next call runs it again.
     *
     * @param name identifies the program: kernel, tiles and form
     * @param task runs the check and returns a description of the first wrong result, or null
     */
    public boolean isRight(String name, Supplier<@Nullable String> task) {
        if (!selfCheck) {
            return true;
        }
        Finding known = findings.get(name);
        if (known != null && known.isFinal) {
            return known.wrong == null;
        }
        checking.lock();
        try {
            Finding finding = findings.get(name);
            if (finding == null || !finding.isFinal) {
                finding = find(task);
                findings.put(name, finding);
            }
            return finding.wrong == null;
        } finally {
            checking.unlock();
        }
    }

    private static Finding find(Supplier<@Nullable String> task) {
        try {
            return new Finding(task.get(), true);
        } catch (RuntimeException e) {
            boolean isFinal = !(e instanceof OpenClException failure && failure.isAllocationFailure());
            return new Finding(FirstLine.of(e), isFinal);
        }
    }

    /** {@return whether small tiles are used, for tests} */
    public boolean areSmall() {
        return small;
    }

    /** {@return the failed self-checks, and the reason why tf32 cannot be used, for {@code heed devices}} */
    public synchronized List<String> failures() {
        List<String> tf32 = tf32Reasons;
        return Stream.concat(
                        tf32 == null ? Stream.empty() : tf32.stream().map(reason -> "tf32: " + reason),
                        findings.values().stream()
                                .map(Finding::wrong)
                                .filter(Objects::nonNull)
                                .sorted())
                .toList();
    }

    /**
     * {@return the compiler option that selects the instructions; without them, the option that turns optimisation off} The
     * emulation has dozens of barriers, and optimising it takes far longer than running it.
     */
    String option() {
        return ptx ? " -DPTX=1" : " -cl-opt-disable";
    }
}
