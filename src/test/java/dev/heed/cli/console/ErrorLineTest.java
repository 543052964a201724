package dev.heed.cli.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class ErrorLineTest {
    private static String line(Throwable e, int code) {
        var err = new StringWriter();
        assertEquals(code, ErrorLine.report(new PrintWriter(err), e, false));
        assertEquals(1, err.toString().lines().count(), err.toString());
        return err.toString().strip();
    }

    @Test
    void everyKindOfErrorIsOneLine() {
        assertEquals(
                "error: Wrong: expected a, got b\\nc. HINT: d",
                line(new InvalidInputException("Wrong", "a", "b\nc", "d"), 2));
        assertEquals("error: permission denied: x", line(new AccessDeniedException("x"), 1));
        assertEquals(
                "error: no such file or directory: x", line(new UncheckedIOException(new NoSuchFileException("x")), 1));
        assertEquals("error: disk full", line(new IOException("disk full"), 1));
        assertEquals(
                "error: IllegalStateException: a\\nb. HINT: --debug prints the stack trace",
                line(new IllegalStateException("a\nb"), 1));
        assertEquals(
                "error: NullPointerException. HINT: --debug prints the stack trace",
                line(new NullPointerException(), 1));
        assertTrue(line(new OutOfMemoryError("Java heap space"), 1).contains("HEED_JAVA_OPTS=-Xmx8g"));
        assertTrue(line(new NoClassDefFoundError("ai/djl/X"), 1).contains("a class is missing: ai/djl/X"));
    }

    @Test
    void theLinesOfAReportBecomeClauses() {
        assertEquals("a: b; c. d", ErrorLine.onOneLine("a:\n    b\n  c.\n\nd"));
        assertEquals("a\\u001b b", ErrorLine.onOneLine("a\u001b  b"));
        assertEquals("", ErrorLine.onOneLine(""));
    }
}
