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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code heed tune}: measures which tile sizes are fastest on an OpenCL device or on this processor, and stores them in the user's
 * cache.
 */
@Command(
        name = "tune",
        description = {
            "Measure about a dozen tile sizes on an OpenCL device, each in a separate process. Sizes that fail"
                    + " the check against the double-precision reference, with guard zones around every buffer, are rejected."
                    + " The best sizes are stored in the cache for this device and driver, and the backend uses them from then on.",
            "Also print the rows in the format of Heed's own table of tile sizes.",
            "With --backend vector, measure sizes of the CPU backend that change no bit of a result. The current sizes and all"
                    + " candidates are measured in three rounds, which takes minutes. A candidate is stored, for this processor, vector"
                    + " width and version of Java, only if it is faster by more than the times of the current sizes differ."
        },
        footer = {
            "",
            "Examples:",
            "  heed tune",
            "  heed tune --device NVIDIA",
            "  heed tune --case \"q1x16x4096x128 kv16x4096 f16 mask=causal:br\"",
            "  heed tune --tiles 16,16,4,4,16 --tiles 8,8,8,8,8",
            "  heed tune --case \"q1x8x1024x64 kv8x1024 f32 backward\" --case \"linear 512x768x3072 f32\"",
            "  heed tune --backend vector",
            "  heed tune --backend vector --case \"linear 512x768x3072 f32\" --tiles depth=384,rows=96 --tiles depth=384"
        })
final class TuneCommand extends HeedCommand {
    @Option(
            names = "--backend",
            paramLabel = "NAME",
            defaultValue = "opencl",
            description = "The backend: opencl, the default, or vector.")
    private String backend = "opencl";

    @Option(names = "--device", paramLabel = "NAME", description = "The index of a device, or a substring of its name.")
    private @Nullable String deviceName;

    @Option(names = "--case", paramLabel = "CASE", description = "A case to tune for, instead of the default cases.")
    private List<String> cases = List.of();

    @Option(
            names = "--tiles",
            paramLabel = "SIZES",
            description = "Candidates instead of the default ones: tx,ty,rm,rn,depth. For vector: panels=N,"
                    + " or some of depth=N,rows=N,fewestRows=N, or some of vectors=N,tall=N.")
    private List<String> tiles = List.of();

    @Option(names = "--trial", hidden = true, paramLabel = "CASE", description = "Try one candidate in this process.")
    private List<String> trials = List.of();

    @Parameters(arity = "0..1", hidden = true, paramLabel = "FILE", description = "The output file of a trial.")
    private @Nullable Path file;

    TuneCommand(CliEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        TuneTarget target = target();
        if (!trials.isEmpty()) {
            return answer(TuneRounds.attempt(target, trials));
        }
        List<TuneSubject> subjects = target.subjects(cases, tiles);
        if (subjects.isEmpty()) {
            throw new InvalidInputException(
                    "None of these cases uses the sizes of these candidates",
                    "an attention for panels, a linear or mha case for depth, rows and fewestRows",
                    String.join("; ", cases),
                    "leave out --case");
        }
        say(target.describe());
        boolean anyPassed = false;
        List<String> rows = new ArrayList<>();
        List<JsonObject> measured = new ArrayList<>();
        Set<String> files = new TreeSet<>();
        Set<String> troubles = new TreeSet<>();
        for (TuneSubject subject : subjects) {
            TuneRounds rounds = measured(target, subject);
            measured.add(rounds.json());
            anyPassed |= rounds.anyPassed();
            String best = rounds.best();
            if (best != null) {
                String row = target.row(subject, best);
                rows.add(row);
                try {
                    files.add(target.store(subject, row).toString()); // the processes of the next subjects read it
                } catch (IOException e) {
                    troubles.add(String.valueOf(e.getMessage()));
                }
            }
        }
        if (!anyPassed) {
            throw new CommandFailure("No candidate passed. HINT: heed verify --backend " + target.backend());
        }
        say("");
        files.forEach(stored -> say("kept in  " + stored));
        troubles.forEach(trouble -> say("not kept " + trouble));
        if (rows.isEmpty()) {
            say("no candidate is clearly faster than the current sizes, which stay");
        } else {
            target.forTheJar(rows).forEach(this::say);
        }
        if (asJson()) {
            var json = new JsonObject();
            json.addProperty("backend", target.backend());
            json.addProperty("machine", target.describe());
            json.add("measured", JsonText.array(measured, one -> one));
            json.add("files", JsonText.texts(files));
            json.add("troubles", JsonText.texts(troubles));
            print(json);
        }
        return OK;
    }

    private TuneTarget target() {
        return switch (backend) {
            case "opencl" -> new OpenClTuning(deviceName);
            case "vector" -> {
                if (deviceName != null) {
                    throw new InvalidInputException(
                            "--device chooses among OpenCL devices",
                            "--backend opencl",
                            "--backend vector --device " + deviceName,
                            "heed tune --backend vector");
                }
                yield new VectorTuning();
            }
            default ->
                throw new InvalidInputException(
                        "This backend has no sizes to tune", "opencl or vector", backend, "heed tune --backend vector");
        };
    }

    private TuneRounds measured(TuneTarget target, TuneSubject subject) {
        var rounds = new TuneRounds(target, subject);
        say("");
        say(subject.title() + ": " + String.join("; ", subject.cases()));
        try (Progress progress = progress(subject.title(), rounds.steps())) {
            rounds.measure(progress::step);
        }
        if (!asJson()) {
            rounds.table().print(out());
        }
        if (target.rounds() > 1) {
            String best = rounds.best();
            say(String.format(Locale.ROOT, "the times of the current sizes differ by a factor of %.3f", rounds.spread())
                    + (best == null ? "; they stay" : "; faster by more: " + best));
        }
        out().flush();
        return rounds;
    }

    private void say(String line) {
        if (!asJson()) {
            out().println(line);
        }
    }

    private int answer(JsonObject json) {
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
}
