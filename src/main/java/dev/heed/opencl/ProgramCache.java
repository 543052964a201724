package dev.heed.opencl;

import dev.heed.opencl.calls.OpenClBuildException;
import dev.heed.opencl.calls.OpenClException;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The programs of a context: each is compiled or loaded once, by the first thread that requests it; other threads wait. */
final class ProgramCache {
    private static final System.Logger LOG = System.getLogger("dev.heed.opencl");

    private record Key(String text, String options) {}

    private final DeviceContext context;
    private final ProgramFiles files;
    private final Map<Key, CompletableFuture<Program>> programs = new ConcurrentHashMap<>();
    private final Queue<Program> others = new ConcurrentLinkedQueue<>();

    ProgramCache(DeviceContext context) {
        this.context = context;
        this.files = new ProgramFiles(context.settings.cache(), context.device());
    }

    Program program(KernelSource source, String options) {
        var key = new Key(source.text(), options);
        var mine = new CompletableFuture<Program>();
        CompletableFuture<Program> known = programs.putIfAbsent(key, mine);
        if (known != null) {
            return await(known);
        }
        try {
            Program made = make(source, options);
            mine.complete(made);
            return made;
        } catch (RuntimeException | Error e) {
            programs.remove(key, mine); // the next request tries again
            mine.completeExceptionally(e);
            throw e;
        }
    }

    private static Program await(CompletableFuture<Program> known) {
        try {
            return known.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    private Program make(KernelSource source, String options) {
        String name = files.name(source, options);
        byte[] binary = files.read(name);
        if (binary.length > 0) {
            try {
                return new Program(context, fromBinary(binary, options), source, options);
            } catch (OpenClException e) {
                LOG.log(System.Logger.Level.DEBUG, "a cached program is compiled again: {0}", e.getMessage());
                files.forget(name);
            }
        }
        long program = fromSource(source, options);
        if (files.areStored()) {
            try {
                files.write(name, context.calls.programBinary(program));
            } catch (OpenClException e) {
                LOG.log(System.Logger.Level.DEBUG, "the driver gives no program binary: {0}", e.getMessage());
            }
        }
        return new Program(context, program, source, options);
    }

    private long fromBinary(byte[] binary, String options) {
        long device = context.device().handle;
        long program = context.calls.createProgram(context.handle, device, binary);
        context.made();
        return build(program, "a program binary", options);
    }

    private long fromSource(KernelSource source, String options) {
        long program = context.calls.createProgram(context.handle, source.text());
        context.made();
        return build(program, source.file(), options);
    }

    private long build(long program, String file, String options) {
        long device = context.device().handle;
        try {
            context.calls.buildProgram(program, device, options);
            return program;
        } catch (OpenClException e) {
            String log = log(program, device);
            context.release(() -> context.calls.releaseProgram(program));
            throw new OpenClBuildException(
                    e.call(), e.code(), file, options, context.device().name(), log);
        }
    }

    private String log(long program, long device) {
        try {
            return context.calls.buildLog(program, device);
        } catch (OpenClException e) {
            return "(the driver has no build log: " + e.codeName() + ")";
        }
    }

    /** {@return a program that is not shared with other requests} */
    Program binaryProgram(String file, byte[] binary, String options) {
        var program = new Program(context, fromBinary(binary, options), new KernelSource(file, ""), options);
        others.add(program);
        return program;
    }

    /** Releases all programs when the context closes. */
    void release() {
        others.forEach(Program::release);
        others.clear();
        programs.values().forEach(program -> program.join().release());
        programs.clear();
    }
}
