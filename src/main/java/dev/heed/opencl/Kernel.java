package dev.heed.opencl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.heed.opencl.calls.Cl;
import dev.heed.opencl.calls.OpenClCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A kernel and its arguments, for one thread at a time. After {@link #arguments} they are given in the kernel's order; those
 * that are as they were at the last launch are not set again. Closing lets the next user have it.
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

    /** Begins with the first argument. */
    public Kernel arguments() {
        checkLeased();
        next = 0;
        return this;
    }

    /** A {@code __global} pointer. */
    public Kernel buffer(DeviceBuffer buffer) {
        buffer.checkOpen();
        if (buffer.context != program.context) {
            throw new IllegalArgumentException(
                    "A buffer of another context was given to " + this + "\nHINT: allocate it from this one");
        }
        // Handles of released buffers come back; what identifies a buffer is its number.
        set(BUFFER, buffer.identity, buffer.handle, Long.BYTES);
        return this;
    }

    /** A {@code __global} pointer that is null. */
    public Kernel noBuffer() {
        set(BUFFER, 0, 0, Long.BYTES);
        return this;
    }

    /** An {@code int} or {@code uint}. */
    public Kernel int32(int argument) {
        set(FOUR_BYTES, argument, argument, Integer.BYTES);
        return this;
    }

    /** A {@code float}. */
    public Kernel float32(float argument) {
        return int32(Float.floatToRawIntBits(argument));
    }

    /** A {@code long} or {@code ulong}. */
    public Kernel int64(long argument) {
        set(EIGHT_BYTES, argument, argument, Long.BYTES);
        return this;
    }

    /** A {@code double}. */
    public Kernel float64(double argument) {
        return int64(Double.doubleToRawLongBits(argument));
    }

    /** A struct by value. It is set every time. */
    public Kernel bytes(MemorySegment struct) {
        checkLeased();
        int index = next;
        if (index == kinds.length) {
            throw tooMany();
        }
        kinds[index] = UNSET; // should the call fail
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

    /** A {@code __local} pointer to so many bytes. */
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
            kinds[index] = UNSET; // should the call fail
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
                    this + " was used after it was closed\nHINT: take it from its program again");
        }
    }

    /** All arguments are there, or it is a mistake of the caller's. */
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

    /** {@return the sizes as OpenCL reads them: global, then local} */
    MemorySegment sizes(WorkSize size) {
        long[] order = {size.globalX(), size.globalY(), size.globalZ(), size.localX(), size.localY(), size.localZ()};
        for (int i = 0; i < size.dimensions(); i++) {
            sizes.setAtIndex(JAVA_LONG, i, order[i]);
            sizes.setAtIndex(JAVA_LONG, size.dimensions() + i, order[3 + i]);
        }
        return sizes;
    }

    // ---------------------------------------------------------------- what the compiler made of it

    /** {@return work-items of a group, at most, with the registers this kernel needs} */
    public long maxWorkGroupSize() {
        return info(Cl.KERNEL_WORK_GROUP_SIZE);
    }

    /** {@return the number that group sizes should be multiples of: warp, wavefront} */
    public long groupMultiple() {
        return info(Cl.KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE);
    }

    /** {@return bytes of local memory a group takes} */
    public long localBytes() {
        return info(Cl.KERNEL_LOCAL_MEM_SIZE);
    }

    /** {@return bytes of private memory of a work-item that did not fit into registers, where the driver tells} */
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

    /** Lets others use it; what was launched goes on. */
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
