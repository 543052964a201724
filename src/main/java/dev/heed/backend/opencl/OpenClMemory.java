package dev.heed.backend.opencl;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** A buffer behind a tensor. */
final class OpenClMemory implements DeviceMemory {
    final Engine engine;
    final DeviceBuffer buffer;
    private final long bytes;
    private volatile boolean closed;

    OpenClMemory(Engine engine, long bytes) {
        this.engine = engine;
        this.bytes = bytes;
        this.buffer = engine.allocate(Math.ceilDiv(bytes, Long.BYTES) * Long.BYTES);
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
        return "opencl: " + engine.context.device().name();
    }

    @Override
    public long byteSize() {
        return bytes;
    }

    @Override
    public boolean isAlive() {
        return !closed && !engine.isClosed();
    }

    @Override
    public void read(long from, MemorySegment to) {
        engine.context.queue().read(buffer, from, to);
    }

    void close() {
        closed = true;
        buffer.close();
    }
}
