package dev.heed.opencl.calls;

/**
 * The lock around what neither JOCL nor drivers bear in two threads of a process. JOCL 2.0.6 enters contexts into a map that
 * nothing guards, and so takes them out: two threads at once end the process. PoCL 3.1 builds programs no better, and a second
 * thread that asks for its devices while the first is making them finds none. So the search for devices, contexts and builds
 * come one after another.
 */
public final class OneAtATime {
    /** An interned string, because all class loaders of a process share it, and with it their copies of Heed. */
    public static final Object LOCK = "dev.heed.opencl: one at a time in this process".intern();

    private OneAtATime() {}
}
