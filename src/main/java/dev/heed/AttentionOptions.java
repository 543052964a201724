package dev.heed;

import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * How one attention is computed: its {@linkplain AttentionRules rules}, from the scores to the output, its
 * {@linkplain AttentionOutputs outputs}, and the backend.
 *
 * <p>Start from {@link #DEFAULT} and change what differs: {@code AttentionOptions.DEFAULT.causal().withLse()}. Immutable;
 * compared by value.
 */
public final class AttentionOptions {
    /** Scaled dot product, no mask, only the output, the best backend that can. */
    public static final AttentionOptions DEFAULT = of(AttentionRules.DEFAULT, AttentionOutputs.NONE);

    private final AttentionRules rules;
    private final AttentionOutputs outputs;
    private final @Nullable String backend;

    private AttentionOptions(AttentionRules rules, AttentionOutputs outputs, @Nullable String backend) {
        this.rules = Objects.requireNonNull(rules, "rules");
        this.outputs = Objects.requireNonNull(outputs, "outputs");
        this.backend = backend;
    }

    /** {@return options of rules and outputs, on the best backend that can} */
    public static AttentionOptions of(AttentionRules rules, AttentionOutputs outputs) {
        return new AttentionOptions(rules, outputs, null);
    }

    /** {@return what happens between the scores and the output} */
    public AttentionRules rules() {
        return rules;
    }

    /** {@return what is written besides the output} */
    public AttentionOutputs outputs() {
        return outputs;
    }

    /** {@return the name of the backend, or null for the best one that can} */
    public @Nullable String backend() {
        return backend;
    }

    /** {@return these options with other rules} */
    public AttentionOptions withRules(AttentionRules other) {
        return new AttentionOptions(other, outputs, backend);
    }

    /** {@return these options with other outputs} */
    public AttentionOptions withOutputs(AttentionOutputs other) {
        return new AttentionOptions(rules, other, backend);
    }

    /** {@return these options with a backend asked for by name, or null for the best one that can} */
    public AttentionOptions withBackend(@Nullable String name) {
        return new AttentionOptions(rules, outputs, name);
    }

    private AttentionOptions rules(UnaryOperator<AttentionRules> change) {
        return withRules(change.apply(rules));
    }

    // ---------------------------------------------------------------- rules

    /** {@return how a query is scored against a key, see {@link AttentionRules#score}} */
    public ScoreFunction score() {
        return rules.score();
    }

    /** {@return the softcap or null, see {@link AttentionRules#softcap}} */
    public @Nullable Double softcap() {
        return rules.softcap();
    }

    /** {@return the bias or null, see {@link AttentionRules#bias}} */
    public @Nullable Tensor bias() {
        return rules.bias();
    }

    /** {@return the slopes of ALiBi or null, see {@link AttentionRules#alibiSlopes}} */
    public @Nullable Tensor alibiSlopes() {
        return rules.alibiSlopes();
    }

    /** {@return which keys are attended, see {@link AttentionRules#mask}} */
    public Mask mask() {
        return rules.mask();
    }

    /** {@return the sinks or null, see {@link AttentionRules#sink}} */
    public @Nullable Tensor sink() {
        return rules.sink();
    }

    /** {@return the probability of dropout, see {@link AttentionRules#dropout}} */
    public double dropout() {
        return rules.dropout();
    }

    /** {@return the seed of the dropout, see {@link AttentionRules#seed}} */
    public long seed() {
        return rules.seed();
    }

    /** {@return whether factors of f32 products may be rounded to TF32, see {@link AttentionRules#tf32}} */
    public boolean tf32() {
        return rules.tf32();
    }

    /** {@return these options with another score function} */
    public AttentionOptions withScore(ScoreFunction score) {
        return rules(now -> now.withScore(score));
    }

    /** {@return these options with {@code scale * s.h} as the score} */
    public AttentionOptions withScale(double scale) {
        return withScore(ScoreFunction.scaledDot(scale));
    }

    /** {@return these options with a softcap, or null for none} */
    public AttentionOptions withSoftcap(@Nullable Double softcap) {
        return rules(now -> now.withSoftcap(softcap));
    }

    /** {@return these options with a bias, or null for none} */
    public AttentionOptions withBias(@Nullable Tensor bias) {
        return rules(now -> now.withBias(bias));
    }

    /** {@return these options with ALiBi slopes, or null for none} */
    public AttentionOptions withAlibi(@Nullable Tensor slopes) {
        return rules(now -> now.withAlibi(slopes));
    }

    /** {@return these options with a mask in place of the present one} */
    public AttentionOptions withMask(Mask mask) {
        return rules(now -> now.withMask(mask));
    }

    /** {@return these options with the present mask and a causal one, the last query at the last key} */
    public AttentionOptions causal() {
        return causal(CausalAlignment.BOTTOM_RIGHT);
    }

    /** {@return these options with the present mask and a causal one} */
    public AttentionOptions causal(CausalAlignment alignment) {
        return rules(now -> now.causal(alignment));
    }

    /** {@return these options with attention sinks, or null for none} */
    public AttentionOptions withSink(@Nullable Tensor sink) {
        return rules(now -> now.withSink(sink));
    }

    /** {@return these options with dropout} */
    public AttentionOptions withDropout(double probability, long seed) {
        return rules(now -> now.withDropout(probability, seed));
    }

    /**
     * {@return these options with the permission to round the factors of f32 products to TF32} Several times as fast where
     * matrix units have it; outputs are then off by about {@code 2^-11} of the values' size instead of {@code 2^-24}.
     */
    public AttentionOptions withTf32() {
        return rules(now -> now.withTf32(true));
    }

    // ---------------------------------------------------------------- outputs

    /** {@return whether the log-sum-exp of every row is written} */
    public boolean lse() {
        return outputs.lse();
    }

    /** {@return whether all weights are written} */
    public boolean weights() {
        return outputs.weights();
    }

    /** {@return the query rows whose weights are written, in this order} */
    public List<Long> rows() {
        return outputs.rows();
    }

    /** {@return how many of the largest weights of every row are written} */
    public int topK() {
        return outputs.topK();
    }

    /** {@return at which stage the scores are written, or null for not at all} */
    public @Nullable ScoreStage scores() {
        return outputs.scores();
    }

    /** {@return these options with the LSE written} */
    public AttentionOptions withLse() {
        return withOutputs(outputs.withLse(true));
    }

    /** {@return these options with all weights written} */
    public AttentionOptions withWeights() {
        return withOutputs(outputs.withWeights(true));
    }

    /** {@return these options with the weights of the given query rows written} */
    public AttentionOptions withRows(long... rows) {
        return withOutputs(outputs.withRows(rows));
    }

    /** {@return these options with the largest weights of every row written} */
    public AttentionOptions withTopK(int topK) {
        return withOutputs(outputs.withTopK(topK));
    }

    /** {@return these options with the scores written at a stage, or null for not at all} */
    public AttentionOptions withScores(@Nullable ScoreStage stage) {
        return withOutputs(outputs.withScores(stage));
    }

    private Values values() {
        return Values.of("rules", rules, "outputs", outputs, "backend", backend);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AttentionOptions options && values().equals(options.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().in(AttentionOptions.class);
    }
}
