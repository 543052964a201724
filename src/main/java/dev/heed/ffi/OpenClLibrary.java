package dev.heed.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Direct calls of the OpenCL functions that run for every launch or transfer, and of {@code clGetPlatformIDs}. An OpenCL handle
 * is the native pointer as a {@code long}; every function returns OpenCL's error code. The method handles are static finals
 * because the JIT compiles only constant method handles to direct calls.
 */
public final class OpenClLibrary {
    private static final List<String> NAMES = names(System.getProperty("os.name", ""));

    /** Debian's folder name for libraries of this architecture. */
    private static final String MULTIARCH =
            (System.getProperty("os.arch", "").equals("amd64") ? "x86_64" : System.getProperty("os.arch", ""))
                    + "-linux-gnu";

    private static final LookUp LOOKED_UP = lookUp();

    private static final MethodHandle PLATFORM_IDS = link("clGetPlatformIDs", JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle SET_KERNEL_ARG = link("clSetKernelArg", JAVA_LONG, JAVA_INT, JAVA_LONG, ADDRESS);
    private static final MethodHandle ENQUEUE_KERNEL = link(
            "clEnqueueNDRangeKernel",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            ADDRESS,
            ADDRESS,
            ADDRESS,
            JAVA_INT,
            ADDRESS,
            ADDRESS);
    private static final MethodHandle ENQUEUE_READ = link(
            "clEnqueueReadBuffer",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_INT,
            ADDRESS,
            ADDRESS);
    private static final MethodHandle ENQUEUE_WRITE = link(
            "clEnqueueWriteBuffer",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_INT,
            ADDRESS,
            ADDRESS);
    private static final MethodHandle ENQUEUE_COPY = link(
            "clEnqueueCopyBuffer",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            ADDRESS,
            ADDRESS);
    private static final MethodHandle ENQUEUE_MARKER =
            link("clEnqueueMarkerWithWaitList", JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle ENQUEUE_BARRIER =
            link("clEnqueueBarrierWithWaitList", JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle FLUSH = link("clFlush", JAVA_LONG);
    private static final MethodHandle FINISH = link("clFinish", JAVA_LONG);
    private static final MethodHandle EVENT_INFO =
            link("clGetEventInfo", JAVA_LONG, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle EVENT_PROFILE =
            link("clGetEventProfilingInfo", JAVA_LONG, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle WAIT_FOR_EVENTS = link("clWaitForEvents", JAVA_INT, ADDRESS);
    private static final MethodHandle RELEASE_EVENT = link("clReleaseEvent", JAVA_LONG);

    private OpenClLibrary() {}

    /** The result of the search for the library. */
    public enum State {
        /** Its functions can be called. */
        LINKED,
        /** The system has no such library. */
        ABSENT,
        /** Unknown: the JVM denies native access, or has no linker. */
        UNREACHABLE
    }

    /** The result of loading the library of a driver. */
    public enum Driver {
        LOADED,
        /** There is no library of this name, or it cannot be loaded. */
        NOT_LOADED,
        /** The library is not an OpenCL driver. */
        OTHER_LIBRARY,
        /** Libraries cannot be loaded from Java, see {@link State#UNREACHABLE}. */
        UNKNOWN
    }

    /** Functions of OpenCL drivers. A loader accepts a library with one or both. */
    private static final List<String> DRIVER_FUNCTIONS =
            List.of("clIcdGetPlatformIDsKHR", "clGetExtensionFunctionAddress");

    private record LookUp(State state, @Nullable SymbolLookup symbols, String reason) {}

    /** {@return the result of the search for the library} */
    public static State state() {
        return LOOKED_UP.state;
    }

    /** {@return the name of the library on this system} */
    public static String name() {
        return NAMES.getFirst();
    }

    /**
     * {@return whether the library of a driver can be loaded} The library stays loaded, as it does when the OpenCL library loads it.
     *
     * @param library a file, or a name in the usual folders
     */
    @SuppressWarnings("restricted")
    public static Driver driver(String library) {
        if (LOOKED_UP.state != State.LINKED) {
            return Driver.UNKNOWN;
        }
        try {
            SymbolLookup symbols = SymbolLookup.libraryLookup(library, Arena.global());
            return DRIVER_FUNCTIONS.stream().anyMatch(name -> symbols.find(name).isPresent())
                    ? Driver.LOADED
                    : Driver.OTHER_LIBRARY;
        } catch (IllegalArgumentException e) {
            return Driver.NOT_LOADED;
        }
    }

    /** {@return whether a library file exists in the usual folders; always true on Windows and macOS} Calls no native code. */
    public static boolean hasFile() {
        if (NAMES.size() == 1) {
            return true; // Windows and macOS keep the library in a fixed place, which is not searched
        }
        List<String> folders = new ArrayList<>(
                List.of(System.getProperty("java.library.path", "").split(File.pathSeparator)));
        for (String root : List.of("/usr/local/lib", "/usr/lib", "/lib")) {
            folders.addAll(List.of(root, root + "64", root + "/" + MULTIARCH));
        }
        return folders.stream()
                .filter(folder -> !folder.isBlank())
                .anyMatch(folder -> NAMES.stream().anyMatch(name -> new File(folder, name).isFile()));
    }

    public static int platformIds(int most, MemorySegment platforms, MemorySegment count) {
        try {
            return (int) PLATFORM_IDS.invokeExact(most, platforms, count);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int setKernelArg(long kernel, int index, long bytes, MemorySegment value) {
        try {
            return (int) SET_KERNEL_ARG.invokeExact(kernel, index, bytes, value);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int enqueueKernel(
            long queue,
            long kernel,
            int dimensions,
            MemorySegment global,
            MemorySegment local,
            int waits,
            MemorySegment waitFor,
            MemorySegment event) {
        try {
            return (int) ENQUEUE_KERNEL.invokeExact(
                    queue, kernel, dimensions, MemorySegment.NULL, global, local, waits, waitFor, event);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int enqueueRead(
            long queue, long buffer, boolean blocking, long at, long bytes, MemorySegment to, MemorySegment event) {
        try {
            return (int) ENQUEUE_READ.invokeExact(
                    queue, buffer, blocking ? 1 : 0, at, bytes, to, 0, MemorySegment.NULL, event);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int enqueueWrite(
            long queue, long buffer, boolean blocking, long at, long bytes, MemorySegment from, MemorySegment event) {
        try {
            return (int) ENQUEUE_WRITE.invokeExact(
                    queue, buffer, blocking ? 1 : 0, at, bytes, from, 0, MemorySegment.NULL, event);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int enqueueCopy(
            long queue, long from, long to, long fromAt, long toOffset, long bytes, MemorySegment event) {
        try {
            return (int)
                    ENQUEUE_COPY.invokeExact(queue, from, to, fromAt, toOffset, bytes, 0, MemorySegment.NULL, event);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int enqueueMarker(long queue, int waits, MemorySegment waitFor, MemorySegment event) {
        try {
            return (int) ENQUEUE_MARKER.invokeExact(queue, waits, waitFor, event);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int enqueueBarrier(long queue, int waits, MemorySegment waitFor, MemorySegment event) {
        try {
            return (int) ENQUEUE_BARRIER.invokeExact(queue, waits, waitFor, event);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int flush(long queue) {
        try {
            return (int) FLUSH.invokeExact(queue);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int finish(long queue) {
        try {
            return (int) FINISH.invokeExact(queue);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int eventInfo(long event, int name, long bytes, MemorySegment value) {
        try {
            return (int) EVENT_INFO.invokeExact(event, name, bytes, value, MemorySegment.NULL);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int eventProfile(long event, int name, long bytes, MemorySegment value) {
        try {
            return (int) EVENT_PROFILE.invokeExact(event, name, bytes, value, MemorySegment.NULL);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int waitForEvents(int count, MemorySegment events) {
        try {
            return (int) WAIT_FOR_EVENTS.invokeExact(count, events);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    public static int releaseEvent(long event) {
        try {
            return (int) RELEASE_EVENT.invokeExact(event);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    // ---------------------------------------------------------------- binding

    private static List<String> names(String system) {
        String lower = system.toLowerCase(Locale.ROOT);
        if (lower.contains("win")) {
            return List.of("OpenCL.dll");
        }
        return lower.contains("mac")
                ? List.of("/System/Library/Frameworks/OpenCL.framework/OpenCL")
                : List.of("libOpenCL.so.1", "libOpenCL.so");
    }

    @SuppressWarnings("restricted") // if the JVM denies native access, the exception becomes a reason
    private static LookUp lookUp() {
        for (String name : NAMES) {
            try {
                return new LookUp(State.LINKED, SymbolLookup.libraryLookup(name, Arena.global()), "");
            } catch (IllegalCallerException e) {
                return new LookUp(
                        State.UNREACHABLE,
                        null,
                        "the JVM denies native access to Heed: start java with --enable-native-access="
                                + (OpenClLibrary.class.getModule().isNamed() ? "dev.heed" : "ALL-UNNAMED"));
            } catch (IllegalArgumentException e) {
                continue; // the next name
            } catch (RuntimeException | LinkageError e) {
                return new LookUp(State.UNREACHABLE, null, "the JDK's linker does not work here: " + e);
            }
        }
        return new LookUp(State.ABSENT, null, "no " + String.join(" or ", NAMES) + " can be loaded");
    }

    @SuppressWarnings("restricted")
    private static MethodHandle link(String name, MemoryLayout... arguments) {
        FunctionDescriptor signature = FunctionDescriptor.of(JAVA_INT, arguments);
        SymbolLookup symbols = LOOKED_UP.symbols;
        if (symbols != null) {
            var address = symbols.find(name);
            if (address.isPresent()) {
                return Linker.nativeLinker().downcallHandle(address.get(), signature);
            }
        }
        String missing = symbols == null ? LOOKED_UP.reason : "the library has no function " + name;
        MethodHandle fails = MethodHandles.throwException(int.class, UnsupportedOperationException.class)
                .bindTo(new UnsupportedOperationException(missing));
        return MethodHandles.dropArguments(fails, 0, signature.toMethodType().parameterList());
    }

    private static RuntimeException unexpected(Throwable e) {
        if (e instanceof RuntimeException known) {
            return known;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException("a native call threw a checked exception", e);
    }
}
