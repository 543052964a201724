package dev.heed.cli.console;

import dev.heed.AttentionBackend;
import dev.heed.Backends;
import dev.heed.Problem;
import dev.heed.UnsupportedAttentionException;
import dev.heed.settings.Settings;
import dev.heed.tensor.InvalidInputException;
import dev.heed.view.TerminalColors;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The environment of a command: backends, variables, terminals and encoding. Tests construct other environments.
 *
 * @param backends all backends, fastest first
 * @param environment the environment variables
 * @param outIsTerminal whether standard output goes to a terminal
 * @param errIsTerminal whether standard error goes to a terminal
 * @param charset the encoding of standard output
 */
public record CliEnvironment(
        List<AttentionBackend> backends,
        Map<String, String> environment,
        boolean outIsTerminal,
        boolean errIsTerminal,
        Charset charset) {

    private static final Problem ORDINARY = Problem.parse("q1x8x512x64 kv8x512 f32");
    private static final int STDIN = 0;
    private static final int STDOUT = 1;
    private static final int STDERR = 2;

    public static CliEnvironment ofThisProcess() {
        // The launcher pipes standard error through a filter; this property tells whether the filter writes to a
        // terminal.
        String err = System.getProperty("heed.stderr.terminal");
        return new CliEnvironment(
                Backends.all(),
                System.getenv(),
                isTerminal(STDOUT),
                err == null ? isTerminal(STDERR) : Boolean.parseBoolean(err),
                System.out.charset());
    }

    /** {@return whether standard input is a terminal} */
    public static boolean inIsTerminal() {
        return isTerminal(STDIN);
    }

    /**
     * {@return whether a file descriptor is a terminal} Java reports only whether standard input and
     * standard output are both terminals; Linux names the target of each descriptor.
     */
    private static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException | UnsupportedOperationException e) {
            var console = System.console();
            return console != null && console.isTerminal();
        }
    }

    /** {@return the colours that pictures on standard output may use} */
    public TerminalColors colors() {
        return TerminalColors.detect(environment, outIsTerminal, charset);
    }

    /** {@return whether help may be coloured} */
    public boolean colorful() {
        TerminalColors colors = colors();
        return colors == TerminalColors.TRUE_COLOR || colors == TerminalColors.COLORS_256;
    }

    /**
     * {@return the width of the terminal in columns: the variable {@code COLUMNS}, but at least 40; 100 if it is not
     * set or not a number of two to four digits}
     */
    public int width() {
        String columns = environment.getOrDefault("COLUMNS", "");
        return columns.matches("[1-9][0-9]{1,3}") ? Math.max(40, Integer.parseInt(columns)) : 100;
    }

    // ---------------------------------------------------------------- backends

    /**
     * {@return the requested backend, or the fastest that is ready for a problem of ordinary size}
     *
     * @param name the name of a backend, or null for the setting {@code heed.backend}
     * @throws InvalidInputException if there is no such backend
     * @throws UnsupportedAttentionException if the requested backend is not ready, or no backend is ready
     */
    public AttentionBackend ready(@Nullable String name) {
        boolean named = !"auto".equals(name == null ? Settings.BACKEND.or("auto") : name);
        return Backends.select(backends, named ? List.of() : List.of(ORDINARY), name);
    }

    /** {@return the requested backend, or the fastest that supports all given problems} */
    public AttentionBackend select(@Nullable String name, Problem... problems) {
        return Backends.select(backends, List.of(problems), name);
    }
}
