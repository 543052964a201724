package dev.heed.opencl;

import dev.heed.opencl.calls.Cl;
import dev.heed.opencl.calls.ErrorCode;
import dev.heed.opencl.calls.OpenClException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The allocator of a context's device memory, which reuses released blocks and measures the memory use. Released blocks wait
 * until a buffer of about their size is requested. They can be reused at once, because a queue runs its commands in order.
 * Waiting blocks use at most a quarter of the context's memory limit and are freed when memory is needed.
 */
final class BufferPool {
    private static final long SMALLEST = 256;
    private static final long LARGEST_STEP = 1 << 20;
    private static final int STEPS = 8; // block sizes per power of two
    private static final long WASTE = 8; // a block is used for a request of at least 7/8 of its size

    private final DeviceContext context;
    private final long limit;
    private final Set<Block> live = new HashSet<>();
    private final LinkedHashSet<Block> waiting = new LinkedHashSet<>(); // the longest-waiting block first
    private long liveBytes;
    private long waitingBytes;
    private long peak;

    BufferPool(DeviceContext context, long limit) {
        this.context = context;
        this.limit = limit;
    }

    /**
     * {@return a size in bytes, rounded up to a multiple of a step, so that blocks can be reused} The step is an eighth of the
     * largest power of two that is not above the size, but at least 256 bytes and at most 1 MiB.
     */
    static long rounded(long bytes) {
        if (bytes <= SMALLEST) {
            return SMALLEST;
        }
        long step = Math.clamp(Long.highestOneBit(bytes) / STEPS, SMALLEST, LARGEST_STEP);
        return Math.ceilDiv(bytes, step) * step;
    }

    synchronized DeviceBuffer allocate(long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("Expected a buffer of at least one byte, got " + bytes);
        }
        long largest = context.limits().maxAllocationBytes();
        if (bytes > largest) {
            throw refusal(bytes, "the largest buffer of " + context.device().name() + " has " + largest + " bytes");
        }
        long capacity = Math.min(rounded(bytes), largest);
        Block block = take(capacity);
        if (block == null) {
            if (capacity > limit - liveBytes) {
                capacity = bytes; // no room to round up
            }
            if (capacity > limit - liveBytes) {
                throw refusal(bytes, (limit - liveBytes) + " of " + limit + " bytes are available");
            }
            trim(limit - liveBytes - capacity);
            block = create(capacity);
        }
        live.add(block);
        liveBytes += block.capacity;
        peak = Math.max(peak, liveBytes + waitingBytes);
        return new DeviceBuffer(context, block, bytes);
    }

    private OpenClException refusal(long bytes, String why) {
        return new OpenClException(
                "clCreateBuffer",
                ErrorCode.MEM_OBJECT_ALLOCATION_FAILURE,
                String.format(Locale.ROOT, "%d bytes are needed, %s", bytes, why),
                ErrorCode.hint(ErrorCode.MEM_OBJECT_ALLOCATION_FAILURE));
    }

    /** {@return a waiting block that fits without much waste, or null} */
    private @Nullable Block take(long capacity) {
        Block best = null;
        for (Block block : waiting) {
            boolean fits = block.capacity >= capacity && block.capacity - capacity <= block.capacity / WASTE;
            if (fits && (best == null || block.capacity < best.capacity)) {
                best = block;
            }
        }
        if (best != null) {
            waiting.remove(best);
            waitingBytes -= best.capacity;
            best.again();
        }
        return best;
    }

    private Block create(long capacity) {
        long handle;
        try {
            handle = context.calls.createBuffer(context.handle, Cl.MEM_READ_WRITE, capacity, MemorySegment.NULL);
        } catch (OpenClException e) {
            if (!e.isOutOfMemory() || waiting.isEmpty()) {
                throw e;
            }
            trim(0); // the driver may have less free memory than this pool assumes
            handle = context.calls.createBuffer(context.handle, Cl.MEM_READ_WRITE, capacity, MemorySegment.NULL);
        }
        context.made();
        return new Block(this, handle, context.nextIdentity(), capacity, null);
    }

    synchronized DeviceBuffer share(MemorySegment host) {
        long flags = Cl.MEM_READ_WRITE | Cl.MEM_USE_HOST_PTR;
        long handle = context.calls.createBuffer(context.handle, flags, host.byteSize(), host);
        context.made();
        var block = new Block(this, handle, context.nextIdentity(), host.byteSize(), host);
        live.add(block);
        return new DeviceBuffer(context, block, host.byteSize());
    }

    void giveBack(Block block) {
        if (block.host != null) {
            giveBackShared(block);
            return;
        }
        synchronized (this) {
            if (live.remove(block)) { // false if the context was closed meanwhile
                liveBytes -= block.capacity;
                waiting.add(block);
                waitingBytes += block.capacity;
                trim(limit / 4);
            }
        }
    }

    /** Waits for all queues before the release, because commands may still use memory that the host is about to free. */
    private void giveBackShared(Block block) {
        try {
            context.settleAll();
        } finally {
            boolean mine;
            synchronized (this) {
                mine = live.remove(block);
            }
            if (mine) {
                context.release(() -> context.calls.releaseBuffer(block.handle));
            }
        }
    }

    void giveBackRange(long range) {
        context.release(() -> context.calls.releaseBuffer(range));
    }

    /** Returns waiting blocks to the driver, the longest-waiting first, until at most {@code bytes} bytes wait. */
    synchronized void trim(long bytes) {
        while (waitingBytes > bytes && !waiting.isEmpty()) {
            Block block = waiting.removeFirst();
            waitingBytes -= block.capacity;
            context.release(() -> context.calls.releaseBuffer(block.handle));
        }
    }

    synchronized MemoryUse use() {
        return new MemoryUse(liveBytes, waitingBytes, peak, live.size(), limit);
    }

    /** Releases all blocks, including blocks in use. */
    synchronized void release() {
        trim(0);
        List<Block> rest = new ArrayList<>(live);
        live.clear();
        liveBytes = 0;
        for (Block block : rest) {
            block.takeRanges().forEach(this::giveBackRange);
            context.release(() -> context.calls.releaseBuffer(block.handle));
        }
    }
}
