package dev.heed.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/** {@code heed demo NAME}: small trained examples. */
@Command(
        name = "demo",
        description = {"Train a small example, here and now, and show what it learned.", ""},
        synopsisSubcommandLabel = "NAME",
        commandListHeading = "%nDemos:%n",
        footer = {"", "Examples:", "  heed demo pooling", "  heed demo pooling --svg pictures --seed 7"})
final class DemoCommand extends HeedCommand {
    DemoCommand(Surroundings surroundings) {
        super(surroundings);
    }

    /** {@return the command with its demos} */
    static picocli.CommandLine commandLine(Surroundings surroundings) {
        return new picocli.CommandLine(new DemoCommand(surroundings)).addSubcommand(new PoolingDemo(surroundings));
    }

    @Override
    public Integer call() {
        throw new ParameterException(spec().commandLine(), "a demo is missing");
    }
}
