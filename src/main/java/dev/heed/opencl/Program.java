package dev.heed.opencl;

import dev.heed.opencl.calls.OpenClException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;

/** The compiled kernels of a file. Threads may share a program: each thread leases its own kernels. */
public final class Program {
    final DeviceContext context;
    private final long handle;
    private final KernelSource source;
    private final String options;
    private final Map<String, ConcurrentLinkedDeque<Kernel>> idle = new ConcurrentHashMap<>();
    private final Set<Kernel> all = ConcurrentHashMap.newKeySet();

    Program(DeviceContext context, long handle, KernelSource source, String options) {
        this.context = context;
        this.handle = handle;
        this.source = source;
        this.options = options;
    }

    /** {@return a kernel for exclusive use until it is closed} */
    public Kernel kernel(String name) {
        context.enter();
        try {
            Kernel waiting = idle(name).pollFirst();
            return (waiting != null ? waiting : make(name)).lease();
        } finally {
            context.exit();
        }
    }

    private Kernel make(String name) {
        long made = context.calls.createKernel(handle, name);
        context.made();
        try {
            var kernel = new Kernel(this, name, made, context.calls.argumentCount(made));
            all.add(kernel);
            return kernel;
        } catch (OpenClException e) {
            context.release(() -> context.calls.releaseKernel(made));
            throw e;
        }
    }

    private ConcurrentLinkedDeque<Kernel> idle(String name) {
        return idle.computeIfAbsent(name, any -> new ConcurrentLinkedDeque<>());
    }

    void giveBack(Kernel kernel) {
        idle(kernel.name()).addFirst(kernel);
    }

    String file() {
        return source.file();
    }

    /** {@return the compiler's log: warnings and notes, or an empty text} */
    public String buildLog() {
        context.enter();
        try {
            return context.calls.buildLog(handle, context.device().handle);
        } finally {
            context.exit();
        }
    }

    /** {@return the program binary: PTX on NVIDIA} */
    public byte[] binary() {
        context.enter();
        try {
            return context.calls.programBinary(handle);
        } finally {
            context.exit();
        }
    }

    /** Releases the program and its kernels when the context closes. */
    void release() {
        all.forEach(kernel -> context.release(() -> context.calls.releaseKernel(kernel.handle())));
        all.clear();
        context.release(() -> context.calls.releaseProgram(handle));
    }

    @Override
    public String toString() {
        return source.file() + " with options \"" + options + "\"";
    }
}
