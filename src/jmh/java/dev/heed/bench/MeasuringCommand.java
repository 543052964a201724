package dev.heed.bench;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Base class of the commands that measure: shared options, output and exit codes. */
abstract class MeasuringCommand implements Callable<Integer> {
    private static final String LOG = "heed.bench.log";

    @Spec
    private CommandSpec spec;

    @Option(names = "--quick", description = "Fewer rows and shorter iterations: takes minutes, with more noise.")
    boolean quick;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of every contestant except the naive loops (default ${DEFAULT-VALUE}).")
    int threads = 2;

    @Option(
            names = "--repeats",
            paramLabel = "N",
            description = "Processes per contestant and row; the best iteration is printed (default 1).")
    int repeats = 1;

    @Option(names = "--json", paramLabel = "FILE", description = "Write machine, versions and all raw numbers to FILE.")
    private @Nullable Path json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this help.")
    boolean help;

    @Override
    public Integer call() throws IOException {
        if (threads < 1 || repeats < 1) {
            throw misuse("--threads and --repeats must be 1 or more");
        }
        Path folder = json == null ? null : json.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            throw misuse("--json: no such directory: " + folder);
        }
        return measure() ? 0 : 1;
    }

    /** {@return the exception that reports wrong usage} */
    final ParameterException misuse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** Prints what is measured and the machine, and a warning if other processes use the machine's cores. */
    final void introduce(String what) {
        out().println(what + ", " + threads + (threads == 1 ? " thread" : " threads") + " of " + Site.line());
        double load = Site.load();
        int cores = Runtime.getRuntime().availableProcessors();
        if (load + threads > cores) {
            out().printf(
                            Locale.ROOT,
                            "other processes are running: load %.1f on %d cores at the start; single ratios are unreliable%n",
                            load,
                            cores);
        }
        out().flush();
    }

    /** {@return whether every measurement succeeded} Measures and prints. */
    abstract Boolean measure() throws IOException;

    final PrintWriter out() {
        return spec.commandLine().getOut();
    }

    final Laboratory laboratory(int steps) throws IOException {
        boolean terminal = Boolean.getBoolean("heed.stderr.terminal");
        return new Laboratory(
                quick, steps, terminal ? spec.commandLine().getErr() : null, Path.of(System.getProperty(LOG)));
    }

    /** Writes the measurements, the machine and the versions to the file of {@code --json}, if given. */
    final void save(JsonObject measured) throws IOException {
        if (json == null) {
            return;
        }
        JsonObject whole = Site.json();
        whole.addProperty("threads", threads);
        whole.addProperty("quick", quick);
        whole.addProperty("repeats", repeats);
        measured.entrySet().forEach(entry -> whole.add(entry.getKey(), entry.getValue()));
        Files.writeString(json, new GsonBuilder().setPrettyPrinting().create().toJson(whole) + System.lineSeparator());
    }

    static JsonElement number(double value) {
        return Double.isFinite(value) ? new JsonPrimitive(value) : JsonNull.INSTANCE;
    }

    static String rate(@Nullable Trial trial) {
        return trial == null ? "-" : trial.failed() ? "failed" : String.format(Locale.ROOT, "%.1f", trial.best());
    }
}
