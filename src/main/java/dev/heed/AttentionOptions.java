package dev.heed;

import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The options of one attention: the {@linkplain AttentionRules rules} for scores and output, the {@linkplain
 * AttentionOutputs optional outputs}, and the backend.
 *
 * <p>Start from {@link #DEFAULT} and change the options that differ: {@code AttentionOptions.DEFAULT.causal().withLse()}.
 * Immutable and compared by value, except that tensors are compared by identity.
 */
public final class AttentionOptions {
    /** {@link AttentionRules#DEFAULT}, no optional outputs, and the default choice of backend. */
    public static final AttentionOptions DEFAULT = of(AttentionRules.DEFAULT, AttentionOutputs.NONE);

    private final AttentionRules rules;
    private final AttentionOutputs outputs;
    private final @Nullable String backend;

    private AttentionOptions(AttentionRules rules, AttentionOutputs outputs, @Nullable String backend) {
        this.rules = InvalidInputException.requirePresent("rules", rules, "AttentionRules.DEFAULT");
        this.outputs = InvalidInputException.requirePresent("optional outputs", outputs, "AttentionOutputs.NONE");
        this.backend = backend;
    }

    /** {@return options with these rules and optional outputs, and the default choice of backend} */
    public static AttentionOptions of(AttentionRules rules, AttentionOutputs outputs) {
        return new AttentionOptions(rules, outputs, null);
    }

    /** {@return the rules for scores and output} */
    public AttentionRules rules() {
        return rules;
    }

    /** {@return the optional outputs} */
    public AttentionOutputs outputs() {
        return outputs;
    }

    /** {@return the name of the backend, or null for the default choice, see {@link Backends}} */
    public @Nullable String backend() {
        return backend;
    }

    /** {@return these options with other rules} */
    public AttentionOptions withRules(AttentionRules other) {
        return new AttentionOptions(other, outputs, backend);
    }

    /** {@return these options with other optional outputs} */
    public AttentionOptions withOutputs(AttentionOutputs other) {
        return new AttentionOptions(rules, other, backend);
    }

    /** {@return these options with the backend of this name; null for the default choice, see {@link Backends}} */
    public AttentionOptions withBackend(@Nullable String name) {
        return new AttentionOptions(rules, outputs, name);
    }

    private AttentionOptions rules(UnaryOperator<AttentionRules> change) {
        return withRules(change.apply(rules));
    }

    // ---------------------------------------------------------------- rules

    /** {@return the score function, see {@link AttentionRules#score}} */
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

    /** {@return the ALiBi slopes or null, see {@link AttentionRules#alibiSlopes}} */
    public @Nullable Tensor alibiSlopes() {
        return rules.alibiSlopes();
    }

    /** {@return the mask, see {@link AttentionRules#mask}} */
    public Mask mask() {
        return rules.mask();
    }

    /** {@return the sinks or null, see {@link AttentionRules#sink}} */
    public @Nullable Tensor sink() {
        return rules.sink();
    }

    /** {@return the dropout probability, see {@link AttentionRules#dropout}} */
    public double dropout() {
        return rules.dropout();
    }

    /** {@return the dropout seed, see {@link AttentionRules#seed}} */
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

    /** {@return these options with {@code scale * q.k} as the score} */
    public AttentionOptions withScale(double scale) {
        return withScore(ScoreFunction.scaledDot(scale));
    }

    /** {@return these options with a softcap; null for none} */
    public AttentionOptions withSoftcap(@Nullable Double softcap) {
        return rules(now -> now.withSoftcap(softcap));
    }

    /** {@return these options with a bias; null for none} */
    public AttentionOptions withBias(@Nullable Tensor bias) {
        return rules(now -> now.withBias(bias));
    }

    /** {@return these options with ALiBi slopes; null for none} */
    public AttentionOptions withAlibi(@Nullable Tensor slopes) {
        return rules(now -> now.withAlibi(slopes));
    }

    /** {@return these options with this mask instead of the current one} */
    public AttentionOptions withMask(Mask mask) {
        return rules(now -> now.withMask(mask));
    }

    /** {@return these options with a {@link CausalAlignment#BOTTOM_RIGHT} causal mask in addition to the current mask} */
    public AttentionOptions causal() {
        return causal(CausalAlignment.BOTTOM_RIGHT);
    }

    /** {@return these options with a causal mask in addition to the current mask} */
    public AttentionOptions causal(CausalAlignment alignment) {
        return rules(now -> now.causal(alignment));
    }

    /** {@return these options with attention sinks; null for none} */
    public AttentionOptions withSink(@Nullable Tensor sink) {
        return rules(now -> now.withSink(sink));
    }

    /** {@return these options with dropout; {@code 0 <= probability < 1}} */
    public AttentionOptions withDropout(double probability, long seed) {
        return rules(now -> now.withDropout(probability, seed));
    }

    /**
     * {@return these options with the permission to round the factors of f32 products to TF32} Products of rounded
     * factors are several times faster on matrix units that support TF32. The relative error of outputs is then about
     * {@code 2^-11} instead of {@code 2^-24}.
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

    /** {@return the number of largest weights written per row; 0 for none} */
    public int topK() {
        return outputs.topK();
    }

    /** {@return the stage at which the scores are written, or null if they are not} */
    public @Nullable ScoreStage scores() {
        return outputs.scores();
    }

    /** {@return the least type of a partial result, f32 or f64, or null if the output has the type of the query} */
    public @Nullable DType partial() {
        return outputs.partial();
    }

    /**
     * {@return these options with a partial result requested, which can be merged with results over other keys} The output is
     * not rounded to the type of the query: f32 for f32, f16 and bf16, f64 for f64. The LSE, which a merge needs, is requested
     * too. See {@link AttentionStates}.
     *
     * <p>A sink and dropout are refused: {@link AttentionStates#addSink} adds the sink once to all keys, and dropout depends on
     * the positions of the keys among all keys. In the backward pass the gradient of the output has the output's type.
     */
    public AttentionOptions withPartial() {
        return withPartial(DType.F32);
    }

    /**
     * {@return these options with a partial result of at least this type requested} With {@code DType.F64}, attention of f32,
     * f16 and bf16 tensors is computed in f64, and output, LSE, weights and scores are f64. Merged results that are then
     * rounded to f32 or less do not depend on the division of the keys, except for elements that are halfway between two f32
     * numbers to within the rounding of f64. Otherwise as {@link #withPartial()}.
     *
     * @param type {@code DType.F32} or {@code DType.F64}
     */
    public AttentionOptions withPartial(DType type) {
        return withOutputs(outputs.withLse(true)
                .withPartial(InvalidInputException.requirePresent(
                        "type of the partial result", type, "withPartial(DType.F64)")));
    }

    /** {@return these options with the LSE requested} */
    public AttentionOptions withLse() {
        return withOutputs(outputs.withLse(true));
    }

    /** {@return these options with all weights requested} */
    public AttentionOptions withWeights() {
        return withOutputs(outputs.withWeights(true));
    }

    /** {@return these options with the weights of the given query rows requested} */
    public AttentionOptions withRows(long... rows) {
        return withOutputs(outputs.withRows(rows));
    }

    /** {@return these options with the {@code topK} largest weights of every row requested} */
    public AttentionOptions withTopK(int topK) {
        return withOutputs(outputs.withTopK(topK));
    }

    /** {@return these options with the scores at a stage requested; null for no scores} */
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
