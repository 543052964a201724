package dev.heed.cli;

import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.HeedCommand;
import dev.heed.tensor.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Unmatched;

/**
 * {@code heed java FILE}: prints the help and the errors of this command. The launcher {@code ./heed} runs java
 * directly if the file exists; this class handles a request for help, a missing file, and a start without the launcher.
 */
@Command(
        name = "java",
        description = {
            "Run a Java source file with Heed on its class path, on the JDK that heed itself uses, with the flags that Heed"
                    + " needs.",
            ""
        },
        footer = {"", "Examples:", "  heed java Hello.java", "  HEED_JAVA_OPTS=-Xmx8g heed java Train.java first second"
        })
final class JavaCommand extends HeedCommand {
    // picocli sets the fields below

    @Parameters(paramLabel = "FILE", index = "0", description = "The source file; its arguments follow.")
    private Path file = Path.of("");

    @Unmatched
    private final List<String> arguments = new ArrayList<>();

    JavaCommand(CliEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException(
                    "There is no such source file", "a Java source file", file.toString(), "heed java Hello.java");
        }
        throw new CommandFailure("heed java needs the launcher of a checkout. HINT: ./heed java "
                + String.join(" ", file.toString(), String.join(" ", arguments)).strip());
    }
}
