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

/** An open device with its family of kernels. It allocates the buffers and compiles the programs of the backend. */
public final class Engine implements AutoCloseable {
    /** Fraction of free memory reserved for the driver, the rounding of sizes and other calls. */
    private static final double LEFT_FREE = 0.125;

    /** Bytes reserved for small buffers that the footprints do not include. */
    private static final long SMALL = 4096;

    private static final String STANDARD = "-cl-std=CL1.2";

    /** A program that only calls fma. */
    private static final KernelSource FMA =
            new KernelSource("fma.cl", "kernel void call(global float* x) { x[0] = fma(x[0], x[1], x[2]); }\n");

    /** The families of kernels. */
    public enum Family {
        /** Kernels for CPU devices, which compute with vectors. They stage nothing in local memory, because a CPU has caches. */
        LANES,
        /** Kernels for GPUs, whose work-groups stage tiles in local memory. */
        TILES,
        /** Like {@link #TILES}, but matrix units (or an emulation), if available, compute the cases that matrix units support. */
        MMA;

        /** {@return the default family of a device} */
        public static Family of(Device device) {
            return device.type() == DeviceType.CPU ? LANES : MMA;
        }

        /** {@return whether tiles are staged in local memory} */
        public boolean isStaged() {
            return this != LANES;
        }
    }

    public final DeviceContext context;
    public final Family family;
    final Constants constants;

    /** The options of the engine. */
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

    /** {@return the matrix units, or their emulation if requested; null if portable kernels compute everything} */
    public @Nullable MatrixUnits matrix() {
        return units != null && (units.ptx || units.emulated) ? units : null;
    }

    /** {@return lines that describe the kernels of this device, for {@code heed devices}} */
    public List<String> kernels() {
        MatrixUnits found = units;
        if (found == null) {
            return List.of();
        }
        List<String> lines = new ArrayList<>();
        if (found.ptx) {
            lines.add("f16, bf16 and, if tf32 is allowed, f32 on matrix units (mma.sync), else portable kernels");
        } else {
            String reasons = String.join("; ", found.reasons);
            lines.add((matrix() == null ? "portable kernels" : "an emulation of matrix units") + ": " + reasons);
        }
        found.failures().forEach(failure -> lines.add("portable kernels instead of matrix units: " + failure));
        return lines;
    }

    /** {@return a compiled kernel file} If the driver cannot link fma, this and all later programs are compiled without it. */
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

    /** {@return whether a program that calls fma links} It does not with Mesa's compiler if Mesa's libclc lacks a patch. */
    private boolean linksFma() {
        try {
            return context.program(FMA, STANDARD) != null;
        } catch (OpenClBuildException e) {
            return !e.refusesProgram();
        }
    }

    /** {@return the tile sizes of a phase (prefill, weights, backward, product) for a headDim or a number of columns} */
    TileSizes sizes(String phase, long width) {
        TileSizes sizes = options.tiles();
        return sizes != null ? sizes : tuned.tiles(phase, width);
    }

    /** {@return a new buffer} If memory is short, drops constants that no call is using. */
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

    /** {@return bytes of device memory that a call may use} */
    long available() {
        MemoryUse use = context.memory();
        return (long) ((use.limitBytes() - use.liveBytes() + constants.idleBytes()) * (1 - LEFT_FREE)) - SMALL;
    }

    /** {@return whether a call may use {@code total} bytes of buffers, including one of {@code largest} bytes} */
    public boolean hasRoom(long total, long largest) {
        return total <= available() && largest <= context.limits().maxAllocationBytes();
    }

    /**
     * {@return elements per vector on a CPU device} For floats, the device's preferred vector width, rounded down to a power of
     * two and limited to 4 to 16; for doubles, half of that.
     */
    public int lanes(boolean f64) {
        int floats =
                Math.max(4, Math.min(16, Integer.highestOneBit(context.limits().preferredFloatWidth())));
        return f64 ? floats / 2 : floats;
    }

    /** {@return vectors of queries per panel: 4 on machines with 512-bit vectors, which have enough registers; else 2} */
    int vectors() {
        return context.limits().preferredFloatWidth() >= 16 ? 4 : 2;
    }

    /** {@return queries per panel; on a CPU device, one work-item computes a panel} */
    public long panel(boolean f64) {
        return (long) lanes(f64) * vectors();
    }

    /** {@return the compiler option of programs for matrix units, see {@link MatrixUnits#option}} */
    public String matrixOption() {
        return units == null ? "" : units.option();
    }

    public String laneOptions(boolean f64) {
        return " -DLANES=" + lanes(f64) + " -DVECTORS=" + vectors();
    }

    /**
     * Runs a call and converts an {@link OpenClException} to a {@link BackendFailedException}. The call must write the caller's
     * tensors last, so that they are unchanged if it fails.
     */
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
