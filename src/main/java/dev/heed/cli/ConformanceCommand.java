package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.Progress;
import dev.heed.conformance.ConformanceSuite;
import dev.heed.conformance.Outcome;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heed conformance DIR}: runs published test data on a backend. */
@Command(
        name = "conformance",
        description = {
            "Run published test data on a backend: ONNX node tests (Attention, Softmax, LogSoftmax, RotaryEmbedding)"
                    + " and vectors of the classic score functions.",
            ""
        },
        footer = {
            "",
            "One line per case: PASS name max-error, FAIL name expected ... got ..., SKIP name reason.",
            "",
            "Examples:",
            "  heed conformance onnx/backend/test/data/node",
            "  heed conformance onnx/backend/test/data/node --backend vector --json"
        })
final class ConformanceCommand extends HeedCommand {
    @Parameters(
            paramLabel = "DIR",
            description = "A directory that is one case, or that contains cases in up to 5 levels of subdirectories.")
    private Path directory = Path.of("");

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "The backend; auto, the default, selects the fastest that is ready.")
    private @Nullable String backendName;

    ConformanceCommand(CliEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        ConformanceSuite suite = ConformanceSuite.of(directory);
        AttentionBackend backend = environment().ready(backendName);
        List<Outcome> outcomes = new ArrayList<>();
        if (asJson()) {
            try (Progress progress =
                    progress("conformance " + backend.name(), suite.cases().size())) {
                suite.run(backend, outcome -> {
                    outcomes.add(outcome);
                    progress.step();
                });
            }
            printJson(backend, outcomes);
        } else {
            // No progress bar: the lines themselves show the progress.
            suite.run(backend, outcome -> {
                outcomes.add(outcome);
                out().println(ErrorLine.onOneLine(outcome.line()));
            });
            out().println(count(outcomes, Outcome.Status.PASS) + " passed, " + count(outcomes, Outcome.Status.FAIL)
                    + " failed, " + count(outcomes, Outcome.Status.SKIP) + " skipped");
        }
        return count(outcomes, Outcome.Status.FAIL) == 0 ? OK : FAILED;
    }

    private static long count(List<Outcome> outcomes, Outcome.Status status) {
        return outcomes.stream().filter(outcome -> outcome.status() == status).count();
    }

    private void printJson(AttentionBackend backend, List<Outcome> outcomes) {
        var root = new JsonObject();
        root.addProperty("backend", backend.name());
        root.addProperty("passed", count(outcomes, Outcome.Status.PASS));
        root.addProperty("failed", count(outcomes, Outcome.Status.FAIL));
        root.addProperty("skipped", count(outcomes, Outcome.Status.SKIP));
        root.add("cases", JsonText.array(outcomes, outcome -> {
            var json = new JsonObject();
            json.addProperty("name", outcome.name());
            json.addProperty("status", outcome.status().name());
            json.add("maxError", Double.isNaN(outcome.maxError()) ? null : JsonText.number(outcome.maxError()));
            json.addProperty("detail", outcome.detail());
            return json;
        }));
        print(root);
    }
}
