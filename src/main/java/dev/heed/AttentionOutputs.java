package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The optional outputs of an attention: LSE (the log-sum-exp of each row's scores), all weights, the weights of chosen rows,
 * the largest weights of each row, and scores; and whether the output is a partial result. Immutable and compared by value.
 */
public final class AttentionOutputs {
    /** No optional outputs. */
    public static final AttentionOutputs NONE = new AttentionOutputs(false, false, List.of(), 0, null, null);

    private final boolean lse;
    private final boolean weights;
    private final List<Long> rows;
    private final int topK;
    private final @Nullable ScoreStage scores;
    private final @Nullable DType partial;

    private AttentionOutputs(
            boolean lse,
            boolean weights,
            List<Long> rows,
            int topK,
            @Nullable ScoreStage scores,
            @Nullable DType partial) {
        if (topK < 0) {
            throw new InvalidInputException(
                    "The number of largest weights is negative", "topK >= 0", String.valueOf(topK), "withTopK(8)");
        }
        if (partial != null && partial != DType.F32 && partial != DType.F64) {
            throw new InvalidInputException(
                    "A partial result cannot have this type", "f32 or f64", partial.label(), "withPartial(DType.F64)");
        }
        this.lse = lse;
        this.weights = weights;
        this.rows = List.copyOf(rows);
        this.topK = topK;
        this.scores = scores;
        this.partial = partial;
    }

    /** {@return whether the log-sum-exp of every row is written} */
    public boolean lse() {
        return lse;
    }

    /** {@return whether all weights are written, which needs O(seqLenQ * seqLenKv) memory per head} */
    public boolean weights() {
        return weights;
    }

    /** {@return the query rows whose weights are written, in this order; empty for none} */
    public List<Long> rows() {
        return rows;
    }

    /** {@return the number of largest weights written per row, with their keys; 0 for none} */
    public int topK() {
        return topK;
    }

    /**
     * {@return the stage at which the scores are written, or null if they are not} The scores need O(seqLenQ * seqLenKv)
     * memory per head.
     */
    public @Nullable ScoreStage scores() {
        return scores;
    }

    /**
     * {@return the least type of a partial result, f32 or f64, or null if the output has the type of the query} See
     * {@link AttentionOptions#withPartial(DType)}.
     */
    public @Nullable DType partial() {
        return partial;
    }

    /** {@return these outputs with or without the LSE} */
    public AttentionOutputs withLse(boolean wanted) {
        return new AttentionOutputs(wanted, weights, rows, topK, scores, partial);
    }

    /** {@return these outputs with or without all weights} */
    public AttentionOutputs withWeights(boolean wanted) {
        return new AttentionOutputs(lse, wanted, rows, topK, scores, partial);
    }

    /** {@return these outputs with the weights of the given query rows} */
    public AttentionOutputs withRows(long... rows) {
        InvalidInputException.requirePresent("list of rows", rows, "withRows(0, 5)");
        return new AttentionOutputs(lse, weights, LongStream.of(rows).boxed().toList(), topK, scores, partial);
    }

    /** {@return these outputs with the {@code topK} largest weights of every row} */
    public AttentionOutputs withTopK(int topK) {
        return new AttentionOutputs(lse, weights, rows, topK, scores, partial);
    }

    /** {@return these outputs with the scores at a stage; null for none} */
    public AttentionOutputs withScores(@Nullable ScoreStage stage) {
        return new AttentionOutputs(lse, weights, rows, topK, stage, partial);
    }

    /**
     * {@return these outputs with the output as a partial result, see {@link AttentionOptions#withPartial(DType)}; null for
     * an output in the type of the query}
     */
    public AttentionOutputs withPartial(@Nullable DType type) {
        return new AttentionOutputs(lse, weights, rows, topK, scores, type);
    }

    /** {@return whether any weights are written: all weights, the weights of chosen rows, or the largest weights} */
    public boolean anyWeights() {
        return weights || !rows.isEmpty() || topK > 0;
    }

    /**
     * {@return whether only the output and possibly the LSE are written} A fused kernel computes both in one pass over the
     * keys; every other optional output needs a second pass.
     */
    public boolean onlyOutputAndLse() {
        return !anyWeights() && scores == null;
    }

    /**
     * {@return the same outputs with rows 0, 1, ... instead of the chosen rows} A problem stores these outputs, because it
     * contains the number of chosen rows and not their indices.
     */
    AttentionOutputs withoutRowNumbers() {
        return withRows(LongStream.range(0, rows.size()).toArray());
    }

    private Values values() {
        return Values.of(
                "lse", lse, "weights", weights, "rows", rows, "topK", topK, "scores", scores, "partial", partial);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AttentionOutputs outputs && values().equals(outputs.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().in(AttentionOutputs.class);
    }
}
