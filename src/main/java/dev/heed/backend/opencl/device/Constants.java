package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A cache of {@linkplain Tensor#asConstant constants} on the device. A constant stays after its first use until its tensor is
 * garbage-collected, the device closes, or its memory is needed. In the last case, the least recently used constant is dropped
 * first, and constants that a call is using are not dropped.
 */
public final class Constants {
    /** Constants use at most {@code 1 / SHARE} of the device's memory, unless the calls in progress use more. */
    private static final long SHARE = 4;

    /** A marker object that a constant tensor stores, so that the object lives as long as the tensor. */
    private static final class Identity {}

    /** The cache key: a constant and an element type. It does not keep the tensor alive. */
    private static final class Slot extends WeakReference<Identity> {
        private final int hash;
        private final DType type;

        Slot(Identity identity, DType type, @Nullable ReferenceQueue<Identity> queue) {
            super(identity, queue);
            this.hash = System.identityHashCode(identity);
            this.type = type;
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            if (this == other) {
                return true;
            }
            Identity identity = get();
            return other instanceof Slot slot && identity != null && slot.refersTo(identity) && slot.type == type;
        }
    }

    /** A copy of a constant on the device, with the number of calls that are using it. */
    static final class Copy {
        private final DeviceTensor resident;
        private int users;
        private boolean forgotten;

        Copy(DeviceTensor resident) {
            this.resident = resident;
        }

        DeviceTensor resident() {
            return resident;
        }

        private long bytes() {
            return resident.buffer().bytes();
        }
    }

    private final long maxBytes;
    private final Map<Slot, Copy> cached = new LinkedHashMap<>(16, 0.75f, true);
    private final ReferenceQueue<Identity> garbage = new ReferenceQueue<>();
    private long bytes;

    Constants(long memoryBytes) {
        this.maxBytes = memoryBytes / SHARE;
    }

    /** {@return whether a tensor is a constant on the host that is small enough for the cache} */
    boolean takes(Tensor tensor) {
        return tensor.isConstant() && tensor.device() == null && tensor.elementCount() * Double.BYTES <= maxBytes;
    }

    /**
     * {@return the copy of a constant} It is not released until the caller passes it to {@link #giveBack}.
     *
     * @param type the element type of the copy
     * @param upload makes the copy if the cache has none; the cache becomes the only owner of the copy's buffer
     */
    synchronized Copy lease(Tensor constant, DType type, Supplier<DeviceTensor> upload) {
        forgetGarbage();
        Identity identity = constant.prepared(Identity.class, Identity::new);
        Copy copy = cached.get(new Slot(identity, type, null));
        if (copy == null) {
            copy = new Copy(upload.get());
            cached.put(new Slot(identity, type, garbage), copy);
            bytes += copy.bytes();
        }
        copy.users++;
        while (bytes > maxBytes && dropOldest()) {
            // repeat until the remaining copies fit or all of them are in use
        }
        return copy;
    }

    synchronized void giveBack(Copy copy) {
        copy.users--;
        if (copy.users == 0 && copy.forgotten) {
            copy.resident.buffer().close();
        }
    }

    /** {@return bytes of the copies that no call is using} */
    synchronized long idleBytes() {
        return cached.values().stream()
                .filter(copy -> copy.users == 0)
                .mapToLong(Copy::bytes)
                .sum();
    }

    /** {@return bytes of all copies} */
    synchronized long bytes() {
        forgetGarbage();
        return bytes;
    }

    /** {@return whether a copy was released} Releases the least recently used copy that no call is using, if there is one. */
    synchronized boolean dropOldest() {
        Iterator<Copy> copies = cached.values().iterator();
        while (copies.hasNext()) {
            Copy copy = copies.next();
            if (copy.users == 0) {
                copies.remove();
                forget(copy);
                return true;
            }
        }
        return false;
    }

    private void forgetGarbage() {
        for (Object slot = garbage.poll(); slot != null; slot = garbage.poll()) {
            Copy copy = cached.remove(slot);
            if (copy != null) {
                forget(copy);
            }
        }
    }

    private void forget(Copy copy) {
        bytes -= copy.bytes();
        copy.forgotten = true;
        if (copy.users == 0) {
            copy.resident.buffer().close();
        }
    }

    /** Drops all constants; called when the device closes. */
    synchronized void close() {
        cached.values().forEach(this::forget);
        cached.clear();
    }
}
