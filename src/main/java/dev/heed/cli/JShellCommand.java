package dev.heed.cli;

import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.course.Course;
import dev.heed.course.Page;
import dev.heed.course.Shell;
import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code heed jshell}: starts the JDK's shell, prepared for the code of the course. */
@Command(
        name = "jshell",
        description = {
            "Start the JDK's interactive shell with Heed: class path, flags, the imports of the course's pages, and the"
                    + " variables they use, figures (a new folder) and data. Any block of a page can be pasted.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  heed jshell                    an empty shell",
            "  heed jshell 07                 runs the code of page 07 first and keeps its variables",
            "  heed jshell < snippets.jsh     runs the statements of a file"
        })
final class JShellCommand extends HeedCommand {
    @Parameters(
            paramLabel = "PAGE",
            arity = "0..1",
            description = "A page of the course whose code runs first: the beginning of its name.")
    private @Nullable String page;

    JShellCommand(CliEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        var course = new Course(CourseCommand.home(), System.getProperty("java.class.path", ""));
        List<String> blocks = page == null
                ? List.of()
                : course.code(named(course, page)).stream().map(Page.Code::code).toList();
        Path figures;
        try {
            figures = Files.createTempDirectory("heed-figures");
        } catch (IOException e) {
            throw new CommandFailure(
                    "No folder for figures can be made, " + ErrorLine.file(e)
                            + ". HINT: HEED_JAVA_OPTS=-Djava.io.tmpdir=DIR names another place",
                    e);
        }
        if (environment().outIsTerminal()) {
            out().println("figures  " + figures);
            out().println("data     " + course.data().toAbsolutePath());
            out().flush();
        }
        String[] piped = CliEnvironment.inIsTerminal() ? new String[0] : new String[] {"-"}; // no prompts, no echo
        int code = new Shell(System.getProperty("java.class.path", ""), course.data(), figures)
                .start(System.in, System.out, System.err, blocks, jvmOptions(), piped);
        deleteIfEmpty(figures);
        return code;
    }

    private static void deleteIfEmpty(Path folder) {
        try {
            Files.delete(folder);
        } catch (IOException e) {
            // the folder contains figures and is kept
        }
    }

    private List<String> jvmOptions() {
        String options =
                environment().environment().getOrDefault("HEED_JAVA_OPTS", "").strip();
        return options.isEmpty() ? List.of() : Arrays.asList(options.split("\\s+"));
    }

    private static String named(Course course, String page) {
        return course.pages().stream()
                .filter(name -> name.startsWith(page))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException(
                        "The course has no such page",
                        "the beginning of one of " + String.join(", ", course.pages()),
                        page,
                        "heed jshell 07"));
    }
}
