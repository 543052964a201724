package dev.heed.opencl;

import dev.heed.opencl.calls.Cl;
import java.lang.foreign.MemorySegment;

/** Host memory that the driver allocates for access by the device. Copies between it and the device are the fastest. */
public final class PinnedMemory implements AutoCloseable {
    private final DeviceContext context;
    private final long handle;
    private final MemorySegment memory;
    private boolean released;

    PinnedMemory(DeviceContext context, long bytes) {
        this.context = context;
        long flags = Cl.MEM_READ_WRITE | Cl.MEM_ALLOC_HOST_PTR;
        this.handle = context.calls.createBuffer(context.handle, flags, bytes, MemorySegment.NULL);
        context.made();
        try {
            long access = Cl.MAP_READ | Cl.MAP_WRITE;
            this.memory = context.calls.map(context.queue().handle, handle, access, 0, bytes);
        } catch (RuntimeException e) {
            context.release(() -> context.calls.releaseBuffer(handle));
            throw e;
        }
    }

    /** {@return the memory, valid until this object or its context is closed} */
    public MemorySegment memory() {
        return memory;
    }

    /** Waits for all queues, because their commands may use the memory, then releases it. */
    @Override
    public void close() {
        if (context.isClosed()) {
            return;
        }
        context.enter();
        try {
            context.settleAll();
        } finally {
            release();
            context.forget(this);
            context.exit();
        }
    }

    synchronized void release() {
        if (!released) {
            released = true;
            context.attempt(() -> context.calls.unmap(context.queue().handle, handle, memory));
            context.queue().drain();
            context.release(() -> context.calls.releaseBuffer(handle));
        }
    }
}
