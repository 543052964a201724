package dev.heed.opencl;

import dev.heed.opencl.calls.Cl;
import dev.heed.opencl.calls.ErrorCode;
import dev.heed.opencl.calls.OpenClException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A queue of commands that a device runs in the order in which they were enqueued. Threads may share a queue: the commands of
 * one thread stay in order. The caller may reuse host memory when a call returns, unless the call returns an {@link Event}.
 */
public final class CommandQueue {
    private static final int WORD = Integer.BYTES;
    private static final long FILL_GROUP = 64;
    private static final long FILL_GROUPS_PER_UNIT = 32;

    final long handle;
    private final DeviceContext context;
    private @Nullable List<Launch> launches; // null unless launches are timed

    CommandQueue(DeviceContext context, boolean profiling) {
        this.context = context;
        this.handle = context.calls.createQueue(context.handle, context.device().handle, profiling);
        context.made();
    }

    // ---------------------------------------------------------------- kernels

    /** Enqueues a kernel and returns at once. */
    public void launch(Kernel kernel, WorkSize size) {
        List<Launch> timed = launches;
        if (timed == null) {
            enqueue(kernel, size, false);
        } else {
            timed.add(new Launch(kernel.name(), launchWithEvent(kernel, size)));
        }
    }

    private record Launch(String kernel, Event event) {}

    void beginTimes() {
        launches = new ArrayList<>();
    }

    /** Waits for the timed launches and returns their times. */
    List<KernelTime> endTimes() {
        List<KernelTime> times = new ArrayList<>();
        try {
            for (Launch launch : takeLaunches()) {
                try (Event event = launch.event()) {
                    times.add(new KernelTime(launch.kernel(), event.nanos()));
                }
            }
        } finally {
            await();
        }
        return List.copyOf(times);
    }

    void dropTimes() {
        takeLaunches().forEach(launch -> launch.event().close());
        await();
    }

    private List<Launch> takeLaunches() {
        List<Launch> takeLaunches = launches == null ? List.of() : launches;
        launches = null;
        return takeLaunches;
    }

    /** {@return the event of a launch} The kernel is enqueued, and the call returns at once. */
    public Event launchWithEvent(Kernel kernel, WorkSize size) {
        return new Event(context, handle, enqueue(kernel, size, true), null);
    }

    private long enqueue(Kernel kernel, WorkSize size, boolean event) {
        kernel.checkComplete();
        context.enter();
        try {
            MemorySegment sizes = kernel.sizes(size);
            return context.calls.enqueueKernel(
                    handle, kernel.handle(), size.dimensions(), sizes, size.localX() > 0, event);
        } catch (OpenClException e) {
            throw new OpenClException(e.call(), e.code(), kernel + ", " + size, ErrorCode.hint(e.code()));
        } finally {
            context.exit();
        }
    }

    /** Fills {@code bytes} bytes of a buffer with a 32-bit pattern, from byte {@code at} on; both must be multiples of 4. */
    public void fill(DeviceBuffer buffer, long at, long bytes, int pattern) {
        checkRange(buffer, at, bytes);
        if (at % WORD != 0 || bytes % WORD != 0) {
            throw new IllegalArgumentException("Expected multiples of 4 bytes, got " + bytes + " at " + at);
        }
        if (bytes == 0) {
            return;
        }
        long words = bytes / WORD;
        long group = Math.min(FILL_GROUP, context.limits().maxWorkGroupSize());
        long most = FILL_GROUPS_PER_UNIT * context.limits().computeUnits();
        try (Kernel kernel = context.program(Fill.SOURCE, "").kernel("fill_words")) {
            kernel.arguments().buffer(buffer).int64(at / WORD).int64(words).int32(pattern);
            launch(kernel, WorkSize.groups(Math.min(most, Math.ceilDiv(words, group)), group));
        }
    }

    private static final class Fill {
        private static final KernelSource SOURCE = KernelSource.resource("fill.cl");
    }

    // ---------------------------------------------------------------- copies

    /** Copies host memory (a heap array or native memory) into a buffer, to byte {@code at} and the following bytes. */
    public void write(DeviceBuffer to, long at, MemorySegment from) {
        checkRange(to, at, from.byteSize());
        context.enter();
        try {
            if (isInPlace(to, at, from)) {
                hold(to, at, from.byteSize(), Cl.MAP_WRITE);
            } else if (!context.settings.unified()) {
                context.staging().write(this, to, at, from);
            } else {
                writeUnified(to, at, from);
            }
        } finally {
            context.exit();
        }
    }

    /**
     * Copies bytes of a buffer, from byte {@code at} on, into host memory (a heap array or native memory). Waits for the copy and
     * all earlier commands.
     */
    public void read(DeviceBuffer from, long at, MemorySegment to) {
        checkRange(from, at, to.byteSize());
        context.enter();
        try {
            if (isInPlace(from, at, to)) {
                hold(from, at, to.byteSize(), Cl.MAP_READ);
            } else if (!context.settings.unified()) {
                context.staging().read(this, from, at, to);
            } else {
                readUnified(from, at, to);
            }
        } finally {
            context.exit();
        }
    }

    private static boolean isInPlace(DeviceBuffer buffer, long at, MemorySegment host) {
        MemorySegment shared = buffer.host();
        return shared != null && host.isNative() && shared.address() + at == host.address();
    }

    /** Maps and unmaps shared memory, which synchronises host and device without a copy. */
    private void hold(DeviceBuffer buffer, long at, long bytes, long access) {
        long step = context.settings.chunkBytes();
        for (long done = 0; done < bytes; done += step) {
            long size = Math.min(step, bytes - done);
            MemorySegment mapped = context.calls.map(handle, buffer.handle, access, at + done, size);
            context.calls.unmap(handle, buffer.handle, mapped);
        }
    }

    /**
     * {@return whether the driver may copy this memory itself} A heap array could move, and a shared arena could be closed by another
     * thread during a call through JOCL, which does not hold it open. Such memory is copied by the JDK, which checks it.
     */
    private static boolean isReachedByDriver(MemorySegment host) {
        return host.isNative() && HostMemory.staysOpen(host);
    }

    private void writeUnified(DeviceBuffer to, long at, MemorySegment from) {
        long step = context.settings.chunkBytes();
        for (long done = 0; done < from.byteSize(); done += step) {
            long bytes = Math.min(step, from.byteSize() - done);
            MemorySegment part = from.asSlice(done, bytes);
            if (isReachedByDriver(from)) {
                context.calls.enqueueWrite(handle, to.handle, at + done, bytes, part, true);
            } else {
                MemorySegment mapped = context.calls.map(handle, to.handle, Cl.MAP_WRITE_INVALIDATE, at + done, bytes);
                try {
                    MemorySegment.copy(part, 0, mapped, 0, bytes);
                } finally {
                    context.calls.unmap(handle, to.handle, mapped);
                }
            }
        }
    }

    private void readUnified(DeviceBuffer from, long at, MemorySegment to) {
        long step = context.settings.chunkBytes();
        for (long done = 0; done < to.byteSize(); done += step) {
            long bytes = Math.min(step, to.byteSize() - done);
            MemorySegment part = to.asSlice(done, bytes);
            if (isReachedByDriver(to)) {
                context.calls.enqueueRead(handle, from.handle, at + done, bytes, part, true);
            } else {
                MemorySegment mapped = context.calls.map(handle, from.handle, Cl.MAP_READ, at + done, bytes);
                try {
                    MemorySegment.copy(mapped, 0, part, 0, bytes);
                } finally {
                    context.calls.unmap(handle, from.handle, mapped);
                }
            }
        }
    }

    /**
     * Starts to copy native memory into a buffer, to byte {@code at} and the following bytes. Until the copy is done, the memory
     * must neither change nor be freed: the event keeps memory of an automatic arena alive, but the caller must keep other arenas
     * open.
     */
    public Event writeLater(DeviceBuffer to, long at, MemorySegment from) {
        checkRange(to, at, from.byteSize());
        context.enter();
        try {
            long event = context.calls.enqueueWrite(handle, to.handle, at, from.byteSize(), checkNative(from), false);
            return new Event(context, handle, event, from);
        } finally {
            context.exit();
        }
    }

    /**
     * Starts to copy bytes of a buffer, from byte {@code at} on, into native memory. Until the copy is done, the memory must be
     * neither used nor freed; for arenas see {@link #writeLater}.
     */
    public Event readLater(DeviceBuffer from, long at, MemorySegment to) {
        checkRange(from, at, to.byteSize());
        context.enter();
        try {
            long event = context.calls.enqueueRead(handle, from.handle, at, to.byteSize(), checkNative(to), false);
            return new Event(context, handle, event, to);
        } finally {
            context.exit();
        }
    }

    private static MemorySegment checkNative(MemorySegment host) {
        if (!host.isNative()) {
            throw new IllegalArgumentException(
                    "The garbage collector may move a heap array during a copy.\nHINT: use write or read, or native memory");
        }
        return host;
    }

    /** Copies {@code bytes} bytes within the device, from byte {@code fromAt} of one buffer to byte {@code toAt} of another. */
    public void copy(DeviceBuffer from, long fromAt, DeviceBuffer to, long toAt, long bytes) {
        checkRange(from, fromAt, bytes);
        checkRange(to, toAt, bytes);
        if (bytes == 0) {
            return;
        }
        context.enter();
        try {
            context.calls.enqueueCopy(handle, from.handle, fromAt, to.handle, toAt, bytes);
        } finally {
            context.exit();
        }
    }

    private void checkRange(DeviceBuffer buffer, long at, long bytes) {
        buffer.checkOpen();
        buffer.checkRange(at, bytes);
        if (buffer.context != context) {
            throw new IllegalArgumentException("A buffer of another context was given to a queue");
        }
    }

    // ---------------------------------------------------------------- waiting

    /** {@return an event that is done when all earlier commands are done} */
    public Event marker() {
        context.enter();
        try {
            return new Event(context, handle, context.calls.enqueueMarker(handle), null);
        } finally {
            context.exit();
        }
    }

    /** Makes all later commands wait for an event, which may be from another queue. */
    public void waitFor(Event event) {
        context.enter();
        try {
            event.flush();
            context.calls.enqueueBarrier(handle, event.handle());
        } finally {
            context.exit();
        }
    }

    /** Submits all enqueued commands to the device. */
    public void flush() {
        context.enter();
        try {
            context.calls.flush(handle);
        } finally {
            context.exit();
        }
    }

    /**
     * Waits until all enqueued commands are done, without keeping a core busy.
     *
     * @throws OpenClException if a command failed
     */
    public void await() {
        context.enter();
        try {
            if (!context.settings.polls()) {
                context.calls.finish(handle);
                return;
            }
            try (var last = new Event(context, handle, context.calls.enqueueMarker(handle), null)) {
                last.waitInside();
            }
        } finally {
            context.exit();
        }
    }

    /** Waits for all commands when the context closes; failures are only logged. */
    void drain() {
        context.attempt(() -> context.calls.finish(handle));
    }

    void release() {
        context.release(() -> context.calls.releaseQueue(handle));
    }
}
