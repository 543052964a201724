package dev.heed.opencl;

import dev.heed.opencl.calls.Cl;
import dev.heed.opencl.calls.OpenClException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The event of an enqueued command. It keeps the host memory that the command uses reachable until the command is done. */
public final class Event implements AutoCloseable {
    private static final int SPINS = 64;
    private static final long SHORTEST_PARK = 2_000; // ns
    private static final long LONGEST_PARK = 200_000; // ns

    private final DeviceContext context;
    private final long queue;
    private long handle;
    private boolean flushed;
    private @Nullable Object keptAlive;
    private boolean done;

    Event(DeviceContext context, long queue, long handle, @Nullable Object keptAlive) {
        this.context = context;
        this.queue = queue;
        this.handle = handle;
        this.keptAlive = keptAlive;
        context.made();
    }

    /** {@return whether the command is done} */
    public synchronized boolean isDone() {
        if (!done && handle != 0) {
            context.enter();
            try {
                done = status() == Cl.COMPLETE;
            } finally {
                context.exit();
            }
        }
        return done;
    }

    /** Submits the command to the device, which is necessary before its status is read or another queue waits for it. */
    void flush() {
        if (!flushed) {
            context.calls.flush(queue);
            flushed = true;
        }
    }

    private int status() {
        flush();
        int status = context.calls.eventStatus(handle);
        if (status < 0) {
            throw new OpenClException("a command that was running", status);
        }
        return status;
    }

    /**
     * Waits until the command is done.
     *
     * @throws OpenClException if the command failed
     */
    public synchronized void await() {
        if (done || handle == 0) {
            return;
        }
        context.enter();
        try {
            waitInside();
            done = true;
        } finally {
            context.exit();
        }
        keptAlive = null;
    }

    /** Waits like {@link #await}, for callers that have already entered the context. */
    synchronized void waitInside() {
        if (!context.settings.polls()) {
            context.calls.waitForEvent(handle);
            return;
        }
        long park = SHORTEST_PARK;
        for (int i = 0; status() != Cl.COMPLETE; i++) {
            if (i < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(park);
                park = Math.min(LONGEST_PARK, park + park / 2);
            }
        }
    }

    /**
     * Waits until the device no longer uses the command's memory, which is about to be freed. If this wait fails, waits for all
     * commands of the queue.
     *
     * @throws OpenClException if the command or the wait for it failed
     */
    synchronized void settle() {
        try {
            waitInside();
        } catch (OpenClException e) {
            context.attempt(() -> context.calls.finish(queue));
            throw e;
        }
    }

    long handle() {
        return handle;
    }

    /** {@return the running time of the command on the device in nanoseconds; only for commands of a profiled queue} */
    public synchronized long nanos() {
        await();
        context.enter();
        try {
            return context.calls.eventTime(handle, Cl.PROFILING_COMMAND_END)
                    - context.calls.eventTime(handle, Cl.PROFILING_COMMAND_START);
        } finally {
            context.exit();
        }
    }

    /** Releases the event; first waits for the command if it uses host memory. */
    @Override
    public synchronized void close() {
        if (handle == 0) {
            return;
        }
        try {
            if (keptAlive != null && !done && !context.isClosed()) {
                settle();
            }
        } finally {
            long last = handle;
            handle = 0;
            done = true;
            keptAlive = null;
            context.release(() -> context.calls.releaseEvent(last));
        }
    }
}
