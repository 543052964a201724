package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.TextTable;
import dev.heed.tensor.InvalidInputException;
import dev.heed.verify.Case;
import dev.heed.verify.Measure;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heed run CASE}: computes one case on random inputs, times it and checks it against the double-precision reference. */
@Command(
        name = "run",
        description = {
            "Compute one case on random inputs, time it, and check it against the double-precision reference.",
            "The check passes if the error is at most twice the error of the textbook formula in f32 (three times for"
                    + " gradients), plus two units in the last place.",
            ""
        },
        footer = {
            "",
            "A case is q<batch>x<heads>x<queries>x<headDim> kv<heads>x<keys>, a type, and options; or a softmax, an mha,"
                    + " a linear or a rotary case. Options of the inputs may follow: seed=7 values=normal|large|huge|constant"
                    + " layout=bhsd|bshd|padded|native|mixed params=TYPE poison backward.",
            "",
            "Examples:",
            "  heed run \"q1x8x128x64 kv8x128 f32 mask=causal:br\"",
            "  heed run \"q2x32x1x128 kv8x4096 bf16 lse\" --backend vector --repeat 20",
            "  heed run \"softmax 64x1000 axis=1 f32 backward\"",
            "  heed run \"mha in=384x384x384 out=384 biases=qkvo q1x12x16x32 kv12x16 f32\"",
            "  heed run \"rotary 1x8x128x64 f32\" --json"
        })
final class RunCommand extends HeedCommand {
    private static final int MAX_REPEAT = 1000;

    @Parameters(paramLabel = "CASE", arity = "1..*", description = "The case to compute, in quotes.")
    private List<String> words = List.of();

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "The backend; auto, the default, selects the fastest that supports the case.")
    private @Nullable String backendName;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "The seed of the inputs; by default the seed in the case, or 1.")
    private @Nullable Long seed;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "5",
            description = "The number of timed runs, 1 to " + MAX_REPEAT + "; ${DEFAULT-VALUE} by default.")
    private int repeat;

    RunCommand(CliEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        if (repeat < 1 || repeat > MAX_REPEAT) {
            throw new InvalidInputException(
                    "The number of repeats is out of range",
                    "1 to " + MAX_REPEAT,
                    String.valueOf(repeat),
                    "--repeat 5");
        }
        Case asked = Case.parse(String.join(" ", words));
        Case checked = seed == null ? asked : asked.withSeed(seed);
        Feasibility.require(checked.problem());
        Feasibility.requireHeap(checked.problem(), Runtime.getRuntime().maxMemory());
        AttentionBackend backend = environment().select(backendName, checked.problem());
        var verifier = new Verifier(backend);
        Verdict verdict = verifier.check(checked, repeat);
        report(backend, verdict);
        return verdict.status() == Verdict.Status.PASS ? OK : FAILED;
    }

    private void report(AttentionBackend backend, Verdict verdict) {
        double best = verdict.nanos() * 1e-9;
        double median = verdict.medianNanos() * 1e-9;
        // flops() does not include the work of a backward pass, so no speed is printed for a case with a backward pass.
        boolean speed = !verdict.checked().backward() && best > 0;
        double gigaflops = verdict.checked().problem().flops() / best * 1e-9;
        if (asJson()) {
            var json = new JsonObject();
            json.addProperty("case", verdict.checked().toString());
            json.addProperty("backend", backend.name());
            json.addProperty("verdict", verdict.status().name());
            json.addProperty("message", verdict.message());
            json.addProperty("repeat", repeat);
            json.add("bestSeconds", best > 0 ? JsonText.number(best) : null);
            json.add("medianSeconds", best > 0 ? JsonText.number(median) : null);
            json.add("gigaflops", speed ? JsonText.number(gigaflops) : null);
            json.add("measures", JsonText.array(verdict.measures(), RunCommand::json));
            print(json);
            return;
        }
        out().println("case     " + verdict.checked());
        out().println("backend  " + backend.name());
        if (best > 0) { // nothing was timed if the case threw
            out().println("time     best " + seconds(best) + ", median " + seconds(median) + " of " + repeat
                    + (verdict.checked().backward() ? ", forward and backward" : ""));
        }
        if (speed) {
            out().println("speed    " + String.format(Locale.ROOT, "%.3g GFLOP/s (masks not deducted)", gigaflops));
        }
        var table = new TextTable("tensor", "max error", "allowed", "mean error", "x naive", "worst at", "verdict");
        for (Measure m : verdict.measures()) {
            table.row(
                    m.name(),
                    error(m.maxError()),
                    error(m.allowed()),
                    error(m.meanError()),
                    ratio(m.ratioToNaive()),
                    String.valueOf(m.worstIndex()),
                    m.passed() ? "pass" : "FAIL");
        }
        if (!verdict.measures().isEmpty()) {
            out().println();
            table.print(out());
        }
        out().println();
        out().println(verdict.status()
                + (verdict.message().isEmpty() ? "" : " " + ErrorLine.onOneLine(verdict.message())));
    }

    private static JsonObject json(Measure m) {
        var json = new JsonObject();
        json.addProperty("tensor", m.name());
        json.add("maxError", JsonText.number(m.maxError()));
        json.add("allowedError", JsonText.number(m.allowed()));
        json.add("meanError", JsonText.number(m.meanError()));
        json.add("ratioToNaive", JsonText.number(m.ratioToNaive()));
        json.addProperty("worstIndex", m.worstIndex());
        json.add("expected", JsonText.number(m.expected()));
        json.add("got", JsonText.number(m.got()));
        json.addProperty("passed", m.passed());
        return json;
    }

    static String error(double error) {
        return error == 0 ? "0" : String.format(Locale.ROOT, "%.2e", error);
    }

    static String ratio(double ratio) {
        return Double.isFinite(ratio) ? String.format(Locale.ROOT, "%.2f", ratio) : "-";
    }

    private static String seconds(double seconds) {
        return seconds >= 1
                ? String.format(Locale.ROOT, "%.3f s", seconds)
                : seconds >= 1e-3
                        ? String.format(Locale.ROOT, "%.3f ms", seconds * 1e3)
                        : String.format(Locale.ROOT, "%.1f us", seconds * 1e6);
    }
}
