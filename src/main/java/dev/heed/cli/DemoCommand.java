package dev.heed.cli;

import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.HeedCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/** {@code heed demo NAME}: trains a small example. */
@Command(
        name = "demo",
        description = {"Train a small example and show what it learned.", ""},
        synopsisSubcommandLabel = "NAME",
        commandListHeading = "%nDemos:%n",
        footer = {
            "",
            "Examples:",
            "  heed demo pooling",
            "  heed demo pooling --svg pictures --seed 7",
            "  heed demo translate",
            "  heed demo translate --attention none"
        })
final class DemoCommand extends HeedCommand {
    DemoCommand(CliEnvironment environment) {
        super(environment);
    }

    /** {@return the command line of {@code heed demo} with all demos} */
    static CommandLine commandLine(CliEnvironment environment) {
        return new CommandLine(new DemoCommand(environment))
                .addSubcommand(new PoolingDemo(environment))
                .addSubcommand(new TranslateDemo(environment));
    }

    @Override
    public Integer call() {
        throw new ParameterException(spec().commandLine(), "a demo is missing");
    }
}
