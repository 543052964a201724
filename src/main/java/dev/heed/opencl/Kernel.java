package dev.heed.opencl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.heed.opencl.calls.Cl;
import dev.heed.opencl.calls.OpenClCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A kernel and its arguments, used by one thread at a time. After {@link #arguments}, the caller must pass all arguments in the
 * kernel's order; the driver is called only for structs and for arguments that changed. Closing returns the kernel to its
 * program, for the next user.
 */
public final class Kernel implements AutoCloseable {
    private static final byte UNSET = 0;
    private static final byte BUFFER = 1;
    private static final byte FOUR_BYTES = 2;
    private static final byte EIGHT_BYTES = 3;
    private static final byte LOCAL = 4;
    private static final byte STRUCT = 5;

    private static final long MOST_SIZES = 6;

    private final Program program;
    private final String name;
    private final long handle;
    private final byte[] kinds;
    private final long[] values;
    private final MemorySegment value = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
    private final MemorySegment sizes = Arena.ofAuto().allocate(Long.BYTES * MOST_SIZES, Long.BYTES);
    private int next;
    private boolean leased;

    Kernel(Program program, String name, long handle, int arguments) {
        this.program = program;
        this.name = name;
        this.handle = handle;
        this.kinds = new byte[arguments];
        this.values = new long[arguments];
    }

    Kernel lease() {
        leased = true;
        next = 0;
        return this;
    }

    String name() {
        return name;
    }

    long handle() {
        return handle;
    }

    // ---------------------------------------------------------------- arguments

    /** Begins a new list of arguments. */
    public Kernel arguments() {
        checkLeased();
        next = 0;
        return this;
    }

    /** Passes a {@code __global} pointer. */
    public Kernel buffer(DeviceBuffer buffer) {
        buffer.checkOpen();
        if (buffer.context != program.context) {
            throw new IllegalArgumentException("A buffer of another context was given to " + this
                    + "\nHINT: allocate it from the kernel's context");
        }
        // Drivers reuse the handles of released buffers, so buffers are compared by their identity.
        set(BUFFER, buffer.identity, buffer.handle, Long.BYTES);
        return this;
    }

    /** Passes a {@code __global} pointer that is null. */
    public Kernel noBuffer() {
        set(BUFFER, 0, 0, Long.BYTES);
        return this;
    }

    /** Passes an {@code int} or {@code uint}. */
    public Kernel int32(int argument) {
        set(FOUR_BYTES, argument, argument, Integer.BYTES);
        return this;
    }

    /** Passes a {@code float}. */
    public Kernel float32(float argument) {
        return int32(Float.floatToRawIntBits(argument));
    }

    /** Passes a {@code long} or {@code ulong}. */
    public Kernel int64(long argument) {
        set(EIGHT_BYTES, argument, argument, Long.BYTES);
        return this;
    }

    /** Passes a {@code double}. */
    public Kernel float64(double argument) {
        return int64(Double.doubleToRawLongBits(argument));
    }

    /** Passes a struct by value. The driver is always called for it, because its bytes are not compared. */
    public Kernel bytes(MemorySegment struct) {
        checkLeased();
        int index = next;
        if (index == kinds.length) {
            throw tooMany();
        }
        kinds[index] = UNSET; // in case the call fails
        program.context.enter();
        try {
            program.context.calls.setArgument(handle, index, struct.byteSize(), struct);
        } finally {
            program.context.exit();
        }
        kinds[index] = STRUCT;
        next = index + 1;
        return this;
    }

    /** Passes a {@code __local} pointer to {@code bytes} bytes. */
    public Kernel local(long bytes) {
        set(LOCAL, bytes, bytes, bytes);
        return this;
    }

    private void set(byte kind, long identity, long content, long bytes) {
        checkLeased();
        int index = next;
        if (index == kinds.length) {
            throw tooMany();
        }
        if (kinds[index] != kind || values[index] != identity) {
            kinds[index] = UNSET; // in case the call fails
            OpenClCalls calls = program.context.calls;
            program.context.enter();
            try {
                if (kind == LOCAL) {
                    calls.setArgument(handle, index, bytes, MemorySegment.NULL);
                } else {
                    if (kind == FOUR_BYTES) {
                        value.set(JAVA_INT, 0, (int) content);
                    } else {
                        value.set(JAVA_LONG, 0, content);
                    }
                    calls.setArgument(handle, index, bytes, value);
                }
            } finally {
                program.context.exit();
            }
            kinds[index] = kind;
            values[index] = identity;
        }
        next = index + 1;
    }

    private IllegalStateException tooMany() {
        return new IllegalStateException(this + " takes " + kinds.length + " arguments, a further one was given"
                + "\nHINT: begin with arguments()");
    }

    private void checkLeased() {
        if (!leased) {
            throw new IllegalStateException(
                    this + " was used after it was closed\nHINT: get it from its program again");
        }
    }

    /** Throws an exception if an argument was never set, or if the caller began a list of arguments and did not finish it. */
    void checkComplete() {
        checkLeased();
        boolean complete = next == 0 || next == kinds.length;
        for (byte kind : kinds) {
            complete &= kind != UNSET;
        }
        if (!complete) {
            throw new IllegalStateException(this + " takes " + kinds.length + " arguments, " + next + " were given");
        }
    }

    /** {@return the global size in each dimension, then the local sizes, as 64-bit integers} */
    MemorySegment sizes(WorkSize size) {
        long[] order = {size.globalX(), size.globalY(), size.globalZ(), size.localX(), size.localY(), size.localZ()};
        for (int i = 0; i < size.dimensions(); i++) {
            sizes.setAtIndex(JAVA_LONG, i, order[i]);
            sizes.setAtIndex(JAVA_LONG, size.dimensions() + i, order[3 + i]);
        }
        return sizes;
    }

    // ---------------------------------------------------------------- properties of the compiled kernel

    /** {@return the maximum work-items per work-group, given the registers of this kernel} */
    public long maxWorkGroupSize() {
        return info(Cl.KERNEL_WORK_GROUP_SIZE);
    }

    /** {@return the preferred multiple of work-group sizes: a warp or wavefront} */
    public long groupMultiple() {
        return info(Cl.KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE);
    }

    /** {@return bytes of local memory per work-group that this kernel uses} */
    public long localBytes() {
        return info(Cl.KERNEL_LOCAL_MEM_SIZE);
    }

    /** {@return bytes of private memory per work-item that are not in registers, if the driver reports them} */
    public long privateBytes() {
        return info(Cl.KERNEL_PRIVATE_MEM_SIZE);
    }

    private long info(int question) {
        checkLeased();
        program.context.enter();
        try {
            return program.context.calls.workGroupInfo(handle, program.context.device().handle, question);
        } finally {
            program.context.exit();
        }
    }

    /** Returns the kernel to its program, for other users. Launches that are already enqueued still run. */
    @Override
    public void close() {
        if (leased) {
            leased = false;
            program.giveBack(this);
        }
    }

    @Override
    public String toString() {
        return "Kernel " + name + " of " + program.file();
    }
}
