package dev.heed.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class SignalHandlersTest {
    private static final int SIGFPE = 8; // the JVM can do without this handler for a moment

    @Test
    void handlersThatWereReplacedArePutBack() {
        assumeTrue(SignalHandlers.works(), "no sigaction here");
        long before = handler();
        long during = SignalHandlers.keptDuring(() -> {
            replace(1); // SIG_IGN
            return handler();
        });
        assertEquals(1, during);
        assertEquals(before, handler());
    }

    @Test
    void handlersOfFaultsStillServeTheJvm() {
        assertEquals("done", SignalHandlers.keptDuring(() -> "done"));
        Object[] nothing = new Object[1];
        for (int n = 0; n < 20_000; n++) {
            assertThrows(
                    NullPointerException.class,
                    () -> Objects.requireNonNull(nothing[0]).hashCode());
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle sigaction() {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().find("sigaction").orElseThrow(),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
    }

    private static long handler() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment now = arena.allocate(256, 8);
            sigaction(MemorySegment.NULL, now);
            return now.get(JAVA_LONG, 0);
        }
    }

    private static void replace(long handler) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment action = arena.allocate(256, 8);
            action.set(JAVA_LONG, 0, handler);
            sigaction(action, MemorySegment.NULL);
        }
    }

    private static void sigaction(MemorySegment action, MemorySegment old) {
        try {
            assertEquals(0, (int) sigaction().invokeExact(SIGFPE, action, old));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
