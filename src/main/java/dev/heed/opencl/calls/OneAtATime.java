package dev.heed.opencl.calls;

/**
 * The lock for operations that are not thread-safe in JOCL or drivers: the search for devices, contexts and builds. JOCL 2.0.6
 * keeps contexts in a map without a lock, and two threads that use it at once crash the process. PoCL 3.1 cannot build programs
 * in two threads, and a thread that queries its devices while another initialises them finds none.
 */
public final class OneAtATime {
    /** An interned string: all class loaders of a process share it, and so do all copies of Heed in the process. */
    public static final Object LOCK = "dev.heed.opencl: one at a time in this process".intern();

    private OneAtATime() {}
}
