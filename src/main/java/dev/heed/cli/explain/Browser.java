package dev.heed.cli.explain;

import dev.heed.cli.console.CommandFailure;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The user's browser, which is started only on request. */
final class Browser {
    private Browser() {}

    /**
     * Opens a file with the program in the variable {@code BROWSER} or the default of the system, without waiting for
     * the program to end.
     */
    static void open(Path file, Map<String, String> environment) {
        List<String> command = command(environment.getOrDefault("BROWSER", ""), System.getProperty("os.name", ""));
        String address = file.toAbsolutePath().toUri().toString();
        try {
            var process = new ProcessBuilder(command);
            process.command().add(address);
            process.redirectInput(Redirect.PIPE)
                    .redirectOutput(Redirect.DISCARD)
                    .redirectError(Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            throw new CommandFailure(
                    "The page is written, but " + command.getFirst() + " cannot be started. HINT: open " + address, e);
        }
    }

    static List<String> command(String named, String system) {
        String os = system.toLowerCase(Locale.ROOT);
        List<String> command = !named.isBlank()
                ? List.of(named.strip())
                : os.startsWith("windows")
                        ? List.of("rundll32", "url.dll,FileProtocolHandler")
                        : List.of(os.startsWith("mac") ? "open" : "xdg-open");
        return new java.util.ArrayList<>(command);
    }
}
