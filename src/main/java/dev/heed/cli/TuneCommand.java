package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.AttentionProblem;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.backend.opencl.OpenClOptions;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.Progress;
import dev.heed.cli.console.TextTable;
import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceType;
import dev.heed.opencl.OpenCl;
import dev.heed.opencl.Selection;
import dev.heed.settings.Settings;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tuning.DeviceTables;
import dev.heed.tuning.MeasuredTable;
import dev.heed.verify.Case;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heed tune}: measures which tile sizes are fastest on an OpenCL device and stores them in the user's cache. */
@Command(
        name = "tune",
        description = {
            "Measure about a dozen tile sizes on an OpenCL device, each in a separate process. Sizes that fail"
                    + " the check against the double-precision reference, with guard zones around every buffer, are rejected."
                    + " The best sizes are stored in the cache for this device and driver, and the backend uses them from then on.",
            "Also print the rows in the format of Heed's own table of tile sizes."
        },
        footer = {
            "",
            "Examples:",
            "  heed tune",
            "  heed tune --device NVIDIA",
            "  heed tune --case \"q1x16x4096x128 kv16x4096 f16 mask=causal:br\"",
            "  heed tune --tiles 16,16,4,4,16 --tiles 8,8,8,8,8",
            "  heed tune --case \"q1x8x1024x64 kv8x1024 f32 backward\" --case \"linear 512x768x3072 f32\""
        })
final class TuneCommand extends HeedCommand {
    private static final String CURRENT = "current";
    private static final int REPEATS = 5;

    /** Default candidates: tx, ty, rm, rn and depth, see {@code opencl_tiles.tsv}. */
    private static final List<String> CANDIDATES = List.of(
            "16,16,4,4,16",
            "16,16,4,4,8",
            "16,16,4,4,32",
            "16,8,4,4,16",
            "8,8,4,4,16",
            "8,16,4,4,16",
            "8,8,8,8,8",
            "16,8,8,4,16",
            "16,16,8,4,16",
            "16,16,8,8,8",
            "16,16,2,4,16",
            "32,8,4,4,16",
            "8,8,2,2,8");

    private static final List<String> GPU_CASES = List.of(
            "q1x8x1024x64 kv8x1024 f32",
            "q1x8x1024x128 kv8x1024 f32",
            "q1x4x512x64 kv4x512 f32 backward",
            "q1x4x512x128 kv4x512 f32 backward",
            "q1x4x512x64 kv4x512 f32 weights",
            "linear 1024x768x768 f32");

    /** Default cases on a CPU, which computes forward passes and products without tiles. */
    private static final List<String> CPU_CASES =
            List.of("q1x4x256x64 kv4x256 f32 backward", "q1x4x256x64 kv4x256 f32 weights");

    @Option(names = "--device", paramLabel = "NAME", description = "The index of a device, or a substring of its name.")
    private @Nullable String deviceName;

    @Option(names = "--case", paramLabel = "CASE", description = "A case to tune for, instead of the default cases.")
    private List<String> cases = List.of();

    @Option(
            names = "--tiles",
            paramLabel = "SIZES",
            description = "Candidates instead of the default ones: tx,ty,rm,rn,depth.")
    private List<String> tiles = List.of();

    @Option(names = "--trial", hidden = true, paramLabel = "CASE", description = "Try one candidate in this process.")
    private @Nullable String trial;

    @Parameters(arity = "0..1", hidden = true, paramLabel = "FILE", description = "The output file of a trial.")
    private @Nullable Path file;

    TuneCommand(CliEnvironment environment) {
        super(environment);
    }

    /**
     * The subject of tuning: a phase of computation, a bound on headDim or on the output size of a product, and a
     * representative case.
     */
    private record Subject(String phase, String width, String text) {
        static Subject of(String text) {
            Case parsed = Case.parse(text);
            Problem problem = parsed.problem();
            return switch (problem) {
                case AttentionProblem p -> {
                    boolean optionalOutputs = !p.outputs().onlyOutputAndLse();
                    String phase = parsed.backward() ? "backward" : optionalOutputs ? "weights" : "prefill";
                    yield new Subject(phase, "<=" + p.shape().headDim(), text);
                }
                case LinearProblem p -> new Subject("product", "<=" + p.out(), text);
                case MultiHeadProblem p -> new Subject("product", "<=" + p.embedOut(), text);
                default ->
                    throw new InvalidInputException(
                            "This case has no tiles",
                            "an attention, mha or linear case",
                            text,
                            "heed tune --case \"q1x8x1024x64 kv8x1024 f32\"");
            };
        }

        /**
         * {@return a small case of the same kind for the check with guard zones; its lengths are not multiples of any tile
         * size}
         */
        String raggedCase() {
            Case parsed = Case.parse(text);
            return switch (parsed.problem()) {
                case AttentionProblem p ->
                    "q1x2x131x" + p.shape().headDim() + " kv1x261 dv"
                            + p.shape().valueHeadDim() + " "
                            + p.type().label() + " mask=causal:br lse poison"
                            + (phase.equals("weights") ? " weights topk=3" : "")
                            + (parsed.backward() ? " backward" : "");
                case LinearProblem p ->
                    "linear 131x67x" + Math.min(p.out(), 261) + " bias "
                            + p.type().label() + " backward";
                default -> "mha in=67x67x67 out=69 biases=qkvo q1x3x131x11 kv3x131 f32 backward";
            };
        }
    }

    @Override
    public Integer call() {
        if (trial != null) {
            return tryHere(trial);
        }
        Selection selection = OpenCl.selected(deviceName == null ? Settings.OPENCL_DEVICE.or("") : deviceName);
        Device device = selection
                .device()
                .orElseThrow(() -> new CommandFailure("There is no OpenCL device to tune: "
                        + String.join("; ", selection.reasons()) + ". HINT: heed devices"));
        boolean tiled = device.type() != DeviceType.CPU
                || Settings.OPENCL_KERNELS.value().equals(Optional.of("tiles"));
        List<Subject> subjects = (cases.isEmpty() ? (tiled ? GPU_CASES : CPU_CASES) : cases)
                .stream().map(Subject::of).toList();
        out().println("device   " + device.describe());
        List<String> rows = new ArrayList<>();
        for (Subject subject : subjects) {
            String best = best(subject);
            if (best != null) {
                rows.add(subject.phase() + "\t" + subject.width() + "\t|\t" + best.replace(',', '\t'));
            }
        }
        if (rows.isEmpty()) {
            throw new CommandFailure("No candidate passed. HINT: heed verify --backend opencl");
        }
        keep(device, rows);
        return OK;
    }

    private void keep(Device device, List<String> rows) {
        var tables = new DeviceTables(OpenCl.cacheFolder().orElse(null), device.name(), device.identity());
        String vendor = device.isNvidia() ? "NVIDIA" : device.vendor();
        out().println();
        try {
            out().println("kept in  " + tables.write(MeasuredTable.OPENCL_TILES, rows));
        } catch (IOException e) {
            out().println("not kept " + e.getMessage());
        }
        out().println("rows for src/main/resources/tuning/opencl_tiles.tsv:");
        rows.forEach(row -> out().println(vendor + "\t" + device.type() + "\t" + row));
    }

    /** {@return the tile sizes of the fastest correct candidate other than the current sizes, or null if there is none} */
    private @Nullable String best(Subject subject) {
        out().println();
        out().println(subject.phase() + ", width " + subject.width() + ": " + subject.text());
        String best = null;
        double least = Double.POSITIVE_INFINITY;
        double now = Double.NaN;
        List<String> all = new ArrayList<>(List.of(CURRENT));
        all.addAll(tiles.isEmpty() ? CANDIDATES : tiles);
        var table = new TextTable("tiles", "time", "speedup", "");
        try (Progress progress = progress(subject.phase(), all.size())) {
            for (String candidate : all) {
                ForkedCommand.Answer answer =
                        ForkedCommand.run(properties(candidate), List.of("tune", "--trial", subject.text()));
                JsonObject json = answer.json();
                double seconds = json == null ? Double.NaN : json.get("seconds").getAsDouble();
                String trouble =
                        json == null ? answer.trouble() : json.get("message").getAsString();
                now = candidate.equals(CURRENT) ? seconds : now;
                if (trouble.isEmpty() && seconds < least && !candidate.equals(CURRENT)) {
                    least = seconds;
                    best = candidate;
                }
                table.row(
                        candidate,
                        trouble.isEmpty() ? String.format(Locale.ROOT, "%.3f ms", seconds * 1e3) : "-",
                        trouble.isEmpty() ? String.format(Locale.ROOT, "%.2f", now / seconds) : "-",
                        ErrorLine.onOneLine(trouble));
                progress.step();
            }
        }
        table.print(out());
        out().flush();
        return best;
    }

    private List<String> properties(String candidate) {
        List<String> properties = new ArrayList<>();
        Settings.CACHE.value().ifPresent(cache -> properties.add(Settings.CACHE.to(cache)));
        if (deviceName != null) {
            properties.add(Settings.OPENCL_DEVICE.to(deviceName));
        }
        if (!candidate.equals(CURRENT)) {
            properties.add(Settings.OPENCL_TILES.to(candidate));
        }
        return properties;
    }

    /**
     * Tries one candidate: first on the small case of {@link Subject#raggedCase}, with guard zones; then, if that passes,
     * on the case itself, timed and checked.
     */
    private int tryHere(String text) {
        Subject subject = Subject.of(text);
        Verdict guarded = check(subject.raggedCase(), 0, OpenClOptions.DEFAULT.withGuardZones(true));
        boolean passed = guarded.status() == Verdict.Status.PASS;
        Verdict timed = passed ? check(subject.text(), REPEATS, OpenClOptions.DEFAULT) : guarded;
        var json = new JsonObject();
        json.addProperty("seconds", timed.medianNanos() * 1e-9);
        json.addProperty("message", timed.status() == Verdict.Status.PASS ? "" : timed.message());
        try {
            if (file != null) {
                Files.writeString(file, JsonText.of(json));
            } else {
                print(json);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return OK;
    }

    private static Verdict check(String text, int repeats, OpenClOptions options) {
        Case asked = Case.parse(text);
        try (var backend = new OpenClBackend(options)) {
            var verifier = new Verifier(backend);
            return repeats == 0 ? verifier.check(asked) : verifier.check(asked, repeats);
        }
    }
}
