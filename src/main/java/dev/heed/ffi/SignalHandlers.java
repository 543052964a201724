package dev.heed.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A saved copy of the process's fault handlers, which restores them after native code that may have replaced them.
 *
 * <p>A JVM uses faults itself: null checks and safepoints of compiled code arrive as SIGSEGV. Drivers that compile inside the
 * process use LLVM, whose handlers run once and then restore the default action, which ends the process. Two threads of a JVM
 * that stop at the same safepoint are enough to trigger this. LLVM does not notice that its handlers have been replaced and does
 * not install them again. This class works on Linux only; on other systems, and if native access is denied, it saves nothing.
 */
public final class SignalHandlers {
    private static final int SIGILL = 4;
    private static final int SIGBUS = 7;
    private static final int SIGFPE = 8;
    private static final int SIGSEGV = 11;
    private static final List<Integer> FAULTS = List.of(SIGILL, SIGBUS, SIGFPE, SIGSEGV);

    /** More bytes than {@code struct sigaction} has on any Linux. */
    private static final long BYTES = 256;

    private static final @Nullable MethodHandle SIGACTION = link();

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment before = arena.allocate(BYTES * FAULTS.size(), Long.BYTES);
    private final MemorySegment now = arena.allocate(BYTES, Long.BYTES);

    private SignalHandlers() {
        for (int n = 0; n < FAULTS.size(); n++) {
            call(FAULTS.get(n), MemorySegment.NULL, before.asSlice(n * BYTES, BYTES));
        }
    }

    /** {@return the result of {@code work}; fault handlers that it replaced are restored afterwards} */
    public static <T> T keptDuring(Supplier<T> work) {
        SignalHandlers handlers = new SignalHandlers();
        try {
            return work.get();
        } finally {
            handlers.restore();
        }
    }

    /** {@return whether handlers can be saved on this system} */
    public static boolean works() {
        return SIGACTION != null;
    }

    private void restore() {
        for (int n = 0; n < FAULTS.size(); n++) {
            MemorySegment kept = before.asSlice(n * BYTES, BYTES);
            now.fill((byte) 0);
            call(FAULTS.get(n), MemorySegment.NULL, now);
            if (kept.mismatch(now) != -1) {
                call(FAULTS.get(n), kept, MemorySegment.NULL);
            }
        }
        arena.close();
    }

    private static void call(int signal, MemorySegment handler, MemorySegment old) {
        if (SIGACTION == null) {
            return;
        }
        try {
            int ignored = (int) SIGACTION.invokeExact(signal, handler, old);
        } catch (Throwable e) {
            throw new IllegalStateException("sigaction cannot be called", e);
        }
    }

    @SuppressWarnings("restricted") // if the JVM denies native access, the result is null
    private static @Nullable MethodHandle link() {
        if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux")) {
            return null;
        }
        try {
            Linker linker = Linker.nativeLinker();
            return linker.defaultLookup()
                    .find("sigaction")
                    .map(address ->
                            linker.downcallHandle(address, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS)))
                    .orElse(null);
        } catch (IllegalCallerException | UnsupportedOperationException e) {
            return null; // native access is denied, or there is no linker
        }
    }
}
