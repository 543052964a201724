package dev.heed.opencl;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One allocation of the driver, with those who use it. */
final class Block {
    final long handle;
    final long identity;
    final long capacity;
    final @Nullable MemorySegment host;
    private final BufferPool pool;
    private final AtomicInteger users = new AtomicInteger(1);

    Block(BufferPool pool, long handle, long identity, long capacity, @Nullable MemorySegment host) {
        this.pool = pool;
        this.handle = handle;
        this.identity = identity;
        this.capacity = capacity;
        this.host = host;
    }

    void retain() {
        users.incrementAndGet();
    }

    void release() {
        if (users.decrementAndGet() == 0) {
            pool.giveBack(this);
        }
    }

    /** Back from the pool, for another user. */
    Block again() {
        users.set(1);
        return this;
    }
}
