package dev.heed.opencl.calls;

/**
 * The lock for operations that are not thread-safe in JOCL or drivers: the search for devices, contexts and builds. JOCL 2.0.6
 * keeps contexts in a map without a lock, and two threads at once end the process. PoCL 3.1 cannot build programs in two threads
 * either, and a second thread that queries its devices while the first initialises them finds none.
 */
public final class OneAtATime {
    /** An interned string, because it is shared by all class loaders of a process, and so by all copies of Heed in it. */
    public static final Object LOCK = "dev.heed.opencl: one at a time in this process".intern();

    private OneAtATime() {}
}
