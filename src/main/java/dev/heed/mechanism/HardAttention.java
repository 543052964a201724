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
 * Hard attention: every query takes the value of one key, drawn with its weight (Xu et al. 2015, section 4.1) or the one
 * with the largest weight. Every score function, mask and bias of the options holds as in soft attention.
 *
 * <p>A key is drawn by Gumbel-max: the largest of {@code score + gumbel} (Maddison et al. 2014), the noise by Philox over
 * (seed, batch, head, query, key). The same seed takes the same keys on every backend: where the two largest lie within
 * what rounding may do, the reference decides in double. Ties of argmax go to the lowest key.
 *
 * <p>A row with nothing to see takes key -1, has output 0 and log-probability 0.
 *
 * <p>Where training is to be steadier, a share of the batch entries takes the expected context instead, the output of soft
 * attention (Xu et al. 2015, section 4.1: one half). Their rows have key {@link Choice#EXPECTED} and log-probability 0.
 */
public final class HardAttention {
    /** Two weights whose ratio is nearer to 1 than this are told apart in double. */
    private static final double NEAR_F32 = 1e-3;

    private static final double NEAR_F64 = 1e-9;

    private final @Nullable Gumbel noise;
    private final double expectedShare;
    private final AttentionEngine engine;

    private HardAttention(@Nullable Gumbel noise, double expectedShare, AttentionEngine engine) {
        this.noise = noise;
        this.expectedShare = expectedShare;
        this.engine = engine;
    }

    /** {@return hard attention that draws each key with its weight} */
    public static HardAttention sampled(long seed) {
        return sampled(seed, 0);
    }

    /**
     * {@return hard attention that draws each key with its weight, but with some probability takes the expected context for
     * a whole batch entry, all heads and queries of it}
     *
     * @param expectedShare this probability, 0 to 1; Xu et al. take 0.5
     */
    public static HardAttention sampled(long seed, double expectedShare) {
        if (!(expectedShare >= 0 && expectedShare <= 1)) {
            throw new InvalidInputException(
                    "The share of expected contexts is no probability",
                    "0 to 1",
                    String.valueOf(expectedShare),
                    "HardAttention.sampled(seed, 0.5)");
        }
        return new HardAttention(new Gumbel(seed), expectedShare, AttentionEngine.AUTOMATIC);
    }

    /** {@return hard attention that takes the key with the largest weight, the lowest one among equals} */
    public static HardAttention argmax() {
        return new HardAttention(null, 0, AttentionEngine.AUTOMATIC);
    }

    /** {@return the same, computed by an engine} */
    public HardAttention on(AttentionEngine engine) {
        return new HardAttention(noise, expectedShare, engine);
    }

    /**
     * {@return a key for each query, its value, and the logarithm of its probability}
     *
     * @throws InvalidInputException if the options have a sink, dropout, or ask to keep weights or scores
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
     * {@return the choice of given keys}
     *
     * @param keys i64 {@code [batch, numHeads, seqLenQ]}; -1 for none, {@link Choice#EXPECTED} for the
     *     expected context
     * @throws InvalidInputException if a key is not there
     */
    public Choice given(AttentionInputs inputs, Tensor keys) {
        QueryRows.requirePlain("hard attention", inputs);
        AttentionShape s = inputs.problem().shape();
        if (keys.type() != DType.I64 || !keys.hasShape(s.batch(), s.numHeads(), s.seqLenQ())) {
            throw new InvalidInputException(
                    "The keys are not one for each query",
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
                                "-1 takes none, " + Choice.EXPECTED + " the expected context");
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

    /** The two largest weights of some rows, noise included, and their keys. */
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

    /** One row, all heads and batches of it, by the reference: the same on every backend. */
    private void decide(AttentionInputs inputs, long row, Tensor keys) {
        QueryRows one = new QueryRows(inputs, row, row + 1);
        AttentionEngine reference = AttentionEngine.of(Backends.named("reference"));
        Tensor indices =
                Objects.requireNonNull(largest(reference, one, DType.F64).topKIndices());
        keys.slice(2, row, row + 1).copyFrom(indices.slice(3, 0, 1).select(3, 0));
    }
}
