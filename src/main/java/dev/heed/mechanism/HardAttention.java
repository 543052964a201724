package dev.heed.mechanism;

import dev.heed.AttentionEngine;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.Backends;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Hard attention: each query selects one key, and its output is the value of that key. The key is either drawn with a
 * probability equal to its attention weight (Xu et al. 2015, section 4.1), or it is the key with the largest weight.
 * The score function, mask and bias of the options apply as in soft attention.
 *
 * <p>Keys are drawn by Gumbel-max: the key with the largest {@code score + gumbel} (Maddison et al. 2014), with noise
 * from Philox over (seed, batch, head, query, key). The same seed draws the same keys on every backend: if rounding
 * could swap the two keys with the largest sums, the reference backend decides in double. If several keys have the
 * largest weight, argmax selects the one with the lowest index.
 *
 * <p>A fully masked row has key -1, output 0 and log-probability 0.
 *
 * <p>For steadier training, a share of the batch entries can use the expected context, the output of soft attention,
 * instead of drawn keys (Xu et al. 2015, section 4.1: one half). Rows of these batch entries that are not fully masked
 * have key {@link Choice#EXPECTED} and log-probability 0.
 */
public final class HardAttention {
    /** Weights whose ratio differs from 1 by at most this value are compared again in double. */
    private static final double NEAR_F32 = 1e-3;

    private static final double NEAR_F64 = 1e-9;

    private final @Nullable Gumbel noise;
    private final double expectedShare;
    private final AttentionEngine engine;

    private HardAttention(@Nullable Gumbel noise, double expectedShare, AttentionEngine engine) {
        this.noise = noise;
        this.expectedShare = expectedShare;
        this.engine = InvalidInputException.requirePresent("engine", engine, "AttentionEngine.AUTOMATIC");
    }

    /** {@return hard attention that draws each key with a probability equal to its weight} */
    public static HardAttention sampled(long seed) {
        return sampled(seed, 0);
    }

    /**
     * {@return hard attention that draws each key with a probability equal to its weight, and uses the expected context
     * for a random share of the batch entries, in all their heads and queries}
     *
     * @param expectedShare the probability of the expected context for a batch entry, 0 to 1; 0.5 in Xu et al.
     */
    public static HardAttention sampled(long seed, double expectedShare) {
        if (!(expectedShare >= 0 && expectedShare <= 1)) {
            throw new InvalidInputException(
                    "The share of expected contexts is not a probability",
                    "0 to 1",
                    String.valueOf(expectedShare),
                    "HardAttention.sampled(seed, 0.5)");
        }
        return new HardAttention(new Gumbel(seed), expectedShare, AttentionEngine.AUTOMATIC);
    }

    /**
     * {@return hard attention that selects the key with the largest weight, and the lowest index among equal weights}
     */
    public static HardAttention argmax() {
        return new HardAttention(null, 0, AttentionEngine.AUTOMATIC);
    }

    /** {@return this mechanism, computed by the given engine} */
    public HardAttention on(AttentionEngine engine) {
        return new HardAttention(noise, expectedShare, engine);
    }

    /**
     * {@return one key per query, with its value and the logarithm of its probability}
     *
     * @throws InvalidInputException if the options have a sink or dropout, or request optional outputs other than the LSE
     */
    public Choice choose(AttentionInputs inputs) {
        QueryRows.requirePlain("hard attention", inputs);
        Tensor keys = keys(inputs);
        if (noise != null) {
            noise.mix(keys, expectedShare);
        }
        return given(inputs, keys);
    }

    /**
     * {@return the results of choosing the given keys}
     *
     * @param keys i64 {@code [batch, numHeads, seqLenQ]}; -1 for no key, {@link Choice#EXPECTED} for the expected
     *     context
     * @throws InvalidInputException if a key index is out of range, {@code keys} has another shape or type, or the
     *     options are invalid for {@link #choose}
     */
    public Choice given(AttentionInputs inputs, Tensor keys) {
        QueryRows.requirePlain("hard attention", inputs);
        AttentionShape s = inputs.problem().shape();
        if (keys.type() != DType.I64 || !keys.hasShape(s.batch(), s.numHeads(), s.seqLenQ())) {
            throw new InvalidInputException(
                    "The keys do not fit the queries",
                    "i64 [" + s.batch() + ", " + s.numHeads() + ", " + s.seqLenQ() + "]",
                    keys.toString(),
                    "HardAttention.sampled(seed).choose(inputs) draws them");
        }
        Tensor spans = Tensor.zeros(DType.I64, s.batch(), s.numHeads(), s.seqLenQ(), 2);
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numHeads(); h++) {
                for (long i = 0; i < s.seqLenQ(); i++) {
                    long key = (long) keys.get(b, h, i);
                    if (key < Choice.EXPECTED || key >= s.seqLenKv()) {
                        throw new InvalidInputException(
                                "There is no such key",
                                Choice.EXPECTED + " to " + (s.seqLenKv() - 1),
                                String.valueOf(key),
                                "-1 is no key, " + Choice.EXPECTED + " the expected context");
                    }
                    spans.set(Math.max(0, key), b, h, i, 0);
                    spans.set(Math.max(0, key + 1), b, h, i, 1);
                }
            }
        }
        AttentionOptions options = inputs.options();
        AttentionInputs soft = AttentionInputs.of(inputs.query(), inputs.key(), inputs.value(), options.withLse());
        AttentionInputs hard = AttentionInputs.of(
                inputs.query(),
                inputs.key(),
                inputs.value(),
                options.withLse().withMask(options.mask().and(Mask.spans(spans))));
        return new Choice(engine, soft, engine.forward(soft), hard, engine.forward(hard), keys);
    }

    private Tensor keys(AttentionInputs whole) {
        AttentionShape s = whole.problem().shape();
        Tensor keys = Tensor.zeros(DType.I64, s.batch(), s.numHeads(), s.seqLenQ());
        AttentionInputs inputs = QueryRows.withoutValues(whole);
        double near = s.seqLenKv() == 1 ? Double.NaN : inputs.query().type() == DType.F64 ? NEAR_F64 : NEAR_F32;
        for (QueryRows rows : QueryRows.chunks(inputs)) {
            AttentionResult largest =
                    largest(engine, rows, inputs.query().type().accumulator());
            Tensor weights = Objects.requireNonNull(largest.topKWeights());
            Tensor indices = Objects.requireNonNull(largest.topKIndices());
            boolean[] close = new boolean[(int) rows.count()];
            for (long b = 0; b < s.batch(); b++) {
                for (long h = 0; h < s.numHeads(); h++) {
                    for (long i = 0; i < rows.count(); i++) {
                        keys.set(indices.get(b, h, i, 0), b, h, rows.from() + i);
                        close[(int) i] |= s.seqLenKv() > 1
                                && weights.get(b, h, i, 0) > 0
                                && weights.get(b, h, i, 1) >= weights.get(b, h, i, 0) * (1 - near);
                    }
                }
            }
            for (int i = 0; i < close.length; i++) {
                if (close[i]) {
                    decide(inputs, rows.from() + i, keys);
                }
            }
        }
        return keys;
    }

    /** Returns the two largest weights of some rows, with the noise if keys are drawn, and their keys. */
    private AttentionResult largest(AttentionEngine engine, QueryRows rows, DType noiseType) {
        AttentionOptions options = rows.options();
        if (noise != null) {
            Tensor bias = rows.fullBias().to(noiseType);
            noise.addTo(bias, rows.from());
            options = options.withBias(bias);
        }
        int few = (int) Math.min(2, rows.whole().problem().shape().seqLenKv());
        return engine.forward(rows.with(options.withTopK(few)));
    }

    /**
     * Decides one row, for all heads and batch entries, with the reference backend, so that the result is the same on
     * every backend.
     */
    private void decide(AttentionInputs inputs, long row, Tensor keys) {
        QueryRows one = new QueryRows(inputs, row, row + 1);
        AttentionEngine reference = AttentionEngine.of(Backends.named("reference"));
        Tensor indices =
                Objects.requireNonNull(largest(reference, one, DType.F64).topKIndices());
        keys.slice(2, row, row + 1).copyFrom(indices.slice(3, 0, 1).select(3, 0));
    }
}
