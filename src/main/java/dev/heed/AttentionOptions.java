package dev.heed;

import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What happens between the scores and the output, and what is kept of it. The order is fixed:
 *
 * <pre>
 * score -> softcap -> + bias, + ALiBi -> mask -> [sink appended] -> softmax -> [sink dropped] -> dropout -> times value
 * </pre>
 *
 * <p>Start from {@link #DEFAULT} and change what differs: {@code AttentionOptions.DEFAULT.causal().withLse()}.
 *
 * @param score how a query meets a key; {@code s.h / sqrt(headDim)} by default
 * @param softcap {@code c} of {@code c tanh(score / c)}, or null for none
 * @param bias added to the scores, broadcast to {@code [batch, numHeads, seqLenQ, seqLenKv]}, or null
 * @param alibiSlopes one slope a query head {@code [numHeads]}: adds {@code -slope |i + seqLenKv - seqLenQ - j|} (Press et
 *     al. 2022), or null
 * @param mask which keys take part
 * @param sink one logit a query head {@code [numHeads]}, unscaled, that joins the softmax and has no value, or null
 * @param dropout the probability with which a weight is set to 0 (the others are divided by {@code 1 - dropout})
 * @param seed the seed of the dropout; the same seed drops the same weights on every backend
 * @param lse whether the log-sum-exp of every row is kept
 * @param weights whether all weights are kept: O(seqLenQ * seqLenKv) memory
 * @param rows the query rows whose weights are kept, in this order; empty for none
 * @param topK how many of the largest weights of every row are kept, with their keys; 0 for none
 * @param scores at which stage the scores are kept, or null for not at all: O(seqLenQ * seqLenKv) memory
 * @param tf32 whether a backend may round the factors of an f32 attention's products, queries, keys, weights and values, to
 *     TF32: 11 significant bits instead of 24, so each factor is off by at most {@code 2^-11} of itself (PTX ISA, Tensor
 *     Core formats: 8 bits of exponent, 10 of mantissa; {@code cvt.rna.tf32.f32} rounds to nearest). Sums, softmax and what is kept stay f32. A
 *     permission, no order: backends without such units compute as if it were not there, and for other types it says nothing
 * @param backend the name of the backend, or null for the best one that can
 */
public record AttentionOptions(
        ScoreFunction score,
        @Nullable Double softcap,
        @Nullable Tensor bias,
        @Nullable Tensor alibiSlopes,
        Mask mask,
        @Nullable Tensor sink,
        double dropout,
        long seed,
        boolean lse,
        boolean weights,
        List<Long> rows,
        int topK,
        @Nullable ScoreStage scores,
        boolean tf32,
        @Nullable String backend) {

    /** Scaled dot product, no mask, only the output. */
    public static final AttentionOptions DEFAULT = new AttentionOptions(
            ScoreFunction.scaledDot(),
            null,
            null,
            null,
            Mask.NONE,
            null,
            0,
            0,
            false,
            false,
            List.of(),
            0,
            null,
            false,
            null);

    /** Checks what can be checked without the tensors that it will meet. */
    public AttentionOptions {
        rows = List.copyOf(rows);
        dropout = dropout == 0 ? 0 : dropout; // -0.0 is 0
        if (softcap != null && !(softcap > 0 && Double.isFinite(softcap))) {
            throw new InvalidInputException(
                    "The softcap is a positive number",
                    "softcap > 0 and finite",
                    String.valueOf(softcap),
                    "leave the softcap out for none");
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new InvalidInputException(
                    "The dropout is a probability",
                    "0 <= dropout < 1",
                    String.valueOf(dropout),
                    "withDropout(0.1, seed)");
        }
        if (topK < 0) {
            throw new InvalidInputException(
                    "A number of weights is not negative", "topK >= 0", String.valueOf(topK), "withTopK(8)");
        }
        requireFloating("bias", bias);
        requireFloating("alibiSlopes", alibiSlopes);
        requireFloating("sink", sink);
    }

    private static void requireFloating(String name, @Nullable Tensor tensor) {
        if (tensor != null && !tensor.type().isFloating()) {
            throw new InvalidInputException(
                    "The " + name + " holds numbers",
                    "f32, f64, f16 or bf16",
                    tensor.toString(),
                    tensor.type() == DType.BOOL
                            ? "pass truth values as withMask(Mask.dense(tensor))"
                            : "tensor.to(DType.F32)");
        }
    }

    /** {@return these options with another score function} */
    public AttentionOptions withScore(ScoreFunction score) {
        return edit(fields -> fields.score = score);
    }

    /** {@return these options with {@code scale * s.h} as the score} */
    public AttentionOptions withScale(double scale) {
        return withScore(ScoreFunction.scaledDot(scale));
    }

    /** {@return these options with a softcap} */
    public AttentionOptions withSoftcap(@Nullable Double softcap) {
        return edit(fields -> fields.softcap = softcap);
    }

    /** {@return these options with a bias} */
    public AttentionOptions withBias(@Nullable Tensor bias) {
        return edit(fields -> fields.bias = bias);
    }

    /** {@return these options with ALiBi slopes} */
    public AttentionOptions withAlibi(@Nullable Tensor slopes) {
        return edit(fields -> fields.alibiSlopes = slopes);
    }

    /** {@return these options with a mask in place of the present one} */
    public AttentionOptions withMask(Mask mask) {
        return edit(fields -> fields.mask = mask);
    }

    /** {@return these options with the present mask and a causal one, the last query at the last key} */
    public AttentionOptions causal() {
        return causal(CausalAlignment.BOTTOM_RIGHT);
    }

    /** {@return these options with the present mask and a causal one} */
    public AttentionOptions causal(CausalAlignment alignment) {
        return withMask(mask.and(Mask.causal(alignment)));
    }

    /** {@return these options with attention sinks} */
    public AttentionOptions withSink(@Nullable Tensor sink) {
        return edit(fields -> fields.sink = sink);
    }

    /** {@return these options with dropout} */
    public AttentionOptions withDropout(double probability, long seed) {
        return edit(fields -> {
            fields.dropout = probability;
            fields.seed = seed;
        });
    }

    /** {@return these options with the LSE kept} */
    public AttentionOptions withLse() {
        return edit(fields -> fields.lse = true);
    }

    /** {@return these options with all weights kept} */
    public AttentionOptions withWeights() {
        return edit(fields -> fields.weights = true);
    }

    /** {@return these options with the weights of the given query rows kept} */
    public AttentionOptions withRows(long... rows) {
        return edit(fields -> fields.rows = LongStream.of(rows).boxed().toList());
    }

    /** {@return these options with the largest weights of every row kept} */
    public AttentionOptions withTopK(int topK) {
        return edit(fields -> fields.topK = topK);
    }

    /** {@return these options with the scores kept at a stage} */
    public AttentionOptions withScores(@Nullable ScoreStage stage) {
        return edit(fields -> fields.scores = stage);
    }

    /**
     * {@return these options with the permission to round the factors of f32 products to TF32} Several times as fast where
     * matrix units have it; outputs are then off by about {@code 2^-11} of the values' size instead of {@code 2^-24}.
     */
    public AttentionOptions withTf32() {
        return edit(fields -> fields.tf32 = true);
    }

    /** {@return these options with a backend asked for by name} */
    public AttentionOptions withBackend(@Nullable String backend) {
        return edit(fields -> fields.backend = backend);
    }

    private AttentionOptions edit(Consumer<Fields> change) {
        var fields = new Fields(this);
        change.accept(fields);
        return fields.freeze();
    }

    /** The components while they change. */
    private static final class Fields {
        private ScoreFunction score;
        private @Nullable Double softcap;
        private @Nullable Tensor bias;
        private @Nullable Tensor alibiSlopes;
        private Mask mask;
        private @Nullable Tensor sink;
        private double dropout;
        private long seed;
        private boolean lse;
        private boolean weights;
        private List<Long> rows;
        private int topK;
        private @Nullable ScoreStage scores;
        private boolean tf32;
        private @Nullable String backend;

        Fields(AttentionOptions from) {
            score = from.score;
            softcap = from.softcap;
            bias = from.bias;
            alibiSlopes = from.alibiSlopes;
            mask = from.mask;
            sink = from.sink;
            dropout = from.dropout;
            seed = from.seed;
            lse = from.lse;
            weights = from.weights;
            rows = from.rows;
            topK = from.topK;
            scores = from.scores;
            tf32 = from.tf32;
            backend = from.backend;
        }

        AttentionOptions freeze() {
            return new AttentionOptions(
                    score,
                    softcap,
                    bias,
                    alibiSlopes,
                    mask,
                    sink,
                    dropout,
                    seed,
                    lse,
                    weights,
                    rows,
                    topK,
                    scores,
                    tf32,
                    backend);
        }
    }
}
