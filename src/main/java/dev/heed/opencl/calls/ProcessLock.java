package dev.heed.opencl.calls;

/**
 * The lock for operations that are not thread-safe in JOCL or in drivers: the search for devices, the creation and release of
 * contexts, and the building of programs. JOCL 2.0.6 keeps contexts in a map without a lock, and two threads that use it at
 * once crash the process. PoCL 3.1 cannot build programs in two threads at once, and a thread that queries PoCL's devices while
 * another thread initialises them finds none.
 */
public final class ProcessLock {
    /** An interned string: all class loaders of a process share it, and so do all copies of Heed in the process. */
    public static final Object LOCK = "dev.heed.opencl: one at a time in this process".intern();

    private ProcessLock() {}
}
