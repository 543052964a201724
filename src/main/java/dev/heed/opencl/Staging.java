package dev.heed.opencl;

import dev.heed.opencl.calls.OpenClException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A few pieces of pinned host memory through which data is copied to and from the device: while the device transfers one piece,
 * the host fills or empties another. The caller's memory is copied, never pinned, and the caller may reuse it when a call
 * returns.
 */
final class Staging {
    private static final int PIECES = 4;
    private static final int IN_FLIGHT = 2;

    /** An unfinished transfer: its piece, its event, and, if it reads from the device, the memory that receives the bytes. */
    private record Transfer(
            PinnedMemory piece, Event event, @Nullable MemorySegment target) {}

    private final DeviceContext context;
    private final List<PinnedMemory> all = new ArrayList<>();
    private final Deque<PinnedMemory> idle = new ArrayDeque<>();

    Staging(DeviceContext context) {
        this.context = context;
    }

    void write(CommandQueue queue, DeviceBuffer to, long at, MemorySegment from) {
        move(queue, to, at, from, true);
    }

    void read(CommandQueue queue, DeviceBuffer from, long at, MemorySegment to) {
        move(queue, from, at, to, false);
    }

    private void move(CommandQueue queue, DeviceBuffer buffer, long at, MemorySegment host, boolean write) {
        Deque<Transfer> flights = new ArrayDeque<>();
        long step = context.settings.stagingBytes();
        try {
            for (long done = 0; done < host.byteSize(); done += step) {
                long bytes = Math.min(step, host.byteSize() - done);
                if (flights.size() >= IN_FLIGHT) {
                    complete(flights);
                }
                PinnedMemory piece = take(flights);
                try {
                    MemorySegment part = host.asSlice(done, bytes);
                    flights.addLast(start(queue, buffer, at + done, part, piece, write));
                } catch (RuntimeException | Error e) {
                    giveBack(piece);
                    throw e;
                }
            }
            while (!flights.isEmpty()) {
                complete(flights);
            }
        } finally {
            abandon(flights);
        }
    }

    private Transfer start(
            CommandQueue queue, DeviceBuffer buffer, long at, MemorySegment part, PinnedMemory piece, boolean write) {
        long bytes = part.byteSize();
        MemorySegment pinned = piece.memory().asSlice(0, bytes);
        long event;
        if (write) {
            MemorySegment.copy(part, 0, pinned, 0, bytes);
            event = context.calls.enqueueWrite(queue.handle, buffer.handle, at, bytes, pinned, false);
        } else {
            event = context.calls.enqueueRead(queue.handle, buffer.handle, at, bytes, pinned, false);
        }
        var flight = new Transfer(piece, new Event(context, queue.handle, event, null), write ? null : part);
        try {
            flight.event.flush();
        } catch (OpenClException e) {
            context.attempt(flight.event::settle); // the device may still use the piece
            flight.event.close();
            throw e;
        }
        return flight;
    }

    /** Waits for the oldest transfer and completes it. */
    private void complete(Deque<Transfer> flights) {
        Transfer oldest = flights.getFirst();
        oldest.event.waitInside();
        flights.removeFirst();
        oldest.event.close();
        if (oldest.target != null) {
            MemorySegment.copy(oldest.piece.memory(), 0, oldest.target, 0, oldest.target.byteSize());
        }
        giveBack(oldest.piece);
    }

    /** After an error, waits until the device no longer uses the pieces of these transfers, and makes the pieces idle. */
    private void abandon(Deque<Transfer> flights) {
        for (Transfer flight : flights) {
            context.attempt(flight.event::settle);
            flight.event.close();
            giveBack(flight.piece);
        }
        flights.clear();
    }

    /**
     * Takes an idle or new piece. If all pieces are in use, completes the oldest transfer of this call, or waits for other
     * threads if this call has none.
     */
    private PinnedMemory take(Deque<Transfer> mine) {
        while (true) {
            synchronized (this) {
                PinnedMemory piece = idle.pollFirst();
                if (piece != null) {
                    return piece;
                }
                if (all.size() < PIECES) {
                    return make();
                }
                if (mine.isEmpty()) {
                    waitForOthers();
                    continue;
                }
            }
            complete(mine);
        }
    }

    private synchronized void waitForOthers() {
        boolean interrupted = false;
        while (idle.isEmpty()) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void giveBack(PinnedMemory piece) {
        idle.addFirst(piece);
        notifyAll();
    }

    private PinnedMemory make() {
        var piece = new PinnedMemory(context, context.settings.stagingBytes());
        all.add(piece);
        return piece;
    }

    /** Releases all pieces when the context closes, after its queues are drained. */
    synchronized void release() {
        all.forEach(PinnedMemory::release);
        all.clear();
        idle.clear();
    }
}
