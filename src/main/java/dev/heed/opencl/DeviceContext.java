package dev.heed.opencl;

import dev.heed.opencl.calls.OpenClBuildException;
import dev.heed.opencl.calls.OpenClCalls;
import dev.heed.opencl.calls.OpenClException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An open device: its queues, programs and memory. Threads may share it. Closing it releases all its objects; using them
 * afterwards throws an exception.
 */
public final class DeviceContext implements AutoCloseable {
    /** Alignment in bytes of host memory that kernels access directly: the size of the widest vector of a CPU. */
    private static final long HOST_ALIGNMENT = 64;

    private static final System.Logger LOG = System.getLogger("dev.heed.opencl");

    final OpenClCalls calls;
    final ContextSettings settings;
    final long handle;
    private final Device device;
    private final DeviceLimits limits;
    private final AtomicInteger users = new AtomicInteger();
    private final AtomicInteger handles = new AtomicInteger();
    private final AtomicLong identities = new AtomicLong();
    private final Set<PinnedMemory> pinned = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;
    private final BufferPool pool;
    private final ProgramCache programs;
    private final CommandQueue queue;
    private @Nullable CommandQueue transfers;
    private @Nullable CommandQueue profiled;
    private @Nullable Staging staging;
    private volatile @Nullable CommandQueue timing;

    DeviceContext(Device device, ContextSettings settings) {
        this.device = device;
        this.calls = device.calls;
        this.settings = settings;
        this.limits = device.limits().withMemory(settings.memoryBytes());
        this.handle = calls.createContext(device.platformHandle, device.handle);
        handles.incrementAndGet();
        this.pool = new BufferPool(this, settings.memoryBytes());
        this.programs = new ProgramCache(this);
        try {
            this.queue = new CommandQueue(this, false);
        } catch (OpenClException e) {
            release(() -> calls.releaseContext(handle));
            throw e;
        }
    }

    public Device device() {
        return device;
    }

    /** {@return the device's limits, with the memory limit of this context} */
    public DeviceLimits limits() {
        return limits;
    }

    // ---------------------------------------------------------------- queues

    /** {@return the queue for kernels; it runs in order, so a kernel can read the results of all earlier kernels} */
    public CommandQueue queue() {
        CommandQueue instead = timing;
        return instead == null ? queue : instead;
    }

    /**
     * Runs {@code work} and measures the device time of each kernel that it launches; copies are not measured. No other thread
     * may use the context meanwhile: its launches would be timed too, and would not be in order.
     *
     * @return the time of each launch, in launch order
     */
    public List<KernelTime> timed(Runnable work) {
        CommandQueue profiled = profiled();
        queue.await();
        profiled.beginTimes();
        timing = profiled;
        try {
            work.run();
        } catch (RuntimeException e) {
            profiled.dropTimes();
            throw e;
        } finally {
            timing = null;
        }
        return profiled.endTimes();
    }

    /** {@return a second queue, for copies that overlap with kernels; the two queues synchronise only through events} */
    public synchronized CommandQueue transfers() {
        enter();
        try {
            CommandQueue made = transfers;
            if (made == null) {
                made = new CommandQueue(this, false);
                transfers = made;
            }
            return made;
        } finally {
            exit();
        }
    }

    /** {@return a queue whose events have times; it is slower and used only for timing} */
    public synchronized CommandQueue profiled() {
        enter();
        try {
            CommandQueue made = profiled;
            if (made == null) {
                made = new CommandQueue(this, true);
                profiled = made;
            }
            return made;
        } finally {
            exit();
        }
    }

    /** Waits for all queues, even if one fails, because memory that their commands use is about to be freed. */
    void settleAll() {
        List<CommandQueue> queues = queues();
        try {
            queues.forEach(CommandQueue::await);
        } catch (OpenClException e) {
            queues.forEach(CommandQueue::drain);
            throw e;
        }
    }

    private synchronized List<CommandQueue> queues() {
        return Stream.of(queue, transfers, profiled).filter(Objects::nonNull).toList();
    }

    synchronized Staging staging() {
        Staging made = staging;
        if (made == null) {
            made = new Staging(this);
            staging = made;
        }
        return made;
    }

    // ---------------------------------------------------------------- programs and memory

    /**
     * {@return the kernels of a file, compiled with options} A context compiles them, or reads them from disk, only once.
     *
     * @throws OpenClBuildException if the driver's compiler rejects them
     */
    public Program program(KernelSource source, String options) {
        enter();
        try {
            return programs.program(source, options);
        } finally {
            exit();
        }
    }

    /**
     * {@return kernels from a program binary: the output of an earlier compilation, or code in the driver's own language} They
     * are not cached.
     *
     * @param file a name for messages
     */
    public Program binaryProgram(String file, byte[] binary, String options) {
        enter();
        try {
            return programs.binaryProgram(file, binary, options);
        } finally {
            exit();
        }
    }

    /**
     * {@return a new buffer with undefined contents}
     *
     * @throws OpenClException with the needed and available bytes if there is not enough memory
     */
    public DeviceBuffer allocate(long bytes) {
        enter();
        try {
            return pool.allocate(bytes);
        } finally {
            exit();
        }
    }

    /**
     * {@return a buffer on host memory that kernels access directly} Empty if the device does not support this, or if the memory
     * is not native, is not aligned to 64 bytes, is empty, is too large for a buffer or belongs to a shared arena, which another
     * thread could close while a kernel reads. A copy between the buffer and this memory only synchronises them. The memory must
     * outlive the buffer; it may be read-only if no kernel writes to it.
     */
    public Optional<DeviceBuffer> share(MemorySegment host) {
        enter();
        try {
            boolean fits = settings.unified()
                    && host.isNative()
                    && host.byteSize() > 0
                    && host.byteSize() <= limits.maxAllocationBytes()
                    && host.address() % HOST_ALIGNMENT == 0
                    && HostMemory.staysOpen(host);
            return fits ? Optional.of(pool.share(host)) : Optional.empty();
        } finally {
            exit();
        }
    }

    /** {@return pinned host memory, for the fastest copies; at most 2 GiB} */
    public PinnedMemory pin(long bytes) {
        enter();
        try {
            var made = new PinnedMemory(this, bytes);
            pinned.add(made);
            return made;
        } finally {
            exit();
        }
    }

    void forget(PinnedMemory memory) {
        pinned.remove(memory);
    }

    /** {@return the memory use of buffers} */
    public MemoryUse memory() {
        return pool.use();
    }

    /** Frees the memory of released buffers, which otherwise waits for reuse. */
    public void trim() {
        enter();
        try {
            pool.trim(0);
        } finally {
            exit();
        }
    }

    /** {@return the number of unreleased OpenCL objects: the context itself, queues, programs, kernels, buffers, events} */
    public int handles() {
        return handles.get();
    }

    // ---------------------------------------------------------------- for this package

    long nextIdentity() {
        return identities.incrementAndGet();
    }

    void made() {
        handles.incrementAndGet();
    }

    /** Releases a handle. A failure is only logged, so that other handles are still released. */
    void release(Runnable call) {
        handles.decrementAndGet();
        attempt(call);
    }

    /** Runs a call whose failure cannot be handled and is only logged. */
    void attempt(Runnable call) {
        try {
            call.run();
        } catch (OpenClException e) {
            LOG.log(System.Logger.Level.DEBUG, "while releasing: {0}", e.getMessage());
        }
    }

    /** Begins a use of the context, which ends with {@link #exit}; {@link #close} waits for all uses. */
    void enter() {
        users.incrementAndGet();
        if (closed) {
            users.decrementAndGet();
            throw new IllegalStateException("The OpenCL context on " + device.name()
                    + " is closed, and so are all its objects.\nHINT: open another with device.open()");
        }
    }

    void exit() {
        users.decrementAndGet();
    }

    boolean isClosed() {
        return closed;
    }

    /** Waits for running calls of other threads and for all enqueued commands, then releases everything. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        while (users.get() > 0) {
            LockSupport.parkNanos(50_000);
        }
        queues().forEach(CommandQueue::drain);
        if (staging != null) {
            staging.release();
        }
        pinned.forEach(PinnedMemory::release);
        programs.release();
        pool.release();
        queues().forEach(CommandQueue::release);
        release(() -> calls.releaseContext(handle));
    }
}
