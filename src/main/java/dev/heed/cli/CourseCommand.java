package dev.heed.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.Progress;
import dev.heed.course.Course;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heed course}: runs the code of the course's pages and writes its output and figures back into the pages. */
@Command(
        name = "course",
        description = {"Run the code of the course's pages and write its output and figures back into them.", ""},
        footer = {
            "",
            "Examples:",
            "  heed course                    all pages of docs/course",
            "  heed course --check            write nothing; exit code 1 if anything would change",
            "  heed course --page 07          the pages whose name begins with 07"
        })
final class CourseCommand extends HeedCommand {
    @Parameters(
            paramLabel = "DIR",
            arity = "0..1",
            description = "The folder of the course; by default the one in the checkout.")
    private @Nullable Path directory;

    @Option(names = "--check", description = "Write nothing; list what is out of date.")
    private boolean check;

    @Option(names = "--page", paramLabel = "NAME", description = "Only pages whose name begins with NAME.")
    private @Nullable String only;

    CourseCommand(CliEnvironment environment) {
        super(environment);
    }

    /** {@return the folder of the course in the checkout that the launcher runs from, or in the current folder} */
    static Path home() {
        return Path.of(System.getProperty("heed.home", "")).resolve("docs/course");
    }

    @Override
    public Integer call() {
        var course = new Course(directory == null ? home() : directory, System.getProperty("java.class.path", ""));
        List<String> pages = course.pages().stream()
                .filter(name -> only == null || name.startsWith(only))
                .toList();
        if (pages.isEmpty()) {
            throw new CommandFailure("No page begins with \"" + only + "\". HINT: the pages are " + course.pages());
        }
        List<String> stale = new ArrayList<>();
        try (Progress progress = progress("course", pages.size())) {
            for (String page : pages) {
                stale.addAll(check ? course.check(page) : course.refresh(page));
                progress.step();
            }
        }
        report(pages, stale);
        return check && !stale.isEmpty() ? FAILED : OK;
    }

    private void report(List<String> pages, List<String> stale) {
        if (asJson()) {
            var root = new JsonObject();
            root.addProperty("pages", pages.size());
            var list = new JsonArray();
            stale.forEach(list::add);
            root.add(check ? "stale" : "written", list);
            print(root);
            return;
        }
        stale.forEach(line -> out().println((check ? "STALE " : "WRITTEN ") + line));
        String changes = stale.isEmpty() ? "all up to date" : stale.size() + (check ? " not up to date" : " written");
        out().println(pages.size() + (pages.size() == 1 ? " page, " : " pages, ") + changes);
    }
}
