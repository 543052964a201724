package dev.heed;

import dev.heed.tensor.InvalidInputException;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What an attention writes besides its output: LSE, weights, the weights of chosen rows, the largest weights of each row,
 * scores. Immutable; compared by value.
 */
public final class AttentionOutputs {
    /** The output alone. */
    public static final AttentionOutputs NONE = new AttentionOutputs(false, false, List.of(), 0, null);

    private final boolean lse;
    private final boolean weights;
    private final List<Long> rows;
    private final int topK;
    private final @Nullable ScoreStage scores;

    private AttentionOutputs(boolean lse, boolean weights, List<Long> rows, int topK, @Nullable ScoreStage scores) {
        if (topK < 0) {
            throw new InvalidInputException(
                    "A number of weights is not negative", "topK >= 0", String.valueOf(topK), "withTopK(8)");
        }
        this.lse = lse;
        this.weights = weights;
        this.rows = List.copyOf(rows);
        this.topK = topK;
        this.scores = scores;
    }

    /** {@return whether the log-sum-exp of every row is written} */
    public boolean lse() {
        return lse;
    }

    /** {@return whether all weights are written: O(seqLenQ * seqLenKv) memory} */
    public boolean weights() {
        return weights;
    }

    /** {@return the query rows whose weights are written, in this order; empty for none} */
    public List<Long> rows() {
        return rows;
    }

    /** {@return how many of the largest weights of every row are written, with their keys; 0 for none} */
    public int topK() {
        return topK;
    }

    /** {@return at which stage the scores are written, or null for not at all: O(seqLenQ * seqLenKv) memory} */
    public @Nullable ScoreStage scores() {
        return scores;
    }

    /** {@return these outputs with the LSE or without} */
    public AttentionOutputs withLse(boolean wanted) {
        return new AttentionOutputs(wanted, weights, rows, topK, scores);
    }

    /** {@return these outputs with all weights or without} */
    public AttentionOutputs withWeights(boolean wanted) {
        return new AttentionOutputs(lse, wanted, rows, topK, scores);
    }

    /** {@return these outputs with the weights of the given query rows} */
    public AttentionOutputs withRows(long... rows) {
        return new AttentionOutputs(lse, weights, LongStream.of(rows).boxed().toList(), topK, scores);
    }

    /** {@return these outputs with the largest weights of every row} */
    public AttentionOutputs withTopK(int topK) {
        return new AttentionOutputs(lse, weights, rows, topK, scores);
    }

    /** {@return these outputs with the scores at a stage, or null for none} */
    public AttentionOutputs withScores(@Nullable ScoreStage stage) {
        return new AttentionOutputs(lse, weights, rows, topK, stage);
    }

    /** {@return whether any weights are written: all, those of some rows, or the largest} */
    public boolean anyWeights() {
        return weights || !rows.isEmpty() || topK > 0;
    }

    /**
     * {@return whether nothing is written but the output and the LSE} A fused kernel has both at its end; for everything else it
     * must go through the keys a second time.
     */
    public boolean onlyOutputAndLse() {
        return !anyWeights() && scores == null;
    }

    /** {@return the same outputs with the first rows in place of the chosen ones; a problem stores only how many rows there are} */
    AttentionOutputs withoutRowNumbers() {
        return withRows(LongStream.range(0, rows.size()).toArray());
    }

    private Values values() {
        return Values.of("lse", lse, "weights", weights, "rows", rows, "topK", topK, "scores", scores);
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
