package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.Progress;
import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code heed bundle DIR}: writes a folder that runs Heed on a machine without a JDK or a network. */
@Command(
        name = "bundle",
        description = {
            "Write a folder that runs Heed on x86-64 Linux without a JDK, root or network: a Java runtime, the jars, an"
                    + " OpenCL loader for machines that have only NVIDIA's driver, and a script.",
            "It contains benchmarks if ./bench has built them. It does not contain the model of heed explain, which is too large."
        },
        footer = {"", "Examples:", "  heed bundle heed-bundle", "  heed-bundle/run devices"})
final class BundleCommand extends HeedCommand {
    /** Maximum bytes of a bundle, set by the channels over which bundles are transferred. */
    private static final long LARGEST = 60_000_000;

    @Parameters(paramLabel = "DIR", description = "The folder to write: must be new or empty.")
    private @Nullable Path dir;

    BundleCommand(CliEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() throws IOException {
        Path target = Objects.requireNonNull(dir);
        requireEmpty(target);
        var bundle = new Bundle(target);
        try (Progress progress = progress("bundle", Bundle.STEPS)) {
            bundle.write(progress::step);
        }
        long bytes = bytes(target);
        if (bytes > LARGEST) {
            throw new CommandFailure("The bundle has " + megabytes(bytes) + ", more than " + megabytes(LARGEST)
                    + ". HINT: du -a " + target + " | sort -n | tail");
        }
        if (asJson()) {
            var json = new JsonObject();
            json.addProperty("folder", target.toString());
            json.addProperty("bytes", bytes);
            json.add("leftOut", JsonText.texts(bundle.leftOut()));
            print(json);
            return OK;
        }
        out().println(target + "  " + megabytes(bytes));
        bundle.leftOut().forEach(line -> out().println("left out   " + line));
        out().println("try        " + target.resolve("run") + " devices");
        return OK;
    }

    private static void requireEmpty(Path target) throws IOException {
        boolean empty = !Files.exists(target);
        if (Files.isDirectory(target)) {
            try (Stream<Path> content = Files.list(target)) {
                empty = content.findAny().isEmpty();
            }
        }
        if (!empty) {
            throw new InvalidInputException(
                    "A bundle must be written into a new or empty folder",
                    "a folder that does not exist or is empty",
                    target.toString(),
                    "rm -r it, or name another");
        }
    }

    private static long bytes(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> all = files.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .toList();
            long sum = 0;
            for (Path file : all) {
                sum += Files.size(file);
            }
            return sum;
        } catch (UncheckedIOException e) {
            throw Objects.requireNonNull(e.getCause());
        }
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
