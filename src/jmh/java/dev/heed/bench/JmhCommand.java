package dev.heed.bench;

import dev.heed.cli.console.StandardOutput;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code bench}. Exit codes: 0 done, 1 a wrong answer or a failure, 2 wrong usage. */
@Command(
        name = "bench",
        description = "Measure the speed of Heed and of comparable libraries on this machine.",
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        subcommands = {PeersCommand.class, FamilyCommand.class, GpuCommand.class, MiniLmCommand.class},
        footer = {
            "",
            "bench jmh ARGS passes its arguments to JMH: bench jmh -l lists the benchmarks.",
            "bench COMMAND --help gives details. Exit codes: 0 done, 1 a wrong answer or a failure, 2 wrong usage."
        })
public final class JmhCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this help.")
    boolean help;

    private JmhCommand() {}

    /** Runs a command and ends the process with its exit code. */
    public static void main(String[] args) {
        StandardOutput output = StandardOutput.install();
        var bench = new CommandLine(new JmhCommand());
        bench.setUsageHelpWidth(100);
        bench.setParameterExceptionHandler((e, given) -> {
            String command = e.getCommandLine().getCommandSpec().qualifiedName();
            bench.getErr().println("error: " + e.getMessage() + ". HINT: " + command + " --help");
            return 2;
        });
        bench.setExecutionExceptionHandler((e, command, parsed) -> {
            bench.getErr().println("error: " + e);
            return 1;
        });
        int code = bench.execute(args);
        bench.getOut().flush();
        output.failure().ifPresent(reason -> bench.getErr().println("error: " + reason));
        bench.getErr().flush();
        System.exit(output.failure().isPresent() ? 1 : code);
    }

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }
}
