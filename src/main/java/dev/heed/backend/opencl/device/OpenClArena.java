package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceArena;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An arena whose tensors are stored in buffers of an OpenCL device; closing the arena releases the buffers. */
public final class OpenClArena implements DeviceArena {
    private final Engine engine;
    private final List<OpenClMemory> owned = new ArrayList<>();
    private boolean closed;

    public OpenClArena(Engine engine) {
        this.engine = engine;
    }

    @Override
    public Tensor upload(Tensor tensor) {
        tensor.requireAccessible("tensor");
        Tensor packed = tensor.isContiguous() ? tensor : tensor.copy();
        Tensor resident = allocate(tensor.type(), tensor.shape());
        long bytes = packed.elementCount() * packed.type().bytes();
        MemorySegment host =
                packed.segment().asSlice(packed.offset() * packed.type().bytes(), bytes);
        engine.context.queue().write(OpenClMemory.of(resident).buffer, 0, host);
        return resident;
    }

    @Override
    public synchronized Tensor allocate(DType type, long... shape) {
        if (closed) {
            throw new IllegalStateException("The arena of the device is closed.\nHINT: backend.arena() opens another");
        }
        long bytes = Arrays.stream(shape).reduce(type.bytes(), Math::multiplyExact);
        var memory = new OpenClMemory(
                engine.context, engine.allocate(Math.ceilDiv(bytes, Long.BYTES) * Long.BYTES), bytes, engine::isClosed);
        owned.add(memory);
        return Tensor.on(memory, type, shape);
    }

    @Override
    public synchronized void close() {
        closed = true;
        owned.forEach(OpenClMemory::close);
        owned.clear();
    }
}
