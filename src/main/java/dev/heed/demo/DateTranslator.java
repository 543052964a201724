package dev.heed.demo;

import dev.heed.AttentionBackend;
import dev.heed.demo.DateText.Written;
import dev.heed.layer.Initial;
import dev.heed.layer.Tape;
import dev.heed.storage.SafeTensors;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.training.Adam;
import dev.heed.training.Loss;
import dev.heed.training.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A trainable translator from dates in the formats of many languages to ISO dates. */
public final class DateTranslator {
    private static final int SHARDS = 2;
    private static final int ALPHABET_DRAWS = 60_000;

    /**
     * The size of the model and of its training.
     *
     * @param hidden hidden units of the encoder in each direction; the decoder has twice as many
     * @param batch number of texts per training step
     * @param steps number of training steps
     * @param rate the initial learning rate, which falls to a twentieth along half a period of a cosine
     */
    public record Size(int hidden, int batch, int steps, double rate) {
        /** The size with which 98 % of the dates excluded from training are translated correctly. */
        public static final Size FULL = new Size(48, 64, 700, 0.004);

        /** A small size that only shows that training runs. */
        public static final Size QUICK = new Size(16, 16, 20, 0.003);
    }

    /**
     * A translated date.
     *
     * @param iso the output of the translator
     * @param weights the attention weight of each input character for each output character, or null without attention
     */
    public record Translation(String iso, double @Nullable [][] weights) {}

    private final AttentionKind kind;
    private final Size size;
    private final DateText dates = new DateText();
    private final Alphabet alphabet;
    private final DateModel model;

    /** Creates an untrained translator. */
    public DateTranslator(AttentionKind kind, Size size, long seed) {
        this.kind = kind;
        this.size = size;
        this.alphabet = new Alphabet(dates.draw(new Random(0), ALPHABET_DRAWS, false).stream()
                .map(Written::text)
                .toList());
        this.model =
                DateModel.create(new Initial(new Random(seed), DType.F32), kind, alphabet.size(), 32, size.hidden());
    }

    /** {@return the source of the dates that the translator is trained with} */
    public DateText dates() {
        return dates;
    }

    /** {@return the kind of attention} */
    public AttentionKind kind() {
        return kind;
    }

    /** {@return the number of trained elements} */
    public long parameterCount() {
        return model.parameterCount();
    }

    /**
     * Trains the model.
     *
     * @param backend the backend, with one thread
     * @param threads maximum number of shards that run at the same time; the result does not depend on it
     * @param seed seed of the drawn dates
     * @param progress called after each step with the index of the step, from 0
     * @return the loss of the last step
     */
    public double train(AttentionBackend backend, int threads, long seed, LongConsumer progress) {
        var random = new Random(seed);
        var optimizer = new Adam(size.rate());
        double loss = Double.NaN;
        try (var trainer = new Trainer<>(model, optimizer, 1.0, backend, SHARDS, threads)) {
            for (int step = 0; step < size.steps(); step++) {
                double part = (double) step / size.steps();
                optimizer.setRate(size.rate() * (0.525 + 0.475 * Math.cos(Math.PI * part)));
                loss = trainer.step(shards(dates.draw(random, size.batch(), false)));
                progress.accept(step);
            }
        }
        return loss;
    }

    private List<Trainer.Shard<DateModel>> shards(List<Written> batch) {
        List<Trainer.Shard<DateModel>> shards = new ArrayList<>();
        int each = batch.size() / SHARDS;
        for (int n = 0; n < SHARDS; n++) {
            List<Written> part = batch.subList(n * each, (n + 1) * each);
            shards.add((tape, shared) -> loss(tape, shared, part, (double) batch.size() * Alphabet.OUTPUT_LENGTH));
        }
        return shards;
    }

    private double loss(Tape tape, DateModel shared, List<Written> part, double divisor) {
        List<int[]> texts =
                part.stream().map(date -> alphabet.numbers(date.text())).toList();
        int[][] targets = part.stream().map(date -> Alphabet.target(date.iso())).toArray(int[][]::new);
        DateModel.Written written = shared.write(tape, texts, targets, false);
        int[] flat = new int[targets.length * Alphabet.OUTPUT_LENGTH];
        for (int t = 0; t < Alphabet.OUTPUT_LENGTH; t++) {
            for (int b = 0; b < targets.length; b++) {
                flat[t * targets.length + b] = targets[b][t];
            }
        }
        Loss loss = Loss.crossEntropy(written.logits().tensor(), flat, null, divisor);
        tape.backward(written.logits(), loss.gradient());
        return loss.value();
    }

    /** {@return the translations of texts of 1 to 64 characters, in the given order} */
    public List<Translation> translate(AttentionBackend backend, List<String> texts) {
        List<int[]> numbers = texts.stream().map(alphabet::numbers).toList();
        for (int[] text : numbers) {
            if (text.length < 1 || text.length > DateModel.LONGEST) {
                throw new InvalidInputException(
                        "The length of the text does not fit",
                        "1 to " + DateModel.LONGEST + " characters",
                        text.length + " characters",
                        "try \"22 November 2026\"");
            }
        }
        try (var tape = new Tape(backend, DType.F32)) {
            DateModel.Written written = model.write(tape, numbers, null, true);
            List<Translation> translations = new ArrayList<>();
            for (int b = 0; b < texts.size(); b++) {
                double[][] rows = null;
                if (written.weights() != null) {
                    int length = numbers.get(b).length;
                    rows = Arrays.stream(written.weights()[b])
                            .map(row -> Arrays.copyOf(row, length))
                            .toArray(double[][]::new);
                }
                translations.add(new Translation(Alphabet.iso(written.output()[b]), rows));
            }
            return translations;
        }
    }

    /**
     * {@return the number of correct translations, by the length of the text}
     *
     * @param backend the backend that computes
     * @param asked the dates to translate
     */
    public Score score(AttentionBackend backend, List<Written> asked) {
        var score = new Score();
        int part = 100;
        for (int from = 0; from < asked.size(); from += part) {
            List<Written> some = asked.subList(from, Math.min(asked.size(), from + part));
            List<Translation> translated =
                    translate(backend, some.stream().map(Written::text).toList());
            for (int i = 0; i < some.size(); i++) {
                score.add(some.get(i), translated.get(i).iso());
            }
        }
        return score;
    }

    // ---------------------------------------------------------------- files

    /** Saves the parameters, with the kind of attention and the alphabet as metadata. */
    public void save(Path file) throws IOException {
        SafeTensors.write(file, model.parameters(), Map.of("attention", kind.word(), "alphabet", alphabet.text()));
    }

    /** {@return a translator from a file that {@link #save} wrote} */
    public static DateTranslator load(Path file) {
        if (!Files.isReadable(file)) {
            throw foreign(file, "a readable file", "none");
        }
        Map<String, Tensor> stored = new LinkedHashMap<>(SafeTensors.read(file));
        Map<String, String> notes = SafeTensors.open(file).metadata();
        AttentionKind kind = AttentionKind.of(notes.getOrDefault("attention", ""))
                .orElseThrow(() -> foreign(file, "an attention", notes.toString()));
        Tensor width = stored.get("encoder.forward.stateWeight");
        if (width == null || width.rank() != 2) {
            throw foreign(file, "encoder.forward.stateWeight", String.valueOf(width));
        }
        var size = new Size((int) width.size(0), Size.FULL.batch(), Size.FULL.steps(), Size.FULL.rate());
        var translator = new DateTranslator(kind, size, 0);
        if (!translator.alphabet.text().equals(notes.get("alphabet"))) {
            throw foreign(file, "the characters of the date formats of this Java", "others");
        }
        translator.model.parameters().forEach((name, parameter) -> {
            Tensor from = stored.remove(name);
            if (from == null || !from.hasShape(parameter.shape())) {
                throw foreign(file, name + " " + parameter, String.valueOf(from));
            }
            parameter.copyFrom(from);
        });
        if (!stored.isEmpty()) {
            throw foreign(file, "no other tensors", stored.keySet().toString());
        }
        return translator;
    }

    private static InvalidInputException foreign(Path file, String expected, String got) {
        return new InvalidInputException(
                "The file " + file + " does not hold a date translator for this Java",
                expected,
                got,
                "heed demo translate --save FILE writes one");
    }
}
