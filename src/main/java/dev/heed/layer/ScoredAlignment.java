package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.layer.Products.Attended;
import dev.heed.layer.Products.Viewed;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Soft attention for a decoder, with any score function: {@code c = sum_j softmax_j(score(query, h_j)) h_j} (Bahdanau
 * et al. 2015, equations 5 and 6; Luong et al. 2015, section 3.1). Terms of the score that depend only on the memory,
 * such as the projected keys of the additive score, are computed once per memory and not at every step.
 *
 * @param score the score function, with one head; all batch entries share its parameters
 */
public record ScoredAlignment(ScoreFunction score) implements Alignment {
    /**
     * Maximum number of elements of the projected keys, {@code [sequence, batch, hidden]}, for which a step with
     * additive scores runs in Java loops.
     */
    private static final int FEW = 1 << 20;

    @Override
    public ScoredAlignment map(Layer.Change change) {
        Iterator<String> names = score.parameters().keySet().iterator();
        return new ScoredAlignment(score.map(parameter -> change.apply(names.next(), parameter)));
    }

    @Override
    public Memory remember(Tape tape, Value memory, Value last, int[] lengths) {
        Bidirectional.requireLengths(lengths, (int) memory.size(0), (int) memory.size(1));
        AttentionOptions options = AttentionOptions.DEFAULT
                .withMask(Mask.keyLengths(Arrays.stream(lengths).asLongStream().toArray()))
                .withWeights();
        Viewed values = Viewed.timeMajor(memory);
        return switch (score) {
            case ScoreFunction.Additive(Tensor queryWeight, Tensor keyWeight, Tensor bias, Tensor vector) -> {
                Value keys = keyWeight == null ? memory : linear(tape, memory, tape.parameter(keyWeight));
                Value v = tape.parameter(vector);
                yield query -> additive(
                        tape,
                        queryWeight == null ? query : linear(tape, query, tape.parameter(queryWeight), bias),
                        keys,
                        memory,
                        v,
                        vector,
                        lengths,
                        options);
            }
            case ScoreFunction.Concat(Tensor weight, Tensor vector) -> {
                Value whole = tape.parameter(weight);
                int width = (int) (weight.size(0) - memory.width());
                Value above = RowOperations.band(tape, whole, 0, width);
                Value keys = linear(tape, memory, RowOperations.band(tape, whole, width, (int) weight.size(0)));
                Value v = tape.parameter(vector);
                yield query -> additive(tape, linear(tape, query, above), keys, memory, v, vector, lengths, options);
            }
            case ScoreFunction.General(Tensor weight) ->
                query -> context(Products.attention(
                        tape,
                        Viewed.oneRow(linear(tape, query, tape.parameter(weight))),
                        values,
                        values,
                        options.withScore(ScoreFunction.dot())));
            case ScoreFunction.Location(Tensor weight) -> {
                long longest = memory.size(0);
                if (weight.size(1) < longest) {
                    throw new InvalidInputException(
                            "The memory has more positions than the location-based score function",
                            "at most " + weight.size(1) + " positions",
                            String.valueOf(longest),
                            "ScoreFunction.location with a wider matrix");
                }
                // the columns of W are the keys of every batch entry
                Viewed keys = new Viewed(
                        tape.parameter(weight),
                        w -> w.slice(1, 0, longest)
                                .transpose(0, 1)
                                .unsqueeze(0)
                                .unsqueeze(0)
                                .expand(memory.size(1), 1, longest, w.size(0)));
                yield query -> context(Products.attention(
                        tape, Viewed.oneRow(query), keys, values, options.withScore(ScoreFunction.dot())));
            }
            default ->
                query -> context(
                        Products.attention(tape, Viewed.oneRow(query), values, values, options.withScore(score)));
        };
    }

    private static Value linear(Tape tape, Value x, Value weight) {
        return tape.linear(x, weight, null, Activation.IDENTITY);
    }

    private static Value linear(Tape tape, Value x, Value weight, @Nullable Tensor bias) {
        return tape.linear(x, weight, tape.parameterOrNull(bias), Activation.IDENTITY);
    }

    /**
     * Computes one step with additive scores. A small step runs in Java loops, because running a plan at every step
     * took half the processor time of a training run. A larger step runs on the backend if the backend supports the
     * score function, else in Java loops.
     */
    private static Aligned additive(
            Tape tape,
            Value query,
            Value keys,
            Value memory,
            Value v,
            Tensor vector,
            int[] lengths,
            AttentionOptions options) {
        if (keys.data().count() <= FEW) {
            return AdditiveStep.align(tape, query, keys, memory, v, lengths);
        }
        AttentionOptions scored = options.withScore(ScoreFunction.additive(vector));
        Viewed q = Viewed.oneRow(query);
        Viewed k = Viewed.timeMajor(keys);
        Viewed h = Viewed.timeMajor(memory);
        var inputs = AttentionInputs.of(q.tensor(), k.tensor(), h.tensor(), scored);
        return tape.supports(inputs.problem())
                ? context(Products.attention(tape, q, k, h, scored))
                : AdditiveStep.align(tape, query, keys, memory, v, lengths);
    }

    private static Aligned context(Attended attended) {
        Value output = attended.output();
        Tensor weights = Objects.requireNonNull(attended.result().weights());
        long batch = output.size(0);
        return new Aligned(
                output.tape().reshape(output, batch, output.size(-1)), weights.reshape(batch, weights.size(-1)));
    }
}
