package dev.heed.cli;

import dev.heed.AttentionBackend;
import dev.heed.Backends;
import dev.heed.Problem;
import dev.heed.tensor.InvalidInputException;
import dev.heed.view.TerminalColors;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a command finds around it. Tests hand in their own.
 *
 * @param backends all backends, fastest first
 * @param environment the environment variables
 * @param outIsTerminal whether standard output goes to a terminal
 * @param errIsTerminal whether standard error does
 * @param charset the encoding of standard output
 */
record Surroundings(
        List<AttentionBackend> backends,
        Map<String, String> environment,
        boolean outIsTerminal,
        boolean errIsTerminal,
        Charset charset) {

    private static final int STDOUT = 1;
    private static final int STDERR = 2;

    static Surroundings ofThisProcess() {
        // The launcher puts a filter behind standard error and says here what is behind the filter.
        String err = System.getProperty("heed.stderr.terminal");
        return new Surroundings(
                Backends.all(),
                System.getenv(),
                isTerminal(STDOUT),
                err == null ? isTerminal(STDERR) : Boolean.parseBoolean(err),
                System.out.charset());
    }

    /** Java tells whether both standard input and output are terminals, not which; Linux names each. */
    private static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException | UnsupportedOperationException e) {
            var console = System.console();
            return console != null && console.isTerminal();
        }
    }

    /** {@return what pictures on standard output may use} */
    TerminalColors colors() {
        return TerminalColors.detect(environment, outIsTerminal, charset);
    }

    /** {@return whether help may be coloured} */
    boolean colorful() {
        TerminalColors colors = colors();
        return colors == TerminalColors.TRUE_COLOR || colors == TerminalColors.COLORS_256;
    }

    /** {@return the width of the terminal in columns as {@code COLUMNS} has it, else 100} */
    int width() {
        String columns = environment.getOrDefault("COLUMNS", "");
        return columns.matches("[1-9][0-9]{1,3}") ? Math.max(40, Integer.parseInt(columns)) : 100;
    }

    // ---------------------------------------------------------------- which backend

    /**
     * {@return the backend asked for, or the fastest that is ready}
     *
     * @param name a name, or null or "auto" for no wish
     * @throws InvalidInputException if there is no such backend
     * @throws CommandFailure if it is not ready, or none is
     */
    AttentionBackend ready(@Nullable String name) {
        return select(name, List.of(), "nothing in particular", AttentionBackend::notReadyReasons);
    }

    /** {@return the backend asked for, or the fastest that can compute all of some problems} */
    AttentionBackend select(@Nullable String name, Problem... problems) {
        return select(name, List.of(problems), "case \"" + problems[0] + "\"", backend -> {
            List<String> reasons = new ArrayList<>(backend.notReadyReasons());
            for (int i = 0; i < problems.length && reasons.isEmpty(); i++) {
                reasons.addAll(backend.notSupportedReasons(problems[i]));
            }
            return reasons;
        });
    }

    private interface Question {
        List<String> reasonsAgainst(AttentionBackend backend);
    }

    private AttentionBackend select(@Nullable String name, List<Problem> problems, String what, Question question) {
        String asked = name != null ? name : System.getProperty("heed.backend", "auto");
        List<AttentionBackend> candidates = asked.equals("auto") ? preferred(problems) : List.of(named(asked));
        List<String> answers = new ArrayList<>();
        for (AttentionBackend backend : candidates) {
            List<String> reasons = question.reasonsAgainst(backend);
            if (reasons.isEmpty()) {
                return backend;
            }
            answers.add(backend.name() + ": " + String.join("; ", reasons));
        }
        String subject = asked.equals("auto") ? "No backend can compute " : "Backend " + asked + " cannot compute ";
        throw new CommandFailure(subject + (problems.isEmpty() ? "anything here" : what) + ": "
                + (answers.isEmpty() ? "there is none" : String.join(" | ", answers))
                + ". HINT: heed devices says what is missing"
                + (asked.equals("auto") ? "" : "; without --backend another may do"));
    }

    /** All backends, those last that say they are slower here. */
    private List<AttentionBackend> preferred(List<Problem> problems) {
        List<Problem> asked = problems.isEmpty() ? List.of(Problem.parse("q1x8x512x64 kv8x512 f32")) : problems;
        List<AttentionBackend> ordered = new ArrayList<>(backends);
        ordered.sort(Comparator.comparing(backend -> asked.stream()
                .anyMatch(problem -> !backend.passOverReasons(problem).isEmpty())));
        return ordered;
    }

    private AttentionBackend named(String name) {
        for (AttentionBackend backend : backends) {
            if (backend.name().equals(name)) {
                return backend;
            }
        }
        String names = backends.stream().map(AttentionBackend::name).collect(Collectors.joining(", "));
        throw new InvalidInputException("Unknown backend", "auto or one of " + names, name, "heed devices lists them");
    }
}
