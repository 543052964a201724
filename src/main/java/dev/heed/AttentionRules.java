package dev.heed;

import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The rules by which attention computes scores and turns them into the output: score function, softcap, bias, ALiBi, mask,
 * sink and dropout. The order is fixed:
 *
 * <pre>
 * score -> softcap -> + bias, + ALiBi -> mask -> [sink appended] -> softmax -> [sink removed] -> dropout -> times value
 * </pre>
 *
 * <p>Start from {@link #DEFAULT} and change the rules that differ. Immutable and compared by value, except that tensors are
 * compared by identity.
 */
public final class AttentionRules {
    /** Scaled dot product without softcap, bias, ALiBi, mask, sink, dropout or TF32. */
    public static final AttentionRules DEFAULT = new AttentionRules(new Draft());

    private final ScoreFunction score;
    private final @Nullable Double softcap;
    private final @Nullable Tensor bias;
    private final @Nullable Tensor alibiSlopes;
    private final Mask mask;
    private final @Nullable Tensor sink;
    private final double dropout;
    private final long seed;
    private final boolean tf32;

    /** Checks everything that can be checked without query, key and value. */
    private AttentionRules(Draft draft) {
        this.score = InvalidInputException.requirePresent(
                "score function", draft.score, "ScoreFunction.scaledDot() is the default");
        this.softcap = draft.softcap;
        this.bias = draft.bias;
        this.alibiSlopes = draft.alibiSlopes;
        this.mask = InvalidInputException.requirePresent("mask", draft.mask, "Mask.NONE masks nothing");
        this.sink = draft.sink;
        this.dropout = draft.dropout == 0 ? 0 : draft.dropout; // -0.0 becomes 0
        this.seed = draft.seed;
        this.tf32 = draft.tf32;
        if (softcap != null && !(softcap > 0 && Double.isFinite(softcap))) {
            throw new InvalidInputException(
                    "The softcap must be a positive number",
                    "softcap > 0 and finite",
                    String.valueOf(softcap),
                    "leave the softcap out for none");
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new InvalidInputException(
                    "The dropout must be a probability below 1",
                    "0 <= dropout < 1",
                    String.valueOf(dropout),
                    "withDropout(0.1, seed)");
        }
        requireFloating("bias", bias);
        requireFloating("alibiSlopes", alibiSlopes);
        requireFloating("sink", sink);
    }

    private static void requireFloating(String name, @Nullable Tensor tensor) {
        if (tensor != null && !tensor.type().isFloating()) {
            throw new InvalidInputException(
                    "The " + name + " does not have a floating-point type",
                    "f32, f64, f16 or bf16",
                    tensor.toString(),
                    tensor.type() == DType.BOOL
                            ? "pass truth values as withMask(Mask.dense(tensor))"
                            : "tensor.to(DType.F32)");
        }
    }

    /** {@return the score function; {@code q.k / sqrt(headDim)} by default} */
    public ScoreFunction score() {
        return score;
    }

    /** {@return the softcap {@code c}, which replaces a score with {@code c tanh(score / c)}, or null for none} */
    public @Nullable Double softcap() {
        return softcap;
    }

    /** {@return the bias that is added to the scores, broadcast to {@code [batch, numHeads, seqLenQ, seqLenKv]}, or null} */
    public @Nullable Tensor bias() {
        return bias;
    }

    /**
     * {@return the ALiBi slopes, one per query head, {@code [numHeads]}, or null} ALiBi adds {@code -slope |i + seqLenKv -
     * seqLenQ - j|} to the score of query {@code i} and key {@code j} (Press et al. 2022).
     */
    public @Nullable Tensor alibiSlopes() {
        return alibiSlopes;
    }

    /** {@return the mask, which selects the attended keys} */
    public Mask mask() {
        return mask;
    }

    /**
     * {@return the sinks, one unscaled logit per query head, {@code [numHeads]}, or null} A sink is one more entry of the
     * softmax, without a value.
     */
    public @Nullable Tensor sink() {
        return sink;
    }

    /** {@return the probability with which dropout sets a weight to 0; the other weights are divided by {@code 1 - dropout}} */
    public double dropout() {
        return dropout;
    }

    /** {@return the seed of the dropout; the same seed drops the same weights on every backend} */
    public long seed() {
        return seed;
    }

    /**
     * {@return whether a backend may round the factors of f32 products (queries, keys, weights and values) to TF32} TF32
     * has 11 significant bits instead of 24, so the relative error of each factor is at most {@code 2^-11} (PTX ISA, Tensor
     * Core formats: 8 bits of exponent, 10 of mantissa; {@code cvt.rna.tf32.f32} rounds to nearest). Sums, softmax and
     * gradients stay f32. Backends without TF32 units ignore this permission, and it has no effect for other types.
     */
    public boolean tf32() {
        return tf32;
    }

    /** {@return these rules with another score function} */
    public AttentionRules withScore(ScoreFunction score) {
        return edit(draft -> draft.score = score);
    }

    /** {@return these rules with a softcap, positive and finite; null for none} */
    public AttentionRules withSoftcap(@Nullable Double softcap) {
        return edit(draft -> draft.softcap = softcap);
    }

    /** {@return these rules with a bias; null for none} */
    public AttentionRules withBias(@Nullable Tensor bias) {
        return edit(draft -> draft.bias = bias);
    }

    /** {@return these rules with ALiBi slopes; null for none} */
    public AttentionRules withAlibi(@Nullable Tensor slopes) {
        return edit(draft -> draft.alibiSlopes = slopes);
    }

    /** {@return these rules with this mask instead of the current one} */
    public AttentionRules withMask(Mask mask) {
        return edit(draft -> draft.mask = mask);
    }

    /** {@return these rules with a causal mask in addition to the current mask} */
    public AttentionRules causal(CausalAlignment alignment) {
        return withMask(mask.and(Mask.causal(alignment)));
    }

    /** {@return these rules with attention sinks; null for none} */
    public AttentionRules withSink(@Nullable Tensor sink) {
        return edit(draft -> draft.sink = sink);
    }

    /** {@return these rules with dropout; {@code 0 <= probability < 1}} */
    public AttentionRules withDropout(double probability, long seed) {
        return edit(draft -> {
            draft.dropout = probability;
            draft.seed = seed;
        });
    }

    /** {@return these rules with or without the permission to round the factors of f32 products to TF32} */
    public AttentionRules withTf32(boolean allowed) {
        return edit(draft -> draft.tf32 = allowed);
    }

    private AttentionRules edit(Consumer<Draft> change) {
        var draft = new Draft();
        draft.score = score;
        draft.softcap = softcap;
        draft.bias = bias;
        draft.alibiSlopes = alibiSlopes;
        draft.mask = mask;
        draft.sink = sink;
        draft.dropout = dropout;
        draft.seed = seed;
        draft.tf32 = tf32;
        change.accept(draft);
        return new AttentionRules(draft);
    }

    /** Mutable copy of the rules, used while they are edited. */
    private static final class Draft {
        private ScoreFunction score = ScoreFunction.scaledDot();
        private @Nullable Double softcap;
        private @Nullable Tensor bias;
        private @Nullable Tensor alibiSlopes;
        private Mask mask = Mask.NONE;
        private @Nullable Tensor sink;
        private double dropout;
        private long seed;
        private boolean tf32;
    }

    private Values values() {
        return Values.of(
                "score",
                score,
                "softcap",
                softcap,
                "bias",
                bias,
                "alibiSlopes",
                alibiSlopes,
                "mask",
                mask,
                "sink",
                sink,
                "dropout",
                dropout,
                "seed",
                seed,
                "tf32",
                tf32);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AttentionRules rules && values().equals(rules.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().in(AttentionRules.class);
    }
}
