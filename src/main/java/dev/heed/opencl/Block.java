package dev.heed.opencl;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A memory object of the driver, with a count of its users: one buffer, and the open ranges (sub-buffers) of this buffer. */
final class Block {
    final long handle;
    final long identity;
    final long capacity;
    final @Nullable MemorySegment host;
    private final BufferPool pool;
    private final AtomicInteger users = new AtomicInteger(1);
    private final Set<Long> ranges = ConcurrentHashMap.newKeySet();

    Block(BufferPool pool, long handle, long identity, long capacity, @Nullable MemorySegment host) {
        this.pool = pool;
        this.handle = handle;
        this.identity = identity;
        this.capacity = capacity;
        this.host = host;
    }

    /** Adds a range as a user; {@code range} is the handle of its sub-buffer. */
    void retain(long range) {
        ranges.add(range);
        users.incrementAndGet();
    }

    /** Removes a range that was closed, and releases its sub-buffer. */
    void release(long range) {
        if (ranges.remove(range)) {
            pool.giveBackRange(range);
        }
        release();
    }

    /** Removes and returns the handles of the ranges that are still open. */
    List<Long> takeRanges() {
        List<Long> left = List.copyOf(ranges);
        ranges.clear();
        return left;
    }

    void release() {
        if (users.decrementAndGet() == 0) {
            pool.giveBack(this);
        }
    }

    /** {@return this block, with one user, after it was taken from the pool} */
    Block again() {
        users.set(1);
        return this;
    }
}
