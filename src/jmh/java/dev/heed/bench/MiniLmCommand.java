package dev.heed.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code bench minilm}: measures a real encoder end to end. */
@Command(
        name = "minilm",
        description = {
            "Measure tokens per second of all-MiniLM-L6-v2 in Heed and in ONNX Runtime from the same model file, one"
                    + " batch of sequences per call.",
            ""
        },
        footer = {
            "",
            "Before timing, the last hidden states of both must agree within 1e-4.",
            "",
            "Example:",
            "  bench minilm --quick"
        })
final class MiniLmCommand extends MeasuringCommand {
    private static final String FORMAT = "%-10s %10s %10s %8s%n";
    private static final List<String> ALL = List.of("1x9", "1x31", "1x16", "1x128", "1x512", "32x128", "8x512");
    private static final List<String> QUICK = List.of("1x9", "1x31", "1x128", "32x128");
    private static final List<String> CONTESTANTS = List.of("vector", "onnxruntime");

    @Override
    Boolean measure() throws IOException {
        List<String> batches = quick ? QUICK : ALL;
        introduce("all-MiniLM-L6-v2, tokens/s");
        out().println();
        out().printf(FORMAT, "tokens", "Heed", "ONNX RT", "ratio");
        var rows = new JsonArray();
        boolean good = true;
        try (Laboratory laboratory = laboratory(batches.size() * CONTESTANTS.size() * repeats)) {
            for (String batch : batches) {
                Map<String, Trial> trials = new LinkedHashMap<>();
                for (int repeat = 0; repeat < repeats; repeat++) {
                    for (String backend : CONTESTANTS) {
                        trials.merge(backend, run(laboratory, batch, backend), Trial::and);
                    }
                }
                double ratio =
                        trials.get("vector").best() / trials.get("onnxruntime").best();
                out().printf(
                                Locale.ROOT,
                                FORMAT,
                                batch.replace("x", " x "),
                                whole(trials.get("vector")),
                                whole(trials.get("onnxruntime")),
                                Double.isNaN(ratio) ? "-" : String.format(Locale.ROOT, "%.2fx", ratio));
                out().flush();
                var row = new JsonObject();
                row.addProperty("batch", batch);
                row.add("ratio", number(ratio));
                for (var trial : trials.entrySet()) {
                    row.add(trial.getKey(), trial.getValue().json());
                    if (trial.getValue().failed()) {
                        good = false;
                        out().println("failed: " + trial.getKey() + ": "
                                + trial.getValue().failure());
                    }
                }
                rows.add(row);
            }
        }
        var json = new JsonObject();
        json.addProperty("unit", "tokens/s");
        json.add("rows", rows);
        save(json);
        return good;
    }

    private Trial run(Laboratory laboratory, String batch, String backend) throws IOException {
        return laboratory.run(
                "MiniLM " + batch + ", " + backend,
                MiniLmBenchmark.class.getName() + ".encode",
                "tokens",
                1,
                Map.of("batch", batch, "backend", backend, "threads", String.valueOf(threads)));
    }

    private static String whole(Trial trial) {
        return trial.failed() ? "failed" : String.format(Locale.ROOT, "%.0f", trial.best());
    }
}
