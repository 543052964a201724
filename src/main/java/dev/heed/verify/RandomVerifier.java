package dev.heed.verify;

import dev.heed.AttentionBackend;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A check of one backend on random cases for a given time. It stops at the first case that fails and searches for a small case
 * that fails too.
 */
public final class RandomVerifier {
    /** Maximum number of cases that are checked to make a failing case smaller. */
    private static final int TRIES = 400;

    /** Number of nearby inputs on which the naive implementation is measured. */
    private static final int NEARBY = 8;

    /** Errors below this are weights that underflow to 0, or to the smallest normal number, times values. */
    private static final double UNDERFLOW = 0x1p-100;

    /** Errors may be this many times the largest naive error of nearby inputs. */
    private static final double FACTOR = 8;

    private final AttentionBackend backend;
    private final RandomCases cases;
    private final Map<String, Integer> kinds = new TreeMap<>();
    private final Map<String, Integer> skips = new TreeMap<>();
    private int passed;

    /** Creates a verifier that draws cases from a source. */
    public RandomVerifier(AttentionBackend backend, RandomCases cases) {
        this.backend = backend;
        this.cases = cases;
    }

    /**
     * The result of a run.
     *
     * @param passed the number of cases that passed
     * @param kinds the number of cases that passed, by the words of their case strings
     * @param skips the number of cases that the backend does not support, by reason
     * @param first the first case that failed, or null
     * @param smallest a small case that fails, found from the first, or null
     */
    public record Report(
            int passed,
            Map<String, Integer> kinds,
            Map<String, Integer> skips,
            @Nullable Verdict first,
            @Nullable Verdict smallest) {}

    /** Checks random cases for the given time, or until one fails. */
    public Report run(Duration time) {
        var verifier = new Verifier(backend);
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            Verdict verdict = check(verifier, cases.next());
            switch (verdict.status()) {
                case PASS -> {
                    passed++;
                    count(verdict.checked());
                }
                case SKIP -> skips.merge(verdict.message(), 1, Integer::sum);
                case FAIL -> {
                    Case smallest = Shrinking.smallest(
                            verdict.checked(), smaller -> failsAlike(verdict, check(verifier, smaller)), TRIES);
                    return new Report(passed, kinds, skips, verdict, check(verifier, smallest));
                }
            }
        }
        return new Report(passed, kinds, skips, null, null);
    }

    /**
     * {@return the verdict, which is PASS if each error beyond its limit is also an error of the naive implementation on nearby
     * inputs} The limits of {@link ErrorBudget} are made for the grid's fixed cases. In a random case with few rows the naive error
     * can be small or 0 by chance, or because the sum of a gradient cancels. The largest of several naive errors is a fair limit.
     */
    private static Verdict check(Verifier verifier, Case checked) {
        Verdict verdict = verifier.check(checked);
        if (verdict.status() != Verdict.Status.FAIL || !onlyMeasuresFail(verdict)) {
            return verdict;
        }
        List<Measure> measures = verdict.measures();
        double[] noise = new double[measures.size()];
        // Roundings of the inputs cancel in gradients, in the textbook formula by chance exactly.
        double largest = checked.backward() ? 4 * Math.max(1, checked.values().spread) : 0;
        for (int n = 1; n <= NEARBY; n++) {
            List<Measure> nearby = Verifier.naiveNear(checked, n);
            for (int i = 0; i < Math.min(noise.length, nearby.size()); i++) {
                noise[i] = Math.max(noise[i], nearby.get(i).naiveError());
                largest = Math.max(
                        largest,
                        Math.max(
                                Math.abs(finite(measures.get(i).expected())),
                                Math.abs(finite(nearby.get(i).expected()))));
            }
        }
        double unit = ErrorBudget.rounding(checked.problem().type().accumulator());
        for (int i = 0; i < noise.length; i++) {
            Measure m = measures.get(i);
            if (!(m.maxError() <= m.allowed() + FACTOR * (noise[i] + 4 * unit * largest) + UNDERFLOW)) {
                return verdict;
            }
        }
        return new Verdict(checked, Verdict.Status.PASS, measures, "", verdict.nanos(), verdict.medianNanos());
    }

    private static double finite(double x) {
        return Double.isFinite(x) ? x : 0;
    }

    private static boolean onlyMeasuresFail(Verdict verdict) {
        List<String> failing = verdict.measures().stream()
                .filter(m -> !m.passed())
                .map(Measure::toString)
                .toList();
        return verdict.message().equals(String.join("; ", failing));
    }

    /** {@return whether a smaller case fails in the same tensor, or with the same exception, as the first} */
    private static boolean failsAlike(Verdict first, Verdict smaller) {
        return smaller.status() == Verdict.Status.FAIL && fault(smaller).equals(fault(first));
    }

    private static String fault(Verdict verdict) {
        return verdict.message().replaceFirst("(?s)[:.] .*", "");
    }

    private void count(Case checked) {
        for (String word : checked.toString().split(" ", -1)) {
            kinds.merge(kind(word), 1, Integer::sum);
        }
    }

    /** {@return a word of a case string without its numbers, for example {@code score=additive}, or {@code bias}} */
    private static String kind(String word) {
        if (word.matches("mask=.*[&|].*")) {
            return "mask=joined";
        }
        if (word.startsWith("kv=") || word.matches("(?:f|bf|tf)\\d+")) {
            return word;
        }
        return word.matches("(?:score|mask|layout|values)=.*")
                ? word.replaceFirst("(?<=[a-z])[:,\\d].*", "")
                : word.replaceFirst("[=:\\d].*", "");
    }
}
