package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where an attention writes; what was not asked for is null. LSE, weights and scores have the
 * {@linkplain DType#accumulator accumulator type}: f64 for f64 problems, else f32. Immutable; compared by value, a
 * tensor equals itself only.
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
        this.output = Objects.requireNonNull(output, "output");
        this.lse = lse;
        this.weights = weights;
        this.rowWeights = rowWeights;
        this.topKWeights = topKWeights;
        this.topKIndices = topKIndices;
        this.scores = scores;
    }

    /** {@return a result that writes an output to the caller's tensor and nothing else} */
    public static AttentionResult into(Tensor output) {
        return new AttentionResult(output, null, null, null, null, null, null);
    }

    /** {@return this result with another place for the output} */
    public AttentionResult withOutput(Tensor tensor) {
        return new AttentionResult(tensor, lse, weights, rowWeights, topKWeights, topKIndices, scores);
    }

    /** {@return this result with a place for the LSE, or null for none} */
    public AttentionResult withLse(@Nullable Tensor tensor) {
        return new AttentionResult(output, tensor, weights, rowWeights, topKWeights, topKIndices, scores);
    }

    /** {@return this result with a place for all weights, or null for none} */
    public AttentionResult withWeights(@Nullable Tensor tensor) {
        return new AttentionResult(output, lse, tensor, rowWeights, topKWeights, topKIndices, scores);
    }

    /** {@return this result with a place for the weights of chosen rows, or null for none} */
    public AttentionResult withRowWeights(@Nullable Tensor tensor) {
        return new AttentionResult(output, lse, weights, tensor, topKWeights, topKIndices, scores);
    }

    /** {@return this result with places for the largest weights and their keys, or null twice for none} */
    public AttentionResult withTopK(@Nullable Tensor largest, @Nullable Tensor indices) {
        return new AttentionResult(output, lse, weights, rowWeights, largest, indices, scores);
    }

    /** {@return this result with a place for the scores, or null for none} */
    public AttentionResult withScores(@Nullable Tensor tensor) {
        return new AttentionResult(output, lse, weights, rowWeights, topKWeights, topKIndices, tensor);
    }

    /** {@return {@code [batch, numHeads, seqLenQ, valueHeadDim]} in the problem's type; 0 for a row with nothing attended} */
    public Tensor output() {
        return output;
    }

    /** {@return {@code [batch, numHeads, seqLenQ]}, natural logarithm, sink included; minus infinity for an empty row; or null} */
    public @Nullable Tensor lse() {
        return lse;
    }

    /** {@return {@code [batch, numHeads, seqLenQ, seqLenKv]}, before dropout; rows sum to 1, less the share of a sink; or null} */
    public @Nullable Tensor weights() {
        return weights;
    }

    /** {@return {@code [batch, numHeads, rows, seqLenKv]}, the weights of the chosen rows, or null} */
    public @Nullable Tensor rowWeights() {
        return rowWeights;
    }

    /** {@return {@code [batch, numHeads, seqLenQ, topK]}, the largest weights of each row, largest first, or null} */
    public @Nullable Tensor topKWeights() {
        return topKWeights;
    }

    /**
     * {@return {@code [batch, numHeads, seqLenQ, topK]} i64, the keys of the largest weights, or null} Among equal weights the
     * lower key first, -1 where fewer keys are attended.
     */
    public @Nullable Tensor topKIndices() {
        return topKIndices;
    }

    /**
     * {@return {@code [batch, numHeads, seqLenQ, seqLenKv]}, the scores at the chosen stage, or null}
     * {@link ScoreStage#MODIFIED} ones are minus infinity where masked, earlier ones are there for every key, masked or not.
     */
    public @Nullable Tensor scores() {
        return scores;
    }

    /** Makes the tensors of a result. */
    public interface Allocator {
        /** {@return a tensor to write to} */
        Tensor allocate(DType type, long... shape);
    }

    /** {@return a result of zeros with a place for everything the problem asks for, on the Java heap where it fits} */
    public static AttentionResult allocate(AttentionProblem problem) {
        return allocate(problem, Tensor::zeros);
    }

    /** {@return a result of tensors that the allocator makes} */
    public static AttentionResult allocate(AttentionProblem problem, Allocator allocator) {
        return allocate(problem, outputShape(problem), allocator);
    }

    /** {@return a result of zeros in native memory that lives as long as the arena} */
    public static AttentionResult allocate(AttentionProblem problem, Arena arena) {
        return allocate(problem, (type, shape) -> Tensor.allocate(arena, type, shape));
    }

    /** {@return a result for multi-head attention: the output is {@code [batch, seqLenQ, embedOut]}} */
    public static AttentionResult allocate(MultiHeadProblem problem) {
        return allocate(problem, Tensor::zeros);
    }

    /** {@return a result for multi-head attention, of tensors that the allocator makes} */
    public static AttentionResult allocate(MultiHeadProblem problem, Allocator allocator) {
        return allocate(problem.attention(), problem.outputShape(), allocator);
    }

    private static long[] outputShape(AttentionProblem problem) {
        AttentionShape s = problem.shape();
        return new long[] {s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim()};
    }

    private static AttentionResult allocate(AttentionProblem p, long[] outputShape, Allocator allocator) {
        AttentionShape s = p.shape();
        DType statistics = p.type().accumulator();
        long b = s.batch();
        long h = s.numHeads();
        long q = s.seqLenQ();
        long k = s.seqLenKv();
        return new AttentionResult(
                allocator.allocate(p.type(), outputShape),
                p.lse() ? allocator.allocate(statistics, b, h, q) : null,
                p.weights() ? allocator.allocate(statistics, b, h, q, k) : null,
                p.rows() > 0 ? allocator.allocate(statistics, b, h, p.rows(), k) : null,
                p.topK() > 0 ? allocator.allocate(statistics, b, h, q, p.topK()) : null,
                p.topK() > 0 ? allocator.allocate(DType.I64, b, h, q, p.topK()) : null,
                p.scores() != null ? allocator.allocate(statistics, b, h, q, k) : null);
    }

    /** {@return whether there is a place for nothing but the output and the LSE} */
    public boolean onlyOutputAndLse() {
        return weights == null && rowWeights == null && topKWeights == null && scores == null;
    }

    void requireFits(AttentionProblem problem) {
        requireFits(problem, outputShape(problem));
    }

    /** As {@link #requireFits}, for a result that is read: it may be read-only. */
    void requireReadable(AttentionProblem p) {
        AttentionShape s = p.shape();
        InputCheck.input("output", output, p.type(), outputShape(p));
        if (p.lse() && lse == null) {
            throw new InvalidInputException(
                    "The forward result lost its LSE",
                    "the result that forward wrote",
                    "lse null",
                    "pass the result of forward unchanged");
        }
        InputCheck.floating("lse", lse, s.batch(), s.numHeads(), s.seqLenQ());
    }

    void requireFits(AttentionProblem p, long[] outputShape) {
        AttentionShape s = p.shape();
        DType statistics = p.type().accumulator();
        long b = s.batch();
        long h = s.numHeads();
        long q = s.seqLenQ();
        long k = s.seqLenKv();
        InputCheck.output("output", output, true, p.type(), outputShape);
        InputCheck.output("lse", lse, p.lse(), statistics, b, h, q);
        InputCheck.output("weights", weights, p.weights(), statistics, b, h, q, k);
        InputCheck.output("rowWeights", rowWeights, p.rows() > 0, statistics, b, h, p.rows(), k);
        InputCheck.output("topKWeights", topKWeights, p.topK() > 0, statistics, b, h, q, p.topK());
        InputCheck.output("topKIndices", topKIndices, p.topK() > 0, DType.I64, b, h, q, p.topK());
        InputCheck.output("scores", scores, p.scores() != null, statistics, b, h, q, k);
    }

    /** {@return every tensor that is written; null for what was not asked for} */
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
