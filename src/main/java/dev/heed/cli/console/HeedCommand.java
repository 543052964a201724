package dev.heed.cli.console;

import com.google.gson.JsonElement;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Base class of all commands: {@code --help}, {@code --json}, {@code --debug}, and the output streams. */
public abstract class HeedCommand implements Callable<Integer> {
    /** The command succeeded. */
    public static final int OK = 0;

    /** A check or an operation failed. */
    public static final int FAILED = 1;

    /** The command was used wrongly, or its input cannot be read. */
    public static final int MISUSED = 2;

    private final CliEnvironment environment;

    // picocli sets the fields below, and reads the ones that this class does not read

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this help.")
    boolean help;

    @Option(names = "--json", description = "Print JSON, and nothing else, on standard output.")
    private boolean json;

    @Option(names = "--debug", description = "Print the stack trace of an error.")
    boolean debug;

    protected HeedCommand(CliEnvironment environment) {
        this.environment = environment;
    }

    protected final CliEnvironment environment() {
        return environment;
    }

    protected final CommandSpec spec() {
        return Objects.requireNonNull(spec);
    }

    protected final PrintWriter out() {
        return spec().commandLine().getOut();
    }

    protected final PrintWriter err() {
        return spec().commandLine().getErr();
    }

    protected final boolean asJson() {
        return json;
    }

    protected final void print(JsonElement element) {
        out().println(JsonText.of(element));
    }

    /** {@return a progress bar on standard error, or a silent one if standard error is not a terminal} */
    protected final Progress progress(String task, long steps) {
        return environment.errIsTerminal() ? Progress.shown(err(), task, steps) : Progress.silent();
    }
}
