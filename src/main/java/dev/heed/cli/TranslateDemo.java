package dev.heed.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.Backends;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.ScalarBackend;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.Progress;
import dev.heed.cli.console.TextTable;
import dev.heed.demo.AttentionKind;
import dev.heed.demo.DateText.Written;
import dev.heed.demo.DateTranslator;
import dev.heed.demo.DateTranslator.Size;
import dev.heed.demo.DateTranslator.Translation;
import dev.heed.demo.Score;
import dev.heed.tensor.InvalidInputException;
import dev.heed.view.HeatMap;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code heed demo translate}: trains a model that translates dates in many languages into ISO dates. */
@Command(
        name = "translate",
        description = {
            "Train an encoder-decoder with attention to turn dates as people write them in many languages into ISO dates,"
                    + " character by character, and test it on days that do not occur in training.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  heed demo translate",
            "  heed demo translate --input \"vendredi 14 juillet 1989\" --save dates.safetensors",
            "  heed demo translate --load dates.safetensors --input \"14. Juli 1989\"",
            "  heed demo translate --attention none        the bottleneck that attention removes"
        })
final class TranslateDemo extends HeedCommand {
    private static final String USUAL_INPUT = "Sunday, November 22, 2026";
    private static final int EXAMPLES = 8;
    private static final long TEST_SEED = 0x5EED;

    @Option(
            names = "--attention",
            paramLabel = "KIND",
            defaultValue = "bahdanau",
            description = "bahdanau, none, luong-dot, general, concat, location, local-p or hard; ${DEFAULT-VALUE} by"
                    + " default.")
    private String attention = "";

    @Option(
            names = "--input",
            paramLabel = "TEXT",
            defaultValue = USUAL_INPUT,
            description = "The date whose alignment is drawn; \"${DEFAULT-VALUE}\" by default.")
    private String input = "";

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "The seed of the initial parameters and the dates; the same seed gives the same bits.")
    private long seed;

    @Option(names = "--steps", paramLabel = "N", description = "The number of training steps, of 64 dates each.")
    private @Nullable Integer steps;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "2",
            description = "Threads, 1 or 2; results are bit-identical. ${DEFAULT-VALUE} by default.")
    private int threads;

    @Option(names = "--quick", description = "A small model and few steps, as a trial run.")
    private boolean quick;

    @Option(
            names = "--test",
            paramLabel = "N",
            defaultValue = "2000",
            description = "The number of unseen dates in the test; ${DEFAULT-VALUE} by default.")
    private int tests;

    @Option(
            names = "--require",
            paramLabel = "PERCENT",
            description = "Exit code 1 if less than PERCENT percent of the unseen dates are translated without error.")
    private @Nullable Double required;

    @Option(names = "--save", paramLabel = "FILE", description = "Save the parameters as safetensors.")
    private @Nullable Path save;

    @Option(names = "--load", paramLabel = "FILE", description = "Load parameters written by --save and skip training.")
    private @Nullable Path load;

    @Option(
            names = "--svg",
            paramLabel = "FILE",
            defaultValue = "alignment.svg",
            description = "The file for the picture of the alignment; ${DEFAULT-VALUE} by default.")
    private Path svg = Path.of("");

    TranslateDemo(CliEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        requireAtLeastOne("--test", tests);
        requireAtLeastOne("--threads", threads);
        AttentionKind kind = AttentionKind.of(attention)
                .orElseThrow(() -> new InvalidInputException(
                        "Unknown attention",
                        Arrays.stream(AttentionKind.values())
                                .map(AttentionKind::word)
                                .collect(Collectors.joining(", ")),
                        attention,
                        "--attention bahdanau"));
        try (AttentionBackend backend = oneThread()) {
            Size size = size();
            DateTranslator translator = load == null ? new DateTranslator(kind, size, seed) : DateTranslator.load(load);
            Translation asked =
                    translator.translate(backend, List.of(input)).getFirst(); // rejects a bad input before training
            double loss = Double.NaN;
            long start = System.nanoTime();
            if (load == null) {
                loss = train(translator, backend, size);
            }
            double seconds = (System.nanoTime() - start) * 1e-9;
            if (load == null) {
                asked = translator.translate(backend, List.of(input)).getFirst();
            }
            List<Written> unseen = translator.dates().draw(new Random(TEST_SEED), tests, true);
            Score score = translator.score(backend, unseen);
            if (save != null) {
                write("parameters", "--save", save, translator::save);
            }
            HeatMap map = picture(asked);
            if (map != null) {
                write("alignment", "--svg", svg, map::svg);
            }
            List<Written> examples = unseen.subList(0, Math.min(EXAMPLES, unseen.size()));
            List<Translation> answers = translator.translate(
                    backend, examples.stream().map(Written::text).toList());
            if (asJson()) {
                print(json(translator, score, asked, seconds, loss));
            } else {
                print(translator, backend, size, loss, seconds, score, examples, answers, asked, map);
            }
            return required != null && score.exact() * 100 < required ? FAILED : OK;
        }
    }

    private Size size() {
        Size whole = quick ? Size.QUICK : Size.FULL;
        if (steps == null) {
            return whole;
        }
        requireAtLeastOne("--steps", steps);
        return new Size(whole.hidden(), whole.batch(), steps, whole.rate());
    }

    private static void requireAtLeastOne(String option, int number) {
        if (number < 1) {
            throw new InvalidInputException(
                    option + " is out of range", "1 or more", String.valueOf(number), option + " 1");
        }
    }

    /** {@return a backend with one thread, because the shards of a batch already run in parallel} */
    private static AttentionBackend oneThread() {
        return Backends.select(
                List.of(new VectorBackend(1), new ScalarBackend(1), new ReferenceBackend()), List.of(), null);
    }

    private double train(DateTranslator translator, AttentionBackend backend, Size size) {
        try (Progress progress = progress("training", size.steps())) {
            return translator.train(backend, threads, seed, step -> progress.step());
        }
    }

    private interface Writing {
        void to(Path file) throws IOException;
    }

    private static void write(String what, String option, Path file, Writing writing) {
        try {
            writing.to(file);
        } catch (IOException e) {
            throw new CommandFailure(
                    "The " + what + " cannot be written, " + ErrorLine.file(e) + ". HINT: " + option
                            + " FILE names another place",
                    e);
        }
    }

    private @Nullable HeatMap picture(Translation asked) {
        double[][] weights = asked.weights();
        return weights == null
                ? null
                : HeatMap.of(weights)
                        .rows(characters(asked.iso()))
                        .columns(characters(input))
                        .axes("written", "read")
                        .title("Where each character of " + asked.iso() + " was read");
    }

    private static List<String> characters(String text) {
        return text.codePoints().mapToObj(Character::toString).toList();
    }

    private void print(
            DateTranslator translator,
            AttentionBackend backend,
            Size size,
            double loss,
            double seconds,
            Score score,
            List<Written> examples,
            List<Translation> answers,
            Translation asked,
            @Nullable HeatMap map) {
        out().println("dates      " + translator.dates().formatCount() + " formats of "
                + translator.dates().languageCount() + " languages, 1900 to 2099; one day in ten is held out");
        out().println("model      " + translator.kind().word() + ", " + translator.parameterCount() + " parameters, "
                + backend.name());
        if (load == null) {
            out().println("training   " + size.steps() + " steps of " + size.batch() + " dates, " + number(seconds, 1)
                    + " s, loss " + number(loss, 4) + ", seed " + seed);
        }
        out().println("exact      " + number(score.exact() * 100, 1) + " % of " + tests + " dates of unseen days");
        out().println();
        var lengths = new TextTable("characters", "dates", "exact");
        score.byLength()
                .forEach((from, counts) -> lengths.row(
                        from + "-" + (from + Score.STEP - 1),
                        String.valueOf(counts[1]),
                        number(100.0 * counts[0] / counts[1], 1) + " %"));
        lengths.print(out());
        out().println();
        var table = new TextTable("read", "written", "");
        for (int i = 0; i < examples.size(); i++) {
            boolean right = examples.get(i).iso().equals(answers.get(i).iso());
            table.row(
                    examples.get(i).text(),
                    answers.get(i).iso(),
                    right ? "" : "not " + examples.get(i).iso());
        }
        table.print(out());
        out().println();
        out().println("\"" + input + "\" -> " + asked.iso());
        if (map != null) {
            out().println();
            out().println(map.terminal(environment().colors(), environment().width()));
            out().println("drawn in " + svg);
        }
    }

    private static String number(double number, int digits) {
        return String.format(Locale.ROOT, "%." + digits + "f", number);
    }

    private JsonObject json(DateTranslator translator, Score score, Translation asked, double seconds, double loss) {
        var root = new JsonObject();
        root.addProperty("attention", translator.kind().word());
        root.addProperty("parameters", translator.parameterCount());
        root.addProperty("seconds", seconds);
        if (load == null) {
            root.addProperty("loss", loss);
        }
        root.addProperty("tests", tests);
        root.addProperty("exact", score.exact());
        var lengths = new JsonArray();
        score.byLength().forEach((from, counts) -> {
            var row = new JsonObject();
            row.addProperty("from", from);
            row.addProperty("exact", counts[0]);
            row.addProperty("dates", counts[1]);
            lengths.add(row);
        });
        root.add("byLength", lengths);
        root.addProperty("input", input);
        root.addProperty("iso", asked.iso());
        double[][] weights = asked.weights();
        if (weights != null) {
            var matrix = new JsonArray();
            for (double[] weightsOfOne : weights) {
                var row = new JsonArray();
                Arrays.stream(weightsOfOne).forEach(row::add);
                matrix.add(row);
            }
            root.add("alignment", matrix);
        }
        return root;
    }
}
