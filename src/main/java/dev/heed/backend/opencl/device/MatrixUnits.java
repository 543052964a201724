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
 * What a device's matrix units compute, and why they do not compute the rest. Every instruction is compiled and tried on the
 * device at hand; every tile has its own first task before it computes for anybody.
 */
public final class MatrixUnits {
    /** Whether kernels have the instructions themselves; else the twin, for tests on any device. */
    final boolean ptx;

    /** Whether the twin computes here. */
    final boolean emulated;

    /** Why the instructions cannot be used; empty where they can. */
    final List<String> reasons;

    private final boolean small;
    private final boolean selfCheck;
    private @Nullable List<String> tf32Reasons;
    private final Map<String, Finding> findings = new ConcurrentHashMap<>();
    private final ReentrantLock checking = new ReentrantLock(); // who asks meanwhile waits: nothing computes unchecked

    /**
     * What a first task found.
     *
     * @param wrong nothing, or what
     * @param stands whether it would find the same again
     */
    private record Finding(@Nullable String wrong, boolean stands) {}

    private MatrixUnits(boolean ptx, List<String> reasons, EngineOptions options) {
        this.ptx = ptx;
        this.emulated = options.emulation();
        this.reasons = reasons;
        this.small = options.tiles() != null;
        this.selfCheck = options.selfCheck();
    }

    /**
     * Asks a device. Where the twin is wanted it is not asked: some compilers for CPUs end the process over an instruction that
     * they do not know.
     */
    public static MatrixUnits of(DeviceContext context, EngineOptions options) {
        List<String> reasons =
                options.emulation() ? List.of("nobody asked for more") : new MatrixProbe(context, true).reasons();
        return new MatrixUnits(reasons.isEmpty(), reasons, options);
    }

    /** {@return why products of tf32 are not computed here, or nothing; asked when a caller first allows them} */
    public synchronized List<String> tf32Reasons(Engine engine) {
        List<String> known = tf32Reasons;
        if (known == null) {
            known = new MatrixProbe(engine.context, ptx).tf32Reasons();
            tf32Reasons = known;
        }
        return known;
    }

    /** {@return the tiles for the widths of a head, if there are any} */
    public Optional<MatrixTiles> tiles(Device device, String phase, long width, long valueWidth) {
        return MatrixTiles.shipped(device, phase, width, valueWidth)
                .map(tiles -> small && tiles.small(phase).hold(width) ? tiles.small(phase) : tiles);
    }

    /**
     * Whether the first task of that name found nothing wrong. It is set once; where it found no memory, when it is next asked
     * for.
     *
     * @param task what it found wrong, or null
     */
    public boolean isRight(String name, Supplier<@Nullable String> task) {
        if (!selfCheck) {
            return true;
        }
        Finding known = findings.get(name);
        if (known != null && known.stands) {
            return known.wrong == null;
        }
        checking.lock();
        try {
            Finding finding = findings.get(name);
            if (finding == null || !finding.stands) {
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
            boolean stands = !(e instanceof OpenClException failure && failure.isAllocationFailure());
            return new Finding(FirstLine.of(e), stands);
        }
    }

    /** Whether tiles are as small as they can be: for tests. */
    public boolean areSmall() {
        return small;
    }

    /** {@return what went wrong with tiles that were tried, for {@code heed devices}} */
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

    /** {@return how kernels are compiled} The twin has dozens of barriers: optimising them takes many times as long as running. */
    String option() {
        return ptx ? " -DPTX=1" : " -cl-opt-disable";
    }
}
