package dev.heed.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.TextTable;
import dev.heed.verify.Case;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Measures the current sizes and the candidates of a subject, in turn, each time in a separate process. */
final class TuneRounds {
    private static final String CURRENT = "current";

    /** The measurements of the current sizes or of a candidate. */
    private static final class Line {
        private final @Nullable String candidate;
        private final List<Double> seconds = new ArrayList<>(); // of each round, the geometric mean of the cases
        private List<String> bits = List.of();
        private String trouble = "";

        Line(@Nullable String candidate) {
            this.candidate = candidate;
        }

        String name() {
            return candidate == null ? CURRENT : candidate;
        }

        boolean passed() {
            return trouble.isEmpty() && !seconds.isEmpty();
        }

        double least() {
            return passed() ? Collections.min(seconds) : Double.NaN;
        }
    }

    private final TuneSubject subject;
    private final int rounds;
    private final Attempt attempt;
    private final Line current = new Line(null);
    private final List<Line> lines = new ArrayList<>(List.of(current));

    /** A separate process that tries a candidate, or the current sizes if it is null, on the cases of the subject. */
    interface Attempt {
        ForkedCommand.Answer of(@Nullable String candidate);
    }

    TuneRounds(TuneTarget target, TuneSubject subject) {
        this(subject, target.rounds(), candidate -> {
            List<String> arguments = new ArrayList<>(List.of("tune", "--backend", target.backend()));
            subject.cases().forEach(text -> arguments.addAll(List.of("--trial", text)));
            return ForkedCommand.run(target.properties(candidate), arguments);
        });
    }

    TuneRounds(TuneSubject subject, int rounds, Attempt attempt) {
        this.subject = subject;
        this.rounds = rounds;
        this.attempt = attempt;
        subject.candidates().forEach(candidate -> lines.add(new Line(candidate)));
    }

    int steps() {
        return rounds * lines.size() + (rounds > 1 ? 1 : 0);
    }

    void measure(Runnable step) {
        for (int round = 0; round < rounds; round++) {
            for (Line line : lines) {
                measure(line);
                step.run();
            }
        }
        if (rounds > 1) {
            measure(current);
            step.run();
        }
    }

    private void measure(Line line) {
        if (!line.trouble.isEmpty()) {
            return;
        }
        ForkedCommand.Answer answer = attempt.of(line.candidate);
        JsonObject json = answer.json();
        line.trouble = json == null ? answer.trouble() : json.get("message").getAsString();
        if (json != null && line.trouble.isEmpty()) {
            List<JsonElement> cases = json.getAsJsonArray("cases").asList();
            line.seconds.add(Math.exp(cases.stream()
                    .mapToDouble(
                            one -> Math.log(one.getAsJsonObject().get("seconds").getAsDouble()))
                    .average()
                    .orElseThrow()));
            line.bits = cases.stream()
                    .map(one -> one.getAsJsonObject().get("bits").getAsString())
                    .toList();
            boolean differs = current.passed() && !line.bits.equals(current.bits);
            line.trouble = differs ? "the bits of its results differ from those of the current sizes" : "";
        }
    }

    /** Tries the sizes of this process on cases. The answer is for {@link #measure(Runnable)} in the parent process. */
    static JsonObject attempt(TuneTarget target, List<String> cases) {
        var json = new JsonObject();
        var all = new JsonArray();
        json.addProperty("message", "");
        for (String text : cases) {
            TuneTarget.Tried tried = target.attempt(Case.parse(text));
            if (!tried.trouble().isEmpty()) {
                json.addProperty("message", tried.trouble());
                break;
            }
            var one = new JsonObject();
            one.addProperty("seconds", tried.seconds());
            one.addProperty("bits", Long.toHexString(tried.bits()));
            all.add(one);
        }
        json.add("cases", all);
        return json;
    }

    /** {@return whether a candidate passed the check} */
    boolean anyPassed() {
        return lines.stream().anyMatch(line -> line != current && line.passed());
    }

    /** {@return the longest time of the current sizes divided by their shortest time} */
    double spread() {
        return current.passed() ? Collections.max(current.seconds) / current.least() : Double.NaN;
    }

    /**
     * {@return the fastest candidate that passed; null if there is none} In several rounds it must be clearly faster: its longest time is
     * below every time of the current sizes, and its speedup is above their spread.
     */
    @Nullable
    String best() {
        Line best = null;
        for (Line line : lines) {
            if (line != current && line.passed() && (best == null || line.least() < best.least())) {
                best = line;
            }
        }
        boolean clear = best != null
                && (rounds == 1
                        || current.passed()
                                && Collections.max(best.seconds) < current.least()
                                && current.least() / best.least() > spread());
        return best != null && clear ? best.candidate : null;
    }

    TextTable table() {
        var table = new TextTable("tiles", "time", "speedup", "");
        for (Line line : lines) {
            table.row(
                    line.name(),
                    line.passed() ? String.format(Locale.ROOT, "%.3f ms", line.least() * 1e3) : "-",
                    line.passed() ? String.format(Locale.ROOT, "%.2f", current.least() / line.least()) : "-",
                    ErrorLine.onOneLine(line.trouble));
        }
        return table;
    }

    JsonObject json() {
        var json = new JsonObject();
        json.addProperty("title", subject.title());
        json.add("cases", JsonText.texts(subject.cases()));
        json.add("spread", JsonText.number(spread()));
        json.add("candidates", JsonText.array(lines, line -> {
            var one = new JsonObject();
            one.addProperty("tiles", line.name());
            one.add("seconds", JsonText.array(line.seconds, JsonText::number));
            one.add("speedup", JsonText.number(current.least() / line.least()));
            one.addProperty("message", line.trouble);
            return one;
        }));
        json.addProperty("best", best());
        return json;
    }
}
