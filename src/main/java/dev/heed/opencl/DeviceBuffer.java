package dev.heed.opencl;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A buffer in device memory or on host memory ({@link DeviceContext#share}), or a range of a buffer. Once a buffer in device
 * memory is closed, commands enqueued later may reuse its memory.
 */
public final class DeviceBuffer implements AutoCloseable {
    final DeviceContext context;
    final Block block;
    final long handle;
    final long identity;
    private final long at;
    private final long bytes;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** Creates a buffer that begins at the start of a block. */
    DeviceBuffer(DeviceContext context, Block block, long bytes) {
        this(context, block, block.handle, block.identity, 0, bytes);
    }

    private DeviceBuffer(DeviceContext context, Block block, long handle, long identity, long at, long bytes) {
        this.context = context;
        this.block = block;
        this.handle = handle;
        this.identity = identity;
        this.at = at;
        this.bytes = bytes;
    }

    /** {@return the requested size in bytes} */
    public long bytes() {
        return bytes;
    }

    public DeviceContext context() {
        return context;
    }

    /** {@return whether the buffer is host memory that kernels access directly, see {@link DeviceContext#share}} */
    public boolean isShared() {
        return block.host != null;
    }

    @Nullable
    MemorySegment host() {
        MemorySegment host = block.host;
        return host == null ? null : host.asSlice(at, bytes);
    }

    /**
     * {@return a range of this buffer as a separate buffer} The memory is released when the buffer and all its ranges are closed.
     *
     * @param from the offset of the range in this buffer, in bytes; must be a multiple of {@link DeviceLimits#baseAlignment}
     * @param size the size of the range in bytes
     */
    public DeviceBuffer slice(long from, long size) {
        context.enter();
        try {
            checkOpen();
            checkRange(from, size);
            long alignment = context.limits().baseAlignment();
            if ((at + from) % alignment != 0) {
                throw new IllegalArgumentException("A range of a buffer must begin at a multiple of " + alignment
                        + " bytes on " + context.device().name() + ", got " + from
                        + "\nHINT: pass the offset to the kernel instead");
            }
            long sub = context.calls.createSubBuffer(block.handle, at + from, size);
            context.made();
            block.retain(sub);
            return new DeviceBuffer(context, block, sub, context.nextIdentity(), at + from, size);
        } finally {
            context.exit();
        }
    }

    void checkRange(long from, long size) {
        if (from < 0 || size < 0 || from > bytes - size) {
            throw new IndexOutOfBoundsException(
                    "Expected a range within " + bytes + " bytes, got " + size + " at " + from);
        }
    }

    void checkOpen() {
        if (closed.get()) {
            throw new IllegalStateException(
                    "A buffer of " + bytes + " bytes was used after it was closed.\nHINT: close it after its last use");
        }
    }

    @Override
    public void close() {
        if (closed.getAndSet(true) || context.isClosed()) {
            return; // a closed context has released everything
        }
        try {
            context.enter();
        } catch (IllegalStateException e) {
            return;
        }
        try {
            if (handle == block.handle) {
                block.release();
            } else {
                block.release(handle);
            }
        } finally {
            context.exit();
        }
    }
}
