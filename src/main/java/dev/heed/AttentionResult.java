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
 * are null. LSE, weights and scores have the {@linkplain DType#accumulator accumulator type} of the output's type: f64 for
 * f64, else f32. Immutable and compared by value, except that tensors are compared by identity.
 */
public final class AttentionResult {
    private final Tensor output;
    private final @Nullable Tensor lse;
    private final @Nullable Tensor weights;
    private final @Nullable Tensor rowWeights;
    private final @Nullable Tensor topKWeights;
    private final @Nullable Tensor topKIndices;
    private final @Nullable Tensor scores;

    private AttentionResult(
            Tensor output,
            @Nullable Tensor lse,
            @Nullable Tensor weights,
            @Nullable Tensor rowWeights,
            @Nullable Tensor topKWeights,
            @Nullable Tensor topKIndices,
            @Nullable Tensor scores) {
        this.output = InputCheck.target("output", output);
        this.lse = lse;
        this.weights = weights;
        this.rowWeights = rowWeights;
        this.topKWeights = topKWeights;
        this.topKIndices = topKIndices;
        this.scores = scores;
    }

    /** {@return a result with this tensor for the output and no optional outputs} */
    public static AttentionResult into(Tensor output) {
        return new AttentionResult(output, null, null, null, null, null, null);
    }

    /** {@return this result with another tensor for the output} */
    public AttentionResult withOutput(Tensor tensor) {
        return new AttentionResult(tensor, lse, weights, rowWeights, topKWeights, topKIndices, scores);
    }

    /** {@return this result with a tensor for the LSE; null for none} */
    public AttentionResult withLse(@Nullable Tensor tensor) {
        return new AttentionResult(output, tensor, weights, rowWeights, topKWeights, topKIndices, scores);
    }

    /** {@return this result with a tensor for all weights; null for none} */
    public AttentionResult withWeights(@Nullable Tensor tensor) {
        return new AttentionResult(output, lse, tensor, rowWeights, topKWeights, topKIndices, scores);
    }

    /** {@return this result with a tensor for the weights of chosen rows; null for none} */
    public AttentionResult withRowWeights(@Nullable Tensor tensor) {
        return new AttentionResult(output, lse, weights, tensor, topKWeights, topKIndices, scores);
    }

    /** {@return this result with tensors for the largest weights and their keys; null in both for none} */
    public AttentionResult withTopK(@Nullable Tensor largest, @Nullable Tensor indices) {
        return new AttentionResult(output, lse, weights, rowWeights, largest, indices, scores);
    }

    /** {@return this result with a tensor for the scores; null for none} */
    public AttentionResult withScores(@Nullable Tensor tensor) {
        return new AttentionResult(output, lse, weights, rowWeights, topKWeights, topKIndices, tensor);
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
     * infinity for a row without attended keys and without a sink.
     */
    public @Nullable Tensor lse() {
        return lse;
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
                p.weights() ? allocator.allocate(statistics, b, h, q, k) : null,
                p.rows() > 0 ? allocator.allocate(statistics, b, h, p.rows(), k) : null,
                p.topK() > 0 ? allocator.allocate(statistics, b, h, q, p.topK()) : null,
                p.topK() > 0 ? allocator.allocate(DType.I64, b, h, q, p.topK()) : null,
                p.scores() != null ? allocator.allocate(statistics, b, h, q, k) : null);
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
        InputCheck.input("output", output, p.outputType(), outputShape(p));
        if (p.lse() && lse == null) {
            throw new InvalidInputException(
                    "The forward result has no LSE",
                    "the result that forward wrote",
                    "lse null",
                    "pass the result of forward unchanged");
        }
        InputCheck.floating("lse", lse, s.batch(), s.numHeads(), s.seqLenQ());
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
        InputCheck.output("weights", weights, p.weights(), statistics, b, h, q, k);
        InputCheck.output("rowWeights", rowWeights, p.rows() > 0, statistics, b, h, p.rows(), k);
        InputCheck.output("topKWeights", topKWeights, p.topK() > 0, statistics, b, h, q, p.topK());
        InputCheck.output("topKIndices", topKIndices, p.topK() > 0, DType.I64, b, h, q, p.topK());
        InputCheck.output("scores", scores, p.scores() != null, statistics, b, h, q, k);
    }

    /** {@return the tensors to which outputs are written; null for an output without a tensor} */
    public List<@Nullable Tensor> tensors() {
        return Arrays.asList(output, lse, weights, rowWeights, topKWeights, topKIndices, scores);
    }

    private Values values() {
        return Values.of(
                "output",
                output,
                "lse",
                lse,
                "weights",
                weights,
                "rowWeights",
                rowWeights,
                "topKWeights",
                topKWeights,
                "topKIndices",
                topKIndices,
                "scores",
                scores);
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
