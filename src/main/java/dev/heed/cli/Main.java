package dev.heed.cli;

import dev.heed.cli.bench.BenchCommand;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.StandardOutput;
import dev.heed.cli.explain.ExplainCommand;
import dev.heed.cli.explain.ViewCommand;
import dev.heed.tensor.InvalidInputException;
import java.io.PrintWriter;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The command {@code heed}. Exit codes: 0 done, 1 a check or an operation failed, 2 wrong usage or bad input. */
@Command(
        name = "heed",
        versionProvider = Version.class,
        description = "Attention for Java: inspect this machine, run attention on it and verify the results.",
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {
            "",
            "Examples:",
            "  heed devices",
            "  heed run \"q1x8x128x64 kv8x128 f32 mask=causal:br\"",
            "  heed verify --quick",
            "  heed explain \"The animal didn't cross the street because it was too tired.\"",
            "",
            "heed COMMAND --help gives details. Exit codes: 0 done, 1 a check or an operation failed, 2 wrong usage."
        })
public final class Main implements Callable<Integer> {
    private static final char UNREADABLE = '\uFFFD';

    // picocli sets the fields below, and reads the ones that this class does not read

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this help.")
    boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Print the versions of Heed and Java.")
    boolean version;

    private Main() {}

    /** Runs a command and ends the process with its exit code. */
    public static void main(String[] args) {
        System.setProperty("java.awt.headless", "true"); // pictures are files and need no display
        StandardOutput output = StandardOutput.install();
        CommandLine heed = commandLine(CliEnvironment.ofThisProcess());
        int code = run(heed, args);
        heed.getOut().flush();
        String unwritten = output.failure().orElse(null);
        if (unwritten != null) {
            code = ErrorLine.report(heed.getErr(), new CommandFailure(unwritten), false);
        }
        heed.getErr().flush();
        System.exit(code);
    }

    /** Rejects arguments with U+FFFD, which the JVM substitutes for undecodable bytes; a tokenizer would silently drop it. */
    private static void requireText(String[] args) {
        for (String argument : args) {
            if (argument.indexOf(UNREADABLE) >= 0) {
                throw new InvalidInputException(
                        "An argument cannot be read",
                        "text in this process's encoding, " + System.getProperty("sun.jnu.encoding"),
                        argument,
                        "LC_ALL=C.UTF-8 heed ..., or put the text into a file");
            }
        }
    }

    /** {@return the command line with all commands, for an environment} */
    static CommandLine commandLine(CliEnvironment environment) {
        var heed = new CommandLine(new Main())
                .addSubcommand(new DevicesCommand(environment))
                .addSubcommand(new RunCommand(environment))
                .addSubcommand(new VerifyCommand(environment))
                .addSubcommand(new ConformanceCommand(environment))
                .addSubcommand(new ExplainCommand(environment))
                .addSubcommand(new ViewCommand(environment))
                .addSubcommand(new CourseCommand(environment))
                .addSubcommand(new JShellCommand(environment))
                .addSubcommand(new JavaCommand(environment))
                .addSubcommand(new TuneCommand(environment))
                .addSubcommand(new BenchCommand(environment))
                .addSubcommand(DemoCommand.commandLine(environment))
                .addSubcommand(new BundleCommand(environment));
        heed.setUsageHelpWidth(100);
        heed.setCaseInsensitiveEnumValuesAllowed(true);
        heed.setColorScheme(Help.defaultColorScheme(environment.colorful() ? Help.Ansi.ON : Help.Ansi.OFF));
        heed.registerConverter(Path.class, Main::path);
        heed.setParameterExceptionHandler(
                (e, args) -> ErrorLine.report(e.getCommandLine().getErr(), e, ErrorLine.wantsTrace(args)));
        heed.setExecutionExceptionHandler((e, command, parsed) ->
                ErrorLine.report(command.getErr(), e, ErrorLine.wantsTrace(originalArgs(parsed))));
        return heed;
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'" + text + "' is not a path");
        }
    }

    private static String[] originalArgs(ParseResult parsed) {
        return parsed.originalArgs().toArray(String[]::new);
    }

    /**
     * {@return the exit code of a command} Errors that picocli does not catch, such as a full heap, are also reported
     * on one line.
     */
    static int run(CommandLine heed, String... args) {
        PrintWriter err = heed.getErr();
        try {
            requireText(args);
            return heed.execute(args);
        } catch (Throwable e) {
            return ErrorLine.report(err, e, ErrorLine.wantsTrace(args));
        }
    }

    @Override
    public Integer call() {
        throw new ParameterException(Objects.requireNonNull(spec).commandLine(), "a command is missing");
    }
}
