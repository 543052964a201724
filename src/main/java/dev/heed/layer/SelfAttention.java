package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.ScoreStage;
import dev.heed.layer.Products.Attended;
import dev.heed.layer.Products.Viewed;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A layer of self-attention with one head: {@code softmax(X W_q (X W_k)' / sqrt(d)) X W_v} (Vaswani et al. 2017, equation
 * 1, on projections of one sequence).
 *
 * @param queryWeight {@code W_q}, {@code [embed, d]}
 * @param keyWeight {@code W_k}, {@code [embed, d]}
 * @param valueWeight {@code W_v}, {@code [embed, width]}
 */
public record SelfAttention(Tensor queryWeight, Tensor keyWeight, Tensor valueWeight) implements Layer<SelfAttention> {
    /**
     * The intermediate results from {@code X} to the output.
     *
     * @param query {@code Q = X W_q}, {@code [batch, sequence, d]}
     * @param key {@code K = X W_k}, {@code [batch, sequence, d]}
     * @param value {@code V = X W_v}, {@code [batch, sequence, width]}
     * @param scores {@code Q K' / sqrt(d)}, {@code [batch, sequence, sequence]}, or null if not requested
     * @param weights the softmax of each row of the scores, or null if not requested
     * @param output the weighted sums of the values, {@code [batch, sequence, width]}
     */
    public record Steps(
            Value query,
            Value key,
            Value value,
            @Nullable Tensor scores,
            @Nullable Tensor weights,
            Value output) {}

    /** {@return a layer with Glorot-initialised projections} */
    public static SelfAttention create(Initial initial, long embed, long d, long width) {
        return new SelfAttention(initial.glorot(embed, d), initial.glorot(embed, d), initial.glorot(embed, width));
    }

    @Override
    public SelfAttention map(Change change) {
        return new SelfAttention(
                change.apply("queryWeight", queryWeight),
                change.apply("keyWeight", keyWeight),
                change.apply("valueWeight", valueWeight));
    }

    /**
     * {@return the output only; memory use grows linearly with the sequence length, unless the options request weights
     * or scores}
     */
    public Value forward(Tape tape, Value x, AttentionOptions options) {
        return run(tape, x, options).output();
    }

    /** {@return the output and all intermediate results, including scores and weights} */
    public Steps steps(Tape tape, Value x, AttentionOptions options) {
        return run(tape, x, options.withWeights().withScores(ScoreStage.SCORE));
    }

    private Steps run(Tape tape, Value x, AttentionOptions options) {
        Value q = tape.linear(x, tape.parameter(queryWeight), null, Activation.IDENTITY);
        Value k = tape.linear(x, tape.parameter(keyWeight), null, Activation.IDENTITY);
        Value v = tape.linear(x, tape.parameter(valueWeight), null, Activation.IDENTITY);
        Attended attended = Products.attention(tape, Viewed.oneHead(q), Viewed.oneHead(k), Viewed.oneHead(v), options);
        AttentionResult result = attended.result();
        Value output = tape.reshape(attended.output(), v.shape());
        return new Steps(q, k, v, oneHead(result.scores()), oneHead(result.weights()), output);
    }

    static @Nullable Tensor oneHead(@Nullable Tensor heads) {
        return heads == null ? null : heads.select(1, 0);
    }
}
