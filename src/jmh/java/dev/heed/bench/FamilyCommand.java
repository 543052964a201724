package dev.heed.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.heed.verify.Case;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** {@code bench family}: compares score functions with the plain scaled dot product. */
@Command(
        name = "family",
        description = {
            "Compare each score function, forward and backward, with plain scaled dot product at 1024 queries and keys of"
                    + " headDim 64, and additive attention with libtorch in eager mode, which builds the tensor of queries"
                    + " by keys by hidden units. Each measurement runs in its own process; times are milliseconds of the best iteration.",
            ""
        },
        footer = {
            "",
            "Every answer is compared with the double-precision reference before timing; a wrong answer is not timed."
                    + " Backward includes the gradients of parameters; in libtorch, only of query, key and value.",
            "",
            "Examples:",
            "  bench family --quick",
            "  bench family --repeats 3 --json family.json"
        })
final class FamilyCommand extends MeasuringCommand {
    private static final String SIZES = "q1x2x1024x64 kv2x1024 f32";
    private static final String PLAIN = "scaled-dot";
    private static final String FORMAT = "%-24s %9s %8s %9s %9s %9s %7s %9s %7s%n";

    /** The score functions as written in case strings, by row name. */
    private static final Map<String, String> SCORES = new LinkedHashMap<>();

    static {
        SCORES.put(PLAIN, PLAIN);
        SCORES.put("dot", "dot");
        SCORES.put("cosine", "cosine:8.0");
        SCORES.put("general", "general");
        SCORES.put("location", "location:1024");
        SCORES.put("Gaussian", "gaussian:0.125");
        SCORES.put("additive, h 64", "additive:plain");
        SCORES.put("additive with projections", "additive:64");
    }

    /** The measurements of one score function. */
    private record Times(
            Trial forward,
            Trial backward,
            @Nullable Trial eager,
            @Nullable Trial eagerBackward) {}

    @Override
    Boolean measure() throws IOException {
        introduce("The family of score functions, " + SIZES);
        List<String> failures = new ArrayList<>();
        var table = new JsonArray();
        Map<String, Times> all = new LinkedHashMap<>();
        try (Laboratory laboratory = laboratory(2 * repeats * (SCORES.size() + 2))) {
            out().printf(FORMAT, "", "forward", "/ plain", "backward", "/ forward", "eager", "", "backward", "");
            for (Map.Entry<String, String> score : SCORES.entrySet()) {
                String problem = SIZES + " score=" + score.getValue();
                boolean peer = score.getValue().startsWith("additive");
                var times = new Times(
                        run(laboratory, score.getKey(), problem, "vector"),
                        run(laboratory, score.getKey(), problem + " backward", "vector"),
                        peer ? run(laboratory, score.getKey(), problem, "libtorch") : null,
                        peer ? run(laboratory, score.getKey(), problem + " backward", "libtorch") : null);
                all.put(score.getKey(), times);
                print(score.getKey(), times, all.get(PLAIN));
                table.add(json(score.getKey(), problem, times));
                for (Trial trial :
                        new Trial[] {times.forward(), times.backward(), times.eager(), times.eagerBackward()}) {
                    if (trial != null && trial.failed()) {
                        failures.add(score.getKey() + ": " + trial.failure());
                    }
                }
            }
        }
        failures.forEach(failure -> out().println("failed: " + failure));
        var json = new JsonObject();
        json.add("rows", table);
        save(json);
        return failures.isEmpty();
    }

    /** {@return the results of {@code --repeats} runs of one benchmark, joined} */
    private Trial run(Laboratory laboratory, String label, String problem, String backend) throws IOException {
        Trial trial = null;
        for (int repeat = 0; repeat < repeats; repeat++) {
            Trial more = laboratory.run(
                    label + ", " + backend,
                    FamilyBenchmark.class.getName() + ".pass",
                    "gflops",
                    1,
                    Map.of("problem", problem, "backend", backend, "threads", String.valueOf(threads)));
            trial = trial == null ? more : trial.and(more);
        }
        if (trial == null) {
            throw new IllegalStateException("--repeats must be at least 1");
        }
        return trial;
    }

    /**
     * {@return the milliseconds of the best iteration} The rates of all score functions are computed from the operation
     * count of the scaled dot product.
     */
    private static double millis(@Nullable Trial trial, boolean backward) {
        double flops = Case.parse(SIZES).problem().flops() * (backward ? 2.5 : 1);
        return trial == null ? Double.NaN : flops / trial.best() / 1e6;
    }

    private void print(String label, Times t, @Nullable Times plain) {
        double forward = millis(t.forward(), false);
        double backward = millis(t.backward(), true);
        double eager = millis(t.eager(), false);
        double eagerBackward = millis(t.eagerBackward(), true);
        out().printf(
                        FORMAT,
                        label,
                        number(forward, ""),
                        number(forward / millis(plain == null ? null : plain.forward(), false), "x"),
                        number(backward, ""),
                        number(backward / forward, "x"),
                        number(eager, ""),
                        number(eager / forward, "x"),
                        number(eagerBackward, ""),
                        number(eagerBackward / backward, "x"));
        out().flush();
    }

    private static String number(double value, String unit) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, "%.2f", value) + unit : "-";
    }

    private static JsonObject json(String label, String problem, Times t) {
        var json = new JsonObject();
        json.addProperty("label", label);
        json.addProperty("case", problem);
        add(json, "forwardMillis", t.forward(), false);
        add(json, "backwardMillis", t.backward(), true);
        add(json, "eagerForwardMillis", t.eager(), false);
        add(json, "eagerBackwardMillis", t.eagerBackward(), true);
        return json;
    }

    private static void add(JsonObject json, String name, @Nullable Trial trial, boolean backward) {
        if (trial != null) {
            json.add(name, number(millis(trial, backward)));
            json.add(name.replace("Millis", "Rates"), trial.json());
        }
    }
}
