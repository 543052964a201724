package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertClose;
import static dev.heed.TensorAssertions.assertFinite;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.mask.BoundMask;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests that masked elements are never read, and that attended non-finite elements follow IEEE 754 and affect only the
 * results that depend on them.
 */
interface MaskingContract extends ContractChapter {
    String MASKED = "q2x4x21x16 kv2x37 dv20 f32";
    double[] POISON = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};

    /** Masks of several kinds. Most of them mask some keys for all queries, and some mask all keys for a query. */
    static Stream<Mask> masks() {
        return Stream.of(
                Mask.keyLengths(5, 30),
                Mask.keyLengths(0, 37),
                Mask.causal(CausalAlignment.TOP_LEFT),
                Mask.causal(CausalAlignment.offset(-3, 4)),
                Mask.window(2, 1),
                new Mask.Window(3, 0, CausalAlignment.offset(-9)),
                Mask.dense(new RandomTensors(1).truths(0.15, 2, 4, 21, 37)),
                Mask.dense(new RandomTensors(2).truths(0.6, 2, 1, 1, 37)),
                Mask.causal(CausalAlignment.TOP_LEFT).and(Mask.keyLengths(9, 37)),
                Mask.window(0, 0).or(Mask.keyLengths(3, 1)));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.MaskingContract#masks")
    default void maskedKeysAndValuesAreNeverRead(Mask mask) {
        Qkv qkv = Qkv.of(MASKED);
        AttentionShape s = qkv.shape();
        BoundMask bound = mask.on(s.seqLenQ(), s.seqLenKv());
        Qkv poisoned = qkv.copy();
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numKvHeads(); h++) {
                for (long j = 0; j < s.seqLenKv(); j++) {
                    if (!seen(bound, s, b, h, j)) {
                        double poison = POISON[(int) (j % POISON.length)];
                        poisoned.key().select(0, b).select(0, h).select(0, j).fill(poison);
                        poisoned.value().select(0, b).select(0, h).select(0, j).fill(-poison);
                    }
                }
            }
        }
        AttentionOptions options = everything().withMask(mask);
        assertSameBits(forward(qkv.with(options)), forward(poisoned.with(options)));
        AttentionGradients clean = gradients(qkv.with(options));
        assertSameBits(clean, gradients(poisoned.with(options)));
        for (long j = 0; j < s.seqLenKv(); j++) {
            if (!seen(bound, s, 0, 0, j)) {
                assertAll(0, clean.key().select(0, 0).select(0, 0).select(0, j));
                assertAll(0, clean.value().select(0, 0).select(0, 0).select(0, j));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.heed.MaskingContract#masks")
    default void biasOfMaskedPlacesIsNeverRead(Mask mask) {
        Qkv qkv = Qkv.of(MASKED);
        AttentionShape s = qkv.shape();
        BoundMask bound = mask.on(s.seqLenQ(), s.seqLenKv());
        Tensor bias = new RandomTensors(3).normal(DType.F32, s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv());
        Tensor poisoned = bias.copy();
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numHeads(); h++) {
                for (long i = 0; i < s.seqLenQ(); i++) {
                    for (long j = 0; j < s.seqLenKv(); j++) {
                        if (!bound.takesPart(b, h, i, j)) {
                            poisoned.set(POISON[(int) ((i + j) % POISON.length)], b, h, i, j);
                        }
                    }
                }
            }
        }
        AttentionInputs clean = qkv.with(everything().withMask(mask).withBias(bias));
        AttentionInputs dirty = qkv.with(everything().withMask(mask).withBias(poisoned));
        assertSameBits(forward(clean), forward(dirty));
        assertSameBits(gradients(clean), gradients(dirty));
    }

    @Test
    default void poisonThatOnlyLaterRowsSeeLeavesTheGradientsOfEarlierRowsAlone() {
        Qkv qkv = Qkv.of("q1x2x20x16 kv1x20 f32");
        Qkv poisoned = qkv.copy();
        poisoned.key().slice(2, 12, 20).fill(Double.NaN);
        poisoned.value().slice(2, 12, 20).fill(Double.NaN);
        AttentionOptions causal = AttentionOptions.DEFAULT.causal().withLse();
        Tensor clean = gradients(qkv.with(causal)).query().slice(2, 0, 12);
        assertSameBits(clean, gradients(poisoned.with(causal)).query().slice(2, 0, 12));
    }

    /**
     * A non-finite query or output gradient affects the query gradient of its row, the gradients of the keys and values that
     * the row attends to, and no other gradients.
     */
    @ParameterizedTest
    @MethodSource("dev.heed.MaskingContract#masks")
    default void poisonInOneRowReachesTheGradientsOfWhatItSeesOnly(Mask mask) {
        for (String type : new String[] {"f32", "f64"}) {
            Qkv qkv = Qkv.of("q2x4x21x16 kv2x37 dv20 " + type);
            AttentionShape s = qkv.shape();
            AttentionInputs inputs =
                    qkv.with(AttentionOptions.DEFAULT.withMask(mask).withLse());
            AttentionResult forward = forward(inputs);
            Tensor dOutput = new RandomTensors(8)
                    .normal(forward.output().type(), forward.output().shape());
            AttentionGradients clean = gradients(inputs, forward, dOutput, null);
            for (double poison : POISON) {
                Tensor dPoisoned = dOutput.copy();
                dPoisoned.select(0, 1).select(0, 2).select(0, 5).fill(poison);
                assertOneRowSpoils(mask, s, clean, gradients(inputs, forward, dPoisoned, null));
            }
            Qkv poisoned = qkv.copy();
            poisoned.query().set(Double.NaN, 1, 2, 5, 3);
            AttentionInputs spoiled = poisoned.with(inputs.options());
            assertOneRowSpoils(mask, s, clean, gradients(spoiled, forward(spoiled), dOutput, null));
        }
    }

    /**
     * Asserts that the gradients of the keys and values that row 5 of head 2 of batch entry 1 attends to are non-finite, and
     * that all other gradients except the query gradient of this row have the same bits as the clean gradients.
     */
    private static void assertOneRowSpoils(
            Mask mask, AttentionShape s, AttentionGradients clean, AttentionGradients dirty) {
        BoundMask bound = mask.on(s.seqLenQ(), s.seqLenKv());
        boolean anything = false;
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numKvHeads(); h++) {
                for (long j = 0; j < s.seqLenKv(); j++) {
                    boolean spoiled = b == 1 && h == 2 / s.groupSize() && bound.takesPart(1, 2, 5, j);
                    anything |= spoiled;
                    for (boolean value : new boolean[] {false, true}) {
                        Tensor was = (value ? clean.value() : clean.key())
                                .select(0, b)
                                .select(0, h)
                                .select(0, j);
                        Tensor is = (value ? dirty.value() : dirty.key())
                                .select(0, b)
                                .select(0, h)
                                .select(0, j);
                        if (spoiled) {
                            assertTrue(!Double.isFinite(is.get(0)), mask.pattern() + " key " + j);
                        } else {
                            assertSameBits(was, is);
                        }
                    }
                }
            }
        }
        Tensor ofClean = clean.query().copy();
        Tensor ofDirty = dirty.query().copy();
        if (anything) {
            ofClean.select(0, 1).select(0, 2).select(0, 5).fill(0);
            ofDirty.select(0, 1).select(0, 2).select(0, 5).fill(0);
        }
        assertSameBits(ofClean, ofDirty);
    }

    @Test
    default void biasOfMinusInfinityIsAMask() {
        Qkv qkv = Qkv.of(MASKED);
        AttentionShape s = qkv.shape();
        Tensor truths = new RandomTensors(4).truths(0.5, s.seqLenQ(), s.seqLenKv());
        truths.select(1, 7).fill(0);
        truths.select(0, 3).fill(0);
        Tensor bias = Tensor.zeros(DType.F32, s.seqLenQ(), s.seqLenKv());
        for (long i = 0; i < s.seqLenQ(); i++) {
            for (long j = 0; j < s.seqLenKv(); j++) {
                bias.set(truths.get(i, j) == 0 ? Double.NEGATIVE_INFINITY : 0, i, j);
            }
        }
        Qkv poisoned = qkv.copy();
        poisoned.key().select(2, 7).fill(Double.NaN);
        poisoned.value().select(2, 7).fill(Double.NaN);
        AttentionOptions kept = AttentionOptions.DEFAULT.withLse().withWeights();
        AttentionInputs masked = qkv.with(kept.withMask(Mask.dense(truths)));
        AttentionInputs biased = poisoned.with(kept.withBias(bias));
        AttentionResult expected = forward(masked);
        AttentionResult actual = forward(biased);
        assertClose(expected.output(), actual.output(), 1e-5);
        assertClose(Objects.requireNonNull(expected.lse()), Objects.requireNonNull(actual.lse()), 1e-5);
        assertClose(Objects.requireNonNull(expected.weights()), Objects.requireNonNull(actual.weights()), 1e-5);
        AttentionGradients gradients = gradients(biased);
        assertClose(gradients(masked).key(), gradients.key(), 1e-4);
        assertFinite(Objects.requireNonNull(gradients.bias()));
        assertAll(0, gradients.bias().select(1, 7));
        assertAll(0, gradients.bias().select(0, 3));
    }

    @Test
    default void nanThatIsSeenStaysInItsRow() {
        Qkv qkv = Qkv.of(MASKED);
        Qkv poisoned = qkv.copy();
        poisoned.query().set(Double.NaN, 1, 2, 5, 3);
        assertOneRowIs(Double.NaN, forward(qkv.with(everything())), forward(poisoned.with(everything())), 1, 2, 5);
    }

    @Test
    default void nanInAKeyStaysInItsHeads() {
        Qkv qkv = Qkv.of(MASKED);
        Qkv poisoned = qkv.copy();
        poisoned.key().set(Double.NaN, 0, 1, 30, 0);
        Tensor clean = output(qkv.with(AttentionOptions.DEFAULT));
        Tensor dirty = output(poisoned.with(AttentionOptions.DEFAULT));
        assertSameBits(clean.select(0, 1), dirty.select(0, 1));
        assertSameBits(clean.select(0, 0).slice(0, 0, 2), dirty.select(0, 0).slice(0, 0, 2));
        assertAll(Double.NaN, dirty.select(0, 0).slice(0, 2, 4));
    }

    @Test
    default void infiniteBiasIsNotANumberInItsRowOnly() {
        Qkv qkv = Qkv.of(MASKED);
        Tensor bias = Tensor.zeros(DType.F32, 2, 4, 21, 37);
        AttentionResult clean = forward(qkv.with(everything().withBias(bias.copy())));
        bias.set(Double.POSITIVE_INFINITY, 0, 3, 20, 11);
        assertOneRowIs(Double.NaN, clean, forward(qkv.with(everything().withBias(bias))), 0, 3, 20);
    }

    @Test
    default void infiniteValueStaysInItsColumn() {
        Qkv qkv = Qkv.of(MASKED);
        Qkv poisoned = qkv.copy();
        poisoned.value().set(Double.POSITIVE_INFINITY, 0, 0, 9, 4);
        Tensor clean = output(qkv.with(AttentionOptions.DEFAULT));
        Tensor dirty = output(poisoned.with(AttentionOptions.DEFAULT));
        assertAll(Double.POSITIVE_INFINITY, dirty.select(0, 0).slice(0, 0, 2).select(2, 4));
        assertSameBits(clean.slice(3, 0, 4), dirty.slice(3, 0, 4));
        assertSameBits(clean.slice(3, 5, 20), dirty.slice(3, 5, 20));
    }

    @Test
    default void hugeScoresGiveFiniteOutputs() {
        for (String type : new String[] {"f32", "f64"}) {
            Qkv qkv = Qkv.of("q1x2x9x16 kv2x33 " + type);
            for (Tensor tensor : new Tensor[] {qkv.query(), qkv.key()}) {
                for (long position = 0; position < tensor.elementCount(); position++) {
                    tensor.put(position, tensor.at(position) * 1e15);
                }
            }
            AttentionResult result =
                    forward(qkv.with(AttentionOptions.DEFAULT.withLse().withWeights()));
            assertFinite(result.output());
            assertFinite(Objects.requireNonNull(result.lse()));
            assertFinite(Objects.requireNonNull(result.weights()));
            assertTrue(RandomTensors.largest(result.lse()) > 1e29);
        }
    }

    /**
     * The scores are so large that the rounding error of a scaled score is larger than the largest argument for which
     * {@code exp} is finite. All scores are equal, so the output is the mean of the values.
     */
    @Test
    default void equalHugeScoresWeighEqually() {
        for (String sizes : new String[] {"q1x2x9x16 kv2x33 ", "q1x2x1x16 kv2x33 "}) {
            for (String type : new String[] {"f32", "bf16", "f16", "f64"}) {
                Qkv qkv = Qkv.of(sizes + type);
                double huge = 15 * (type.equals("f16") ? 0x1p12 : 0x1p46); // sums of its squares are exact
                qkv.query().fill(huge);
                qkv.key().fill(huge);
                for (AttentionOptions options :
                        new AttentionOptions[] {AttentionOptions.DEFAULT, AttentionOptions.DEFAULT.withTf32()}) {
                    AttentionResult result = forward(qkv.with(options.withLse()));
                    assertFinite(Objects.requireNonNull(result.lse()));
                    for (long h = 0; h < 2; h++) {
                        for (long d = 0; d < 16; d++) {
                            double mean = 0;
                            for (long j = 0; j < 33; j++) {
                                mean += qkv.value().get(0, h, j, d) / 33;
                            }
                            assertEquals(mean, result.output().get(0, h, 0, d), 0.02, sizes + type);
                        }
                    }
                }
            }
        }
    }

    private static AttentionOptions everything() {
        return AttentionOptions.DEFAULT.withLse().withWeights().withRows(4, 20).withTopK(3);
    }

    /** Asserts that output and LSE of one row have the expected value and that all other rows have the same bits. */
    private static void assertOneRowIs(
            double expected, AttentionResult clean, AttentionResult dirty, long b, long h, long i) {
        assertAll(expected, dirty.output().select(0, b).select(0, h).select(0, i));
        assertAll(
                expected,
                Objects.requireNonNull(dirty.lse()).select(0, b).select(0, h).select(0, i));
        for (AttentionResult result : new AttentionResult[] {clean, dirty}) {
            result.output().select(0, b).select(0, h).select(0, i).fill(0);
            Objects.requireNonNull(result.lse()).set(0, b, h, i);
        }
        assertSameBits(clean.output(), dirty.output());
        assertSameBits(clean.lse(), dirty.lse());
    }

    private static boolean seen(BoundMask mask, AttentionShape s, long b, long kvHead, long j) {
        for (long h = kvHead * s.groupSize(); h < (kvHead + 1) * s.groupSize(); h++) {
            for (long i = 0; i < s.seqLenQ(); i++) {
                if (mask.takesPart(b, h, i, j)) {
                    return true;
                }
            }
        }
        return false;
    }
}
