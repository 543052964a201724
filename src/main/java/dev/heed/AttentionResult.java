package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tensors to which an attention writes: the output and the requested optional outputs. Outputs that are not requested
 * are null. LSE, row maxima, row sums, weights and scores have the {@linkplain DType#accumulator accumulator type} of the
 * output's type: f64 for f64, else f32. Immutable and compared by value, except that tensors are compared by identity.
 */
public final class AttentionResult {
    /** The largest rounding error of a maximum that the sum can absorb: {@code e^64} times any sum is a finite f32. */
    private static final double MOST_ROUNDING = 64;

    private static final long MERGED = Long.MAX_VALUE;

    private final Tensor output;
    private final @Nullable Tensor lse;
    private final @Nullable Tensor rowMax;
    private final @Nullable Tensor rowSum;
    private final @Nullable Tensor weights;
    private final @Nullable Tensor rowWeights;
    private final @Nullable Tensor topKWeights;
    private final @Nullable Tensor topKIndices;
    private final @Nullable Tensor scores;

    /** The number of keys that the rows attend to; 0 if it is not known, {@link #MERGED} for a merged result. */
    private final long keys;

    private AttentionResult(
            Tensor output,
            @Nullable Tensor lse,
            @Nullable Tensor rowMax,
            @Nullable Tensor rowSum,
            @Nullable Tensor weights,
            @Nullable Tensor rowWeights,
            @Nullable Tensor topKWeights,
            @Nullable Tensor topKIndices,
            @Nullable Tensor scores,
            long keys) {
        this.keys = keys;
        this.output = InputCheck.target("output", output);
        this.lse = lse;
        this.rowMax = rowMax;
        this.rowSum = rowSum;
        this.weights = weights;
        this.rowWeights = rowWeights;
        this.topKWeights = topKWeights;
        this.topKIndices = topKIndices;
        this.scores = scores;
    }

    /** {@return a result with this tensor for the output and no optional outputs} */
    public static AttentionResult into(Tensor output) {
        return new AttentionResult(output, null, null, null, null, null, null, null, null, 0);
    }

    /** {@return this result with another tensor for the output} */
    public AttentionResult withOutput(Tensor tensor) {
        return new AttentionResult(
                tensor, lse, rowMax, rowSum, weights, rowWeights, topKWeights, topKIndices, scores, keys);
    }

    /** {@return this result with a tensor for the LSE; null for none} */
    public AttentionResult withLse(@Nullable Tensor tensor) {
        return new AttentionResult(
                output, tensor, rowMax, rowSum, weights, rowWeights, topKWeights, topKIndices, scores, keys);
    }

    /** {@return this result with tensors for the row maxima and the row sums; null in both for none} */
    public AttentionResult withRowStatistics(@Nullable Tensor maxima, @Nullable Tensor sums) {
        return new AttentionResult(
                output, lse, maxima, sums, weights, rowWeights, topKWeights, topKIndices, scores, keys);
    }

    /**
     * {@return this result, marked as the result of more keys than the inputs of the backward calls to which it is passed} Such a
     * call computes the gradients of its inputs in the attention over all keys, see {@link AttentionPlan#backward}. Merged
     * results are marked. A result of {@link #allocate} needs no mark: it has the number of keys of its problem. So the mark is
     * for tensors that the caller has put together with {@link #into}.
     */
    public AttentionResult asMerged() {
        return new AttentionResult(
                output, lse, rowMax, rowSum, weights, rowWeights, topKWeights, topKIndices, scores, MERGED);
    }

    /** {@return whether this result is marked as the result of more keys, see {@link #asMerged}} */
    public boolean isMerged() {
        return keys == MERGED;
    }

    /** {@return whether this result belongs to more keys than a call with {@code seqLenKv} keys has} */
    boolean hasMoreKeysThan(long seqLenKv) {
        return keys > seqLenKv;
    }

    /** {@return this result with a tensor for all weights; null for none} */
    public AttentionResult withWeights(@Nullable Tensor tensor) {
        return new AttentionResult(
                output, lse, rowMax, rowSum, tensor, rowWeights, topKWeights, topKIndices, scores, keys);
    }

    /** {@return this result with a tensor for the weights of chosen rows; null for none} */
    public AttentionResult withRowWeights(@Nullable Tensor tensor) {
        return new AttentionResult(
                output, lse, rowMax, rowSum, weights, tensor, topKWeights, topKIndices, scores, keys);
    }

    /** {@return this result with tensors for the largest weights and their keys; null in both for none} */
    public AttentionResult withTopK(@Nullable Tensor largest, @Nullable Tensor indices) {
        return new AttentionResult(output, lse, rowMax, rowSum, weights, rowWeights, largest, indices, scores, keys);
    }

    /** {@return this result with a tensor for the scores; null for none} */
    public AttentionResult withScores(@Nullable Tensor tensor) {
        return new AttentionResult(
                output, lse, rowMax, rowSum, weights, rowWeights, topKWeights, topKIndices, tensor, keys);
    }

    /**
     * {@return the output, {@code [batch, numHeads, seqLenQ, valueHeadDim]} in {@link AttentionProblem#outputType}; all elements
     * of a row without attended keys are 0}
     */
    public Tensor output() {
        return output;
    }

    /**
     * {@return the LSE as a natural logarithm, sink included, {@code [batch, numHeads, seqLenQ]}, or null} It is minus
     * infinity for a row without attended keys and without a sink. It is {@code rowMax + ln(rowSum)}.
     */
    public @Nullable Tensor lse() {
        return lse;
    }

    /**
     * {@return the maximum m of the modified scores of each row, sink included, {@code [batch, numHeads, seqLenQ]}, or null if
     * there is no tensor for it} It is minus infinity for a row without attended keys and without a sink.
     *
     * <p>The pair of m and {@link #rowSum} has the digits that the LSE loses where scores are large: in f32, an LSE near
     * 1e6 is a multiple of 1/16. {@link Attention#merge}, the backward pass with {@linkplain #asMerged results of more keys} and
     * the log-probabilities of {@code HardAttention} use the pair.
     */
    public @Nullable Tensor rowMax() {
        return rowMax;
    }

    /**
     * {@return the sum of {@code e^(s - m)} over the modified scores s of each row, sink included, where m is
     * {@link #rowMax}; {@code [batch, numHeads, seqLenQ]}, or null if there is no tensor for it} It is 0 for a row without attended
     * keys and without a sink. If the maximum is rounded, the sum belongs to the rounded maximum.
     */
    public @Nullable Tensor rowSum() {
        return rowSum;
    }

    /**
     * Writes the LSE, the row maximum and the row sum of a row, if there are tensors for them; for backends. If the maximum is
     * rounded, the sum is adjusted to the rounded maximum.
     *
     * @param max the maximum of the modified scores, sink included; ignored if the sum is 0
     * @param sum the sum of {@code e^(score - max)}; 0 for a row without attended keys and without a sink
     */
    public void setRowStatistics(double max, double sum, long batch, long head, long query) {
        if (lse != null) {
            lse.set(sum == 0 ? Double.NEGATIVE_INFINITY : max + Math.log(sum), batch, head, query);
        }
        if (rowMax != null && rowSum != null) {
            double stored = sum == 0 ? Double.NEGATIVE_INFINITY : rowMax.type() == DType.F32 ? (float) max : max;
            double rounded = max - stored;
            rowMax.set(stored, batch, head, query);
            rowSum.set(Math.abs(rounded) < MOST_ROUNDING ? sum * Math.exp(rounded) : sum, batch, head, query);
        }
    }

    /**
     * {@return the weights before dropout, {@code [batch, numHeads, seqLenQ, seqLenKv]}, or null} Each row sums to 1 minus
     * the weight of the sink; a row without attended keys is 0.
     */
    public @Nullable Tensor weights() {
        return weights;
    }

    /** {@return the weights of the chosen rows, {@code [batch, numHeads, rows, seqLenKv]}, or null} */
    public @Nullable Tensor rowWeights() {
        return rowWeights;
    }

    /** {@return the largest weights of each row, {@code [batch, numHeads, seqLenQ, topK]}, largest first, or null} */
    public @Nullable Tensor topKWeights() {
        return topKWeights;
    }

    /**
     * {@return the keys of the largest weights, i64 {@code [batch, numHeads, seqLenQ, topK]}, or null} Among equal weights
     * the lower key comes first. If fewer than {@code topK} keys are attended, the remaining indices are -1 and the remaining
     * weights 0.
     */
    public @Nullable Tensor topKIndices() {
        return topKIndices;
    }

    /**
     * {@return the scores at the chosen stage, {@code [batch, numHeads, seqLenQ, seqLenKv]}, or null}
     * {@link ScoreStage#MODIFIED} scores of masked keys are minus infinity. Scores of earlier stages are written for every
     * key, masked or not.
     */
    public @Nullable Tensor scores() {
        return scores;
    }

    /** A factory for the tensors of a result. */
    public interface Allocator {
        /** {@return a tensor of this type and shape to write to} */
        Tensor allocate(DType type, long... shape);
    }

    /**
     * {@return a result with zero-filled tensors for all outputs that the problem requests} A tensor is on the Java heap if it
     * fits there.
     */
    public static AttentionResult allocate(AttentionProblem problem) {
        return allocate(problem, Tensor::zeros);
    }

    /** {@return a result with tensors made by the allocator for all outputs that the problem requests} */
    public static AttentionResult allocate(AttentionProblem problem, Allocator allocator) {
        return allocate(problem, outputShape(problem), allocator);
    }

    /** {@return a result with zero-filled tensors in native memory, which is valid until the arena is closed} */
    public static AttentionResult allocate(AttentionProblem problem, Arena arena) {
        return allocate(problem, (type, shape) -> Tensor.allocate(arena, type, shape));
    }

    /** {@return a result for multi-head attention: the output is {@code [batch, seqLenQ, embedOut]}} */
    public static AttentionResult allocate(MultiHeadProblem problem) {
        return allocate(problem, Tensor::zeros);
    }

    /** {@return a result for multi-head attention, with tensors made by the allocator} */
    public static AttentionResult allocate(MultiHeadProblem problem, Allocator allocator) {
        return allocate(problem.attention(), problem.outputShape(), allocator);
    }

    private static long[] outputShape(AttentionProblem problem) {
        AttentionShape s = problem.shape();
        return new long[] {s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim()};
    }

    private static AttentionResult allocate(AttentionProblem p, long[] outputShape, Allocator allocator) {
        AttentionShape s = p.shape();
        DType statistics = p.outputType().accumulator();
        long b = s.batch();
        long h = s.numHeads();
        long q = s.seqLenQ();
        long k = s.seqLenKv();
        return new AttentionResult(
                allocator.allocate(p.outputType(), outputShape),
                p.lse() ? allocator.allocate(statistics, b, h, q) : null,
                p.lse() ? allocator.allocate(statistics, b, h, q) : null,
                p.lse() ? allocator.allocate(statistics, b, h, q) : null,
                p.weights() ? allocator.allocate(statistics, b, h, q, k) : null,
                p.rows() > 0 ? allocator.allocate(statistics, b, h, p.rows(), k) : null,
                p.topK() > 0 ? allocator.allocate(statistics, b, h, q, p.topK()) : null,
                p.topK() > 0 ? allocator.allocate(DType.I64, b, h, q, p.topK()) : null,
                p.scores() != null ? allocator.allocate(statistics, b, h, q, k) : null,
                k);
    }

    /** {@return whether only the output and possibly the LSE are written} */
    public boolean onlyOutputAndLse() {
        return weights == null && rowWeights == null && topKWeights == null && scores == null;
    }

    void requireFits(AttentionProblem problem) {
        requireFits(problem, outputShape(problem));
    }

    /** Checks the output and the LSE of a forward result that backward reads; both tensors may be read-only. */
    void requireReadable(AttentionProblem p) {
        AttentionShape s = p.shape();
        boolean moreKeys = hasMoreKeysThan(s.seqLenKv());
        if (moreKeys) {
            InputCheck.floating("output", output, outputShape(p));
        } else {
            InputCheck.input("output", output, p.outputType(), outputShape(p));
        }
        if ((p.lse() || moreKeys) && lse == null && rowMax == null) {
            throw new InvalidInputException(
                    "The forward result has no LSE",
                    "the result that forward wrote",
                    "lse null",
                    moreKeys ? "options.withLse() for the call over all keys" : "pass the result of forward unchanged");
        }
        InputCheck.floating("lse", lse, s.batch(), s.numHeads(), s.seqLenQ());
        InputCheck.floating("row maxima", rowMax, s.batch(), s.numHeads(), s.seqLenQ());
        InputCheck.floating("row sums", rowSum, s.batch(), s.numHeads(), s.seqLenQ());
        requirePair();
    }

    void requirePair() {
        if ((rowMax == null) != (rowSum == null)) {
            throw new InvalidInputException(
                    "Row maxima and row sums belong together",
                    "a tensor for both, or for none",
                    rowMax == null ? "row sums only" : "row maxima only",
                    "result.withRowStatistics(maxima, sums)");
        }
    }

    void requireFits(AttentionProblem p, long[] outputShape) {
        AttentionShape s = p.shape();
        DType statistics = p.outputType().accumulator();
        long b = s.batch();
        long h = s.numHeads();
        long q = s.seqLenQ();
        long k = s.seqLenKv();
        InputCheck.output("output", output, true, p.outputType(), outputShape);
        InputCheck.output("lse", lse, p.lse(), statistics, b, h, q);
        requirePair();
        InputCheck.output("row maxima", rowMax, false, statistics, b, h, q);
        InputCheck.output("row sums", rowSum, false, statistics, b, h, q);
        InputCheck.output("weights", weights, p.weights(), statistics, b, h, q, k);
        InputCheck.output("rowWeights", rowWeights, p.rows() > 0, statistics, b, h, p.rows(), k);
        InputCheck.output("topKWeights", topKWeights, p.topK() > 0, statistics, b, h, q, p.topK());
        InputCheck.output("topKIndices", topKIndices, p.topK() > 0, DType.I64, b, h, q, p.topK());
        InputCheck.output("scores", scores, p.scores() != null, statistics, b, h, q, k);
    }

    /**
     * {@return this result with row maxima and row sums} If it has an LSE only, the LSE takes the place of the maximum, and the
     * sum is 1, so weights have the accuracy of the LSE.
     */
    AttentionResult withStatisticsOfLse() {
        if (lse == null || rowMax != null) {
            return this;
        }
        double[] maxima = lse.toHost().toDoubleArray();
        double[] sums = new double[maxima.length];
        for (int n = 0; n < sums.length; n++) {
            sums[n] = maxima[n] == Double.NEGATIVE_INFINITY ? 0 : 1;
        }
        return withRowStatistics(Tensor.of(maxima, lse.shape()), Tensor.of(sums, lse.shape()));
    }

    /** {@return the tensors to which outputs are written; null for an output without a tensor} */
    public List<@Nullable Tensor> tensors() {
        return Arrays.asList(output, lse, rowMax, rowSum, weights, rowWeights, topKWeights, topKIndices, scores);
    }

    private Values values() {
        return Values.of(
                "output",
                output,
                "lse",
                lse,
                "rowMax",
                rowMax,
                "rowSum",
                rowSum,
                "weights",
                weights,
                "rowWeights",
                rowWeights,
                "topKWeights",
                topKWeights,
                "topKIndices",
                topKIndices,
                "scores",
                scores,
                "keys",
                isMerged() ? "merged" : keys);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AttentionResult result && values().equals(result.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().in(AttentionResult.class);
    }
}
