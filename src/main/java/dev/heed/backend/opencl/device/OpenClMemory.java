package dev.heed.backend.opencl.device;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;

/** The memory of a tensor on an OpenCL device: one buffer of an OpenCL context. */
final class OpenClMemory implements DeviceMemory {
    final DeviceContext context;
    final DeviceBuffer buffer;
    private final long bytes;
    private final BooleanSupplier contextClosed;
    private volatile boolean closed;
    private int users;

    /**
     * Creates memory from a buffer.
     *
     * @param buffer a buffer whose size is a multiple of 8 bytes
     * @param bytes bytes of the tensor, without the padding at the end of the buffer
     * @param contextClosed returns whether the context, and with it the buffer, is closed
     */
    OpenClMemory(DeviceContext context, DeviceBuffer buffer, long bytes, BooleanSupplier contextClosed) {
        this.context = context;
        this.buffer = buffer;
        this.bytes = bytes;
        this.contextClosed = contextClosed;
    }

    /** {@return the memory of a tensor, which must be on an OpenCL device} */
    static OpenClMemory of(Tensor tensor) {
        if (tensor.device() instanceof OpenClMemory memory) {
            return memory;
        }
        throw new IllegalArgumentException(tensor + " is not on an OpenCL device");
    }

    @Override
    public String place() {
        return "opencl: " + context.device().name();
    }

    @Override
    public long byteSize() {
        return bytes;
    }

    @Override
    public boolean isAlive() {
        return !closed && !contextClosed.getAsBoolean();
    }

    @Override
    public void read(long from, MemorySegment to) {
        context.queue().read(buffer, from, to);
    }

    /** Begins a use by a call, which ends with {@link #giveBack}; until then the buffer is not released, even if the arena closes. */
    synchronized void lease() {
        if (closed) {
            throw new IllegalStateException(
                    "The arena of a tensor on the device was closed during the call.\nHINT: keep the arena"
                            + " open until the call returns");
        }
        users++;
    }

    synchronized void giveBack() {
        users--;
        if (users == 0 && closed) {
            buffer.close();
        }
    }

    synchronized void close() {
        closed = true;
        if (users == 0) {
            buffer.close();
        }
    }
}
