package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.TextTable;
import dev.heed.verify.RandomCases;
import dev.heed.verify.RandomVerifier;
import dev.heed.verify.Verdict;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One run of {@code heed verify --random}: the cases, their report, and the floor, which is the number of cases per minute below
 * which the run fails because it checked too little.
 */
final class RandomRun {
    /** Cases per minute that each backend exceeds on two cores of a busy machine. */
    private static final Map<String, Integer> FLOORS =
            Map.of("vector", 1500, "scalar", 1500, "opencl", 150, "reference", 1000);

    /** Variants of kernels that a device compiles in one run. */
    private static final int VARIANTS = 12;

    private final AttentionBackend backend;
    private final long seed;
    private final double minutes;
    private final RandomVerifier.Report report;

    /** Runs random cases. */
    RandomRun(AttentionBackend backend, long seed, double minutes) {
        this.backend = backend;
        this.seed = seed;
        this.minutes = minutes;
        RandomCases cases =
                backend.name().equals("opencl") ? RandomCases.ofVariants(seed, VARIANTS) : RandomCases.of(seed);
        this.report = new RandomVerifier(backend, cases).run(Duration.ofMillis(Math.round(60_000 * minutes)));
    }

    private long floor() {
        return Math.round(minutes * FLOORS.getOrDefault(backend.name(), 1));
    }

    private boolean tooFew() {
        return report.first() == null && report.passed() < floor();
    }

    boolean passed() {
        return report.first() == null && !tooFew();
    }

    void print(PrintWriter out) {
        out.println("backend  " + backend.name());
        out.println("seed     " + seed);
        out.println();
        var table = new TextTable("word", "cases");
        report.kinds().forEach((word, count) -> table.row(word, String.valueOf(count)));
        table.print(out);
        if (report.first() != null && report.smallest() != null) {
            VerdictText.printFailure(out, backend, report.smallest());
            out.println("found as " + report.first().checked());
        }
        out.println();
        VerdictText.printSkips(out, report.skips());
        out.println(String.format(
                Locale.ROOT,
                "%d passed, %d failed, %d skipped in %.3g min; at least %d must pass%s",
                report.passed(),
                report.first() == null ? 0 : 1,
                skipped(),
                minutes,
                floor(),
                tooFew() ? ": TOO FEW" : ""));
    }

    private int skipped() {
        return report.skips().values().stream().mapToInt(Integer::intValue).sum();
    }

    JsonObject json() {
        var root = new JsonObject();
        root.addProperty("backend", backend.name());
        root.addProperty("seed", seed);
        root.addProperty("minutes", minutes);
        root.addProperty("passed", report.passed());
        root.addProperty("failed", report.first() == null ? 0 : 1);
        root.addProperty("skipped", skipped());
        root.addProperty("floor", floor());
        root.add("failure", failure(report.smallest()));
        root.add("foundAs", failure(report.first()));
        root.add("words", JsonText.array(report.kinds().entrySet(), entry -> {
            var json = new JsonObject();
            json.addProperty("word", entry.getKey());
            json.addProperty("cases", entry.getValue());
            return json;
        }));
        return root;
    }

    private @Nullable JsonObject failure(@Nullable Verdict verdict) {
        return verdict == null ? null : VerdictText.failureJson(backend, verdict);
    }
}
