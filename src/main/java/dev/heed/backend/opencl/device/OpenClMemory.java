package dev.heed.backend.opencl.device;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;

/** A buffer behind a tensor. */
final class OpenClMemory implements DeviceMemory {
    final DeviceContext context;
    final DeviceBuffer buffer;
    private final long bytes;
    private final BooleanSupplier contextClosed;
    private volatile boolean closed;

    /**
     * Memory of a context.
     *
     * @param buffer a whole number of {@code long}s
     * @param bytes how many of its bytes the tensor has
     * @param contextClosed whether the context, and the buffer with it, is closed
     */
    OpenClMemory(DeviceContext context, DeviceBuffer buffer, long bytes, BooleanSupplier contextClosed) {
        this.context = context;
        this.buffer = buffer;
        this.bytes = bytes;
        this.contextClosed = contextClosed;
    }

    /** {@return the memory behind a tensor that lies on an OpenCL device} */
    static OpenClMemory of(Tensor tensor) {
        if (tensor.device() instanceof OpenClMemory memory) {
            return memory;
        }
        throw new IllegalArgumentException(tensor + " does not lie on an OpenCL device");
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

    void close() {
        closed = true;
        buffer.close();
    }
}
