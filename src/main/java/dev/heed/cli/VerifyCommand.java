package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.Progress;
import dev.heed.cli.console.TextTable;
import dev.heed.tensor.InvalidInputException;
import dev.heed.verify.Case;
import dev.heed.verify.CaseGrid;
import dev.heed.verify.Measure;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code heed verify}: checks a backend against the double-precision reference on the case grid. */
@Command(
        name = "verify",
        description = {
            "Check a backend against the double-precision reference on every kind of case: head sizes and lengths around vectors and"
                    + " tiles, masks, modifiers, types, layouts, backward, softmax, multi-head, rotary.",
            ""
        },
        footer = {
            "",
            "Every failure is printed with the command that repeats it. \"of allowed\" is the largest error relative to"
                    + " the limit of the case; \"x naive\" is the largest error relative to the textbook formula.",
            "",
            "Examples:",
            "  heed verify --quick",
            "  heed verify --backend vector",
            "  heed verify --filter masks --json",
            "  heed verify --random 1 --backend vector"
        })
final class VerifyCommand extends HeedCommand {
    /** Maximum minutes of random cases. */
    private static final int LONGEST_RUN = 24 * 60;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "The backend; auto, the default, selects the fastest that is ready.")
    private @Nullable String backendName;

    @Option(names = "--quick", description = "The smaller part of the grid, without the large cases.")
    private boolean quick;

    @Option(
            names = "--filter",
            paramLabel = "TEXT",
            description = "Only cases whose group or case string contains the text.")
    private String filter = "";

    @Option(
            names = "--random",
            paramLabel = "MINUTES",
            description =
                    "Check random cases for so long instead of the grid. The first failure is made as small as possible.")
    private @Nullable Double minutes;

    @Option(
            names = "--seed",
            paramLabel = "SEED",
            description = "The seed of the random cases; by default another one in each run.")
    private @Nullable Long seed;

    VerifyCommand(CliEnvironment environment) {
        super(environment);
    }

    /** The verdicts on one group of cases. */
    private record Group(String name, List<Verdict> verdicts) {
        long count(Verdict.Status status) {
            return verdicts.stream().filter(v -> v.status() == status).count();
        }

        double maxError() {
            return measures().stream().mapToDouble(Measure::maxError).max().orElse(Double.NaN);
        }

        double worstRatio() {
            return measures().stream()
                    .mapToDouble(Measure::ratioToNaive)
                    .filter(Double::isFinite)
                    .max()
                    .orElse(Double.NaN);
        }

        private List<Measure> measures() {
            return verdicts.stream().flatMap(v -> v.measures().stream()).toList();
        }

        /**
         * {@return the verdict with the largest ratio of error to limit; null if nothing was measured}
         */
        @Nullable
        Verdict worst() {
            Verdict worst = null;
            for (Verdict verdict : verdicts) {
                if (verdict.worst() != null && (worst == null || share(verdict) > share(worst))) {
                    worst = verdict;
                }
            }
            return worst;
        }

        static double share(Verdict verdict) {
            Measure m = verdict.worst();
            return m == null || m.maxError() == 0 ? 0 : m.maxError() / m.allowed();
        }

        String summary() {
            long failed = count(Verdict.Status.FAIL);
            long skipped = count(Verdict.Status.SKIP);
            String text = failed > 0 ? failed + " FAILED" : skipped == verdicts.size() ? "skipped" : "pass";
            return text + (skipped > 0 && skipped < verdicts.size() ? ", " + skipped + " skipped" : "");
        }
    }

    @Override
    public Integer call() {
        if (minutes != null) {
            return random(minutes);
        }
        Map<String, List<Case>> grid = filtered(quick ? CaseGrid.quick() : CaseGrid.full());
        AttentionBackend backend = environment().ready(backendName);
        var verifier = new Verifier(backend);
        List<Group> groups = new ArrayList<>();
        long steps = grid.values().stream().mapToLong(List::size).sum();
        try (Progress progress = progress("verify " + backend.name(), steps)) {
            grid.forEach((name, cases) -> {
                List<Verdict> verdicts = new ArrayList<>();
                for (Case checked : cases) {
                    verdicts.add(verifier.check(checked));
                    progress.step();
                }
                groups.add(new Group(name, verdicts));
            });
        }
        if (asJson()) {
            printJson(backend, groups);
        } else {
            printText(backend, groups);
        }
        return total(groups, Verdict.Status.FAIL) == 0 ? OK : FAILED;
    }

    private int random(double duration) {
        if (!(duration > 0 && duration <= LONGEST_RUN) || quick || !filter.isEmpty()) {
            throw new InvalidInputException(
                    "Random cases take a time, and neither --quick nor --filter",
                    "more than 0 and at most " + LONGEST_RUN + " minutes",
                    "--random " + duration + (quick ? " --quick" : "")
                            + (filter.isEmpty() ? "" : " --filter " + filter),
                    "heed verify --random 1");
        }
        var run = new RandomRun(
                environment().ready(backendName), seed == null ? new Random().nextLong(1_000_000_000) : seed, duration);
        if (asJson()) {
            print(run.json());
        } else {
            run.print(out());
        }
        return run.passed() ? OK : FAILED;
    }

    private Map<String, List<Case>> filtered(Map<String, List<Case>> grid) {
        Map<String, List<Case>> kept = new LinkedHashMap<>();
        grid.forEach((name, cases) -> {
            List<Case> matching = cases.stream()
                    .filter(c -> name.contains(filter) || c.toString().contains(filter))
                    .toList();
            if (!matching.isEmpty()) {
                kept.put(name, matching);
            }
        });
        if (kept.isEmpty()) {
            throw new InvalidInputException(
                    "The filter leaves no case",
                    "a part of a case string or one of the groups " + String.join(", ", grid.keySet()),
                    filter,
                    "heed verify --filter masks");
        }
        return kept;
    }

    private static long total(List<Group> groups, Verdict.Status status) {
        return groups.stream().mapToLong(group -> group.count(status)).sum();
    }

    private static Map<String, Integer> skipReasons(List<Group> groups) {
        Map<String, Integer> reasons = new TreeMap<>();
        for (Group group : groups) {
            for (Verdict verdict : group.verdicts()) {
                if (verdict.status() == Verdict.Status.SKIP) {
                    reasons.merge(verdict.message(), 1, Integer::sum);
                }
            }
        }
        return reasons;
    }

    private static List<Verdict> failures(List<Group> groups) {
        return groups.stream()
                .flatMap(group -> group.verdicts().stream())
                .filter(verdict -> verdict.status() == Verdict.Status.FAIL)
                .toList();
    }

    private static String summary(List<Group> groups) {
        return total(groups, Verdict.Status.PASS) + " passed, " + total(groups, Verdict.Status.FAIL) + " failed, "
                + total(groups, Verdict.Status.SKIP) + " skipped";
    }

    private void printText(AttentionBackend backend, List<Group> groups) {
        out().println("backend  " + backend.name());
        out().println();
        var table = new TextTable("group", "cases", "max error", "x naive", "of allowed", "verdict", "worst case");
        for (Group group : groups) {
            Verdict worst = group.worst();
            table.row(
                    group.name(),
                    String.valueOf(group.verdicts().size()),
                    worst == null ? "-" : RunCommand.error(group.maxError()),
                    RunCommand.ratio(group.worstRatio()),
                    worst == null ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * Group.share(worst)),
                    group.summary(),
                    worst == null ? "-" : worst.checked().toString());
        }
        table.print(out());
        failures(groups).forEach(failure -> VerdictText.printFailure(out(), backend, failure));
        out().println();
        VerdictText.printSkips(out(), skipReasons(groups));
        out().println(summary(groups));
    }

    private void printJson(AttentionBackend backend, List<Group> groups) {
        var root = new JsonObject();
        root.addProperty("backend", backend.name());
        root.addProperty("quick", quick);
        root.addProperty("filter", filter);
        root.addProperty("passed", total(groups, Verdict.Status.PASS));
        root.addProperty("failed", total(groups, Verdict.Status.FAIL));
        root.addProperty("skipped", total(groups, Verdict.Status.SKIP));
        root.add("groups", JsonText.array(groups, group -> {
            Verdict worst = group.worst();
            var json = new JsonObject();
            json.addProperty("group", group.name());
            json.addProperty("cases", group.verdicts().size());
            json.addProperty("passed", group.count(Verdict.Status.PASS));
            json.addProperty("failed", group.count(Verdict.Status.FAIL));
            json.addProperty("skipped", group.count(Verdict.Status.SKIP));
            json.add("maxError", worst == null ? null : JsonText.number(group.maxError()));
            json.add("worstRatioToNaive", JsonText.number(group.worstRatio()));
            json.add("worstShareOfAllowed", worst == null ? null : JsonText.number(Group.share(worst)));
            json.add(
                    "worstCase",
                    JsonText.textOrNull(worst == null ? null : worst.checked().toString()));
            return json;
        }));
        root.add("failures", JsonText.array(failures(groups), failure -> VerdictText.failureJson(backend, failure)));
        root.add("skips", JsonText.array(skipReasons(groups).entrySet(), entry -> {
            var json = new JsonObject();
            json.addProperty("reason", entry.getKey());
            json.addProperty("cases", entry.getValue());
            return json;
        }));
        print(root);
    }
}
