package dev.heed.backend.opencl.device;

import dev.heed.BackendFailedException;
import dev.heed.Problem;
import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.DeviceType;
import dev.heed.opencl.KernelSource;
import dev.heed.opencl.MemoryUse;
import dev.heed.opencl.Program;
import dev.heed.opencl.calls.OpenClBuildException;
import dev.heed.opencl.calls.OpenClException;
import dev.heed.tensor.DeviceMemory;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A device in use, and which kernels suit it. */
public final class Engine implements AutoCloseable {
    /** Of what is free, so much is left to the driver, to the rounding of sizes and to other calls. */
    private static final double LEFT_FREE = 0.125;

    /** And so many bytes to the arguments that are too small to be reckoned. */
    private static final long SMALL = 4096;

    private static final String STANDARD = "-cl-std=CL1.2";

    /** A program that is nothing but a call of fma. */
    private static final KernelSource FMA =
            new KernelSource("fma.cl", "kernel void call(global float* x) { x[0] = fma(x[0], x[1], x[2]); }\n");

    /** The ways to write a kernel. */
    public enum Family {
        /** Vectors of a CPU; nothing is staged, because its local memory is its cache. */
        LANES,
        /** Work-groups of a GPU, tiles staged in local memory. */
        TILES,
        /** As tiles, but matrix units compute what they can. A device without their instructions has the others. */
        MMA;

        /** {@return the kernels that suit a device} */
        public static Family of(Device device) {
            return device.type() == DeviceType.CPU ? LANES : MMA;
        }

        /** Whether tiles are staged in local memory. */
        public boolean isStaged() {
            return this != LANES;
        }
    }

    public final DeviceContext context;
    public final Family family;
    final Constants constants;

    /** How the device is used. */
    public final EngineOptions options;

    private final Tuned tuned;
    private final @Nullable MatrixUnits units;
    private volatile boolean withoutFma;
    private volatile boolean closed;

    public Engine(DeviceContext context, EngineOptions options) {
        this.context = context;
        this.options = options;
        this.family = options.family();
        this.constants = new Constants(context.memory().limitBytes());
        this.tuned = Tuned.of(context.device());
        this.units = family == Family.MMA ? MatrixUnits.of(context, options) : null;
    }

    /** {@return the matrix units, or their twin where it is asked for; null where portable kernels compute everything} */
    public @Nullable MatrixUnits matrix() {
        return units != null && (units.ptx || units.emulated) ? units : null;
    }

    /** {@return what computes here, in words: for {@code heed devices}} */
    public List<String> kernels() {
        MatrixUnits asked = units;
        if (asked == null) {
            return List.of();
        }
        List<String> lines = new ArrayList<>();
        if (asked.ptx) {
            lines.add("f16, bf16 and, where tf32 is allowed, f32 on matrix units (mma.sync), else portable kernels");
        } else {
            String reasons = String.join("; ", asked.reasons);
            lines.add((matrix() == null ? "portable kernels" : "the twin of the kernels for matrix units") + ": "
                    + reasons);
        }
        asked.failures().forEach(failure -> lines.add("portable kernels instead of matrix units: " + failure));
        return lines;
    }

    /** {@return a kernel file, compiled; without {@code fma} from the first program on that a driver cannot link it in} */
    Program program(String file, String options) {
        boolean gpu = context.device().type() != DeviceType.CPU;
        String all = STANDARD + (gpu ? " -DGPU=1 " : " ") + options;
        KernelSource source = KernelFile.named(file);
        if (!withoutFma) {
            try {
                return context.program(source, all);
            } catch (OpenClBuildException e) {
                if (!e.refusesProgram() || linksFma()) {
                    throw e;
                }
                withoutFma = true;
            }
        }
        return context.program(source, all + " -DHAS_FMA=0");
    }

    /** Mesa's compiler, where its libclc lacks the patch for it, fails at the end of every program that calls fma. */
    private boolean linksFma() {
        try {
            return context.program(FMA, STANDARD) != null;
        } catch (OpenClBuildException e) {
            return !e.refusesProgram();
        }
    }

    /** {@return the sizes of tiles in a phase (prefill, weights, backward, product) for a width} */
    TileSizes sizes(String phase, long width) {
        TileSizes sizes = options.tiles();
        return sizes != null ? sizes : tuned.tiles(phase, width);
    }

    /** {@return a buffer; constants that no call uses give way to it} */
    DeviceBuffer allocate(long bytes) {
        while (true) {
            try {
                return context.allocate(bytes);
            } catch (OpenClException e) {
                if (!e.isOutOfMemory() || !constants.dropOldest()) {
                    throw e;
                }
            }
        }
    }

    /** {@return bytes that a call may count on} */
    long available() {
        MemoryUse use = context.memory();
        return (long) ((use.limitBytes() - use.liveBytes() + constants.idleBytes()) * (1 - LEFT_FREE)) - SMALL;
    }

    /** Whether a call may take so many bytes in all, and so many for its largest buffer. */
    public boolean hasRoom(long total, long largest) {
        return total <= available() && largest <= context.limits().maxAllocationBytes();
    }

    /** Elements of the vectors of a CPU device: as wide as it prefers for floats, half of it for doubles. */
    public int lanes(boolean f64) {
        int floats =
                Math.max(4, Math.min(16, Integer.highestOneBit(context.limits().preferredFloatWidth())));
        return f64 ? floats / 2 : floats;
    }

    /** Vectors of a panel: 512-bit machines have registers for four. */
    int vectors() {
        return context.limits().preferredFloatWidth() >= 16 ? 4 : 2;
    }

    /** Queries that a work-item of a CPU device computes. */
    public long panel(boolean f64) {
        return (long) lanes(f64) * vectors();
    }

    /** {@return the option by which kernels know whether they have the instructions of matrix units} */
    public String matrixOption() {
        return units == null ? "" : units.option();
    }

    public String laneOptions(boolean f64) {
        return " -DLANES=" + lanes(f64) + " -DVECTORS=" + vectors();
    }

    /** Runs a call; what the device's layer says becomes the failure of this backend. Nothing is written by then. */
    public void guarded(Problem problem, Runnable call) {
        try {
            call.run();
        } catch (OpenClException e) {
            throw new BackendFailedException(
                    "Backend opencl failed on " + context.device().name() + ": "
                            + String.valueOf(e.getMessage()).replaceFirst("(?s)\\nHINT:.*", "") + "\n  case      "
                            + problem
                            + "\nHINT: "
                            + (e.isOutOfMemory()
                                    ? "a smaller batch, or withBackend(\"vector\")"
                                    : "withBackend(\"vector\"); heed devices describes the device"),
                    e);
        }
    }

    public boolean reaches(DeviceMemory memory) {
        return memory instanceof OpenClMemory ours && ours.context == context;
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
        constants.close();
        context.close();
    }
}
