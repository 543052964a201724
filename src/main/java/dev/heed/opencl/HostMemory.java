package dev.heed.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;

/**
 * Decides whether another thread could free host memory while a command uses it. The JDK protects a segment only during a copy or a
 * call that takes the segment as an argument. A kernel that reads the memory later is not protected.
 */
final class HostMemory {
    private static final Thread OTHER_THREAD = new Thread(() -> {});

    /** Classes of the scopes that cannot be closed: of the automatic arena, of the global arena, and of buffers and heap arrays. */
    private static final Set<Class<?>> NEVER_CLOSED = neverClosed();

    private HostMemory() {}

    private static Set<Class<?>> neverClosed() {
        Set<Class<?>> classes = new HashSet<>();
        classes.add(Arena.ofAuto().scope().getClass());
        classes.add(Arena.global().scope().getClass());
        classes.add(MemorySegment.ofArray(new byte[0]).scope().getClass());
        try (Arena shared = Arena.ofShared()) { // a JDK that used one class for all arenas would protect nothing
            classes.remove(shared.scope().getClass());
        }
        return Set.copyOf(classes);
    }

    /**
     * {@return whether the memory stays open as long as the calling thread is in a call and the segment is reachable} True for memory
     * of an arena that is confined to the calling thread, and of an arena that cannot be closed. False for a shared arena.
     */
    static boolean staysOpen(MemorySegment host) {
        return host.isAccessibleBy(Thread.currentThread())
                && (NEVER_CLOSED.contains(host.scope().getClass()) || !host.isAccessibleBy(OTHER_THREAD));
    }
}
