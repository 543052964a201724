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
 * A device in use: its queues, its programs and its memory. Threads may share it. Whatever it made is gone once it is
 * closed, and says so when used.
 */
public final class DeviceContext implements AutoCloseable {
    /** Host memory that kernels use in place begins at a multiple of this: the width of the widest vector. */
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

    /** {@return the device's limits, with the memory that this context may use} */
    public DeviceLimits limits() {
        return limits;
    }

    // ---------------------------------------------------------------- queues

    /** {@return the queue for computing, in order: what is launched later sees what was launched before} */
    public CommandQueue queue() {
        CommandQueue instead = timing;
        return instead == null ? queue : instead;
    }

    /**
     * Runs what launches kernels, and times each on the device; copies do not count. Nobody else may use the context
     * meanwhile: what they launch would be counted, and lose its order.
     *
     * @return the kernels in the order of their launches
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

    /** {@return a second queue, for copies that run beside computing; the two wait for each other by events only} */
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

    /** {@return a queue whose events know their times; slower, so nothing else uses it} */
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

    /** Waits for all queues, for certain: what their commands use is about to be freed. */
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
     * {@return the kernels of a file, compiled with options; compiled once a context, and read from disk where that is possible}
     *
     * @throws OpenClBuildException if the driver's compiler refuses them
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
     * {@return kernels that the driver compiled before, or that are written in its own language} They are kept nowhere.
     *
     * @param file their name, for messages
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
     * {@return a buffer, whose content is undefined}
     *
     * @throws OpenClException with the bytes needed and available if there is no room
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
     * {@return a buffer that is the host's own memory, where device and driver can use that in place} Copies between the two
     * then only keep order. The memory must outlive the buffer. Read-only memory may be shared if no kernel writes to it.
     */
    public Optional<DeviceBuffer> share(MemorySegment host) {
        enter();
        try {
            boolean fits = settings.unified()
                    && host.isNative()
                    && host.byteSize() > 0
                    && host.byteSize() <= limits.maxAllocationBytes()
                    && host.address() % HOST_ALIGNMENT == 0;
            return fits ? Optional.of(pool.share(host)) : Optional.empty();
        } finally {
            exit();
        }
    }

    /** {@return host memory from which and to which copies are fastest; at most 2 GiB} */
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

    /** {@return what buffers take} */
    public MemoryUse memory() {
        return pool.use();
    }

    /** Gives buffers that wait to be used again back to the driver. */
    public void trim() {
        enter();
        try {
            pool.trim(0);
        } finally {
            exit();
        }
    }

    /** {@return how many of OpenCL's objects this context holds: itself, queues, programs, kernels, buffers, events} */
    public int handles() {
        return handles.get();
    }

    // ---------------------------------------------------------------- for the parts

    long nextIdentity() {
        return identities.incrementAndGet();
    }

    void made() {
        handles.incrementAndGet();
    }

    /** Gives a handle back. That it could not is no reason to keep the others. */
    void release(Runnable call) {
        handles.decrementAndGet();
        attempt(call);
    }

    /** Something whose failure nobody can do anything about. */
    void attempt(Runnable call) {
        try {
            call.run();
        } catch (OpenClException e) {
            LOG.log(System.Logger.Level.DEBUG, "while giving back: {0}", e.getMessage());
        }
    }

    /** Every use of the context is between this and {@link #exit}: closing waits for them. */
    void enter() {
        users.incrementAndGet();
        if (closed) {
            users.decrementAndGet();
            throw new IllegalStateException("The OpenCL context on " + device.name()
                    + " is closed, and with it all it made.\nHINT: open another with device.open()");
        }
    }

    void exit() {
        users.decrementAndGet();
    }

    boolean isClosed() {
        return closed;
    }

    /** Waits for all that was enqueued, then gives everything back. */
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
