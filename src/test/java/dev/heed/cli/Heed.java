package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.heed.AttentionBackend;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.cli.console.CliEnvironment;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * One run of the command line within this process, and its result.
 *
 * @param code the exit code
 * @param out the text on standard output
 * @param err the text on standard error
 */
public record Heed(int code, String out, String err) {
    public static final CliEnvironment PIPED =
            new CliEnvironment(List.of(new ReferenceBackend()), Map.of(), false, false, StandardCharsets.UTF_8);

    public static Heed run(String... args) {
        return run(PIPED, args);
    }

    public static Heed run(List<AttentionBackend> backends, String... args) {
        return run(new CliEnvironment(backends, Map.of(), false, false, StandardCharsets.UTF_8), args);
    }

    public static Heed run(CliEnvironment environment, String... args) {
        var out = new StringWriter();
        var err = new StringWriter();
        var heed =
                Main.commandLine(environment).setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        int code = Main.run(heed, args);
        return new Heed(code, out.toString(), err.toString());
    }

    /**
     * Asserts that the run ended with the exit code {@code expected} and printed nothing on standard output and one line on
     * standard error, which contains all {@code parts}.
     */
    public Heed failedWith(int expected, String... parts) {
        assertEquals(expected, code, this::toString);
        assertEquals("", out);
        assertTrue(err.startsWith("error: ") && err.endsWith(System.lineSeparator()), err);
        assertEquals(1, err.lines().count(), err);
        assertFalse(err.contains("\tat ") || err.contains("Exception"), err);
        for (String part : parts) {
            assertTrue(err.contains(part), () -> "expected \"" + part + "\" in " + err);
        }
        return this;
    }

    /** Asserts that the run succeeded and printed nothing on standard error. */
    public Heed succeeded() {
        assertEquals("", err);
        assertEquals(0, code, out);
        return this;
    }

    public JsonObject json() {
        assertTrue(out.chars().allMatch(c -> c < 0x7F), "JSON is ASCII");
        return JsonParser.parseString(out).getAsJsonObject();
    }

    public String lastLine() {
        return out.lines().toList().getLast();
    }
}
