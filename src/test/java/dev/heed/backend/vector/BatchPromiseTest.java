package dev.heed.backend.vector;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.SoftmaxProblem;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that a batch entry, a head or a softmax row has the same bits computed alone as computed together with others. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("slow")
class BatchPromiseTest {
    private final VectorBackend backend = new VectorBackend(3);

    @AfterAll
    void close() {
        backend.close();
    }

    /** The inputs of one attention and its backward pass, from which one batch entry or some heads can be cut out. */
    private record Whole(AttentionInputs inputs, Tensor dOutput) {
        static Whole of(String caseString) {
            Qkv qkv = Qkv.of(caseString);
            var random = new RandomTensors(8);
            long[] s = {
                qkv.query().size(0),
                qkv.query().size(1),
                qkv.query().size(2),
                qkv.key().size(2)
            };
            AttentionOptions options = AttentionOptions.DEFAULT
                    .withMask(Mask.dense(random.truths(0.8, s)).and(Mask.causal()))
                    .withBias(random.normal(DType.F32, s))
                    .withAlibi(random.normal(DType.F32, s[1]))
                    .withSink(random.normal(DType.F32, s[1]))
                    .withLse();
            Tensor dOutput = random.normal(
                    qkv.query().type(), s[0], s[1], s[2], qkv.value().size(3));
            return new Whole(qkv.with(options), dOutput);
        }

        Whole item(long batch) {
            return part(0, batch, batch + 1, batch, batch + 1);
        }

        /** {@return query heads {@code [from, to)} with the key/value heads that they use} */
        Whole heads(long from, long to) {
            long group = inputs.problem().shape().groupSize();
            return part(1, from, to, from / group, (to - 1) / group + 1);
        }

        private Whole part(int axis, long from, long to, long keysFrom, long keysTo) {
            AttentionOptions o = inputs.options();
            Tensor truths = o.mask().tensors().get(0).slice(axis, from, to);
            AttentionOptions options = AttentionOptions.DEFAULT
                    .withMask(Mask.dense(truths).and(Mask.causal()))
                    .withBias(present(o.bias()).slice(axis, from, to))
                    .withAlibi(
                            axis == 0
                                    ? o.alibiSlopes()
                                    : present(o.alibiSlopes()).slice(0, from, to))
                    .withSink(axis == 0 ? o.sink() : present(o.sink()).slice(0, from, to))
                    .withLse();
            Qkv cut = new Qkv(
                    inputs.query().slice(axis, from, to),
                    inputs.key().slice(axis, keysFrom, keysTo),
                    inputs.value().slice(axis, keysFrom, keysTo));
            return new Whole(cut.with(options), dOutput.slice(axis, from, to));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "q3x4x70x24 kv2x150 dv20 f32",
                "q3x4x70x24 kv2x150 dv20 bf16",
                "q3x8x1x64 kv2x3000 f32",
                "q3x8x1x64 kv2x3000 f16",
                "q3x8x1x64 kv2x3000 f64",
                "q3x6x5x40 kv2x1500 dv72 f32",
                "q33x2x3x8 kv1x40 f32"
            })
    void anItemAlone(String caseString) {
        Whole whole = Whole.of(caseString);
        AttentionResult result = forward(whole);
        AttentionGradients gradients = backward(whole, result);
        for (long b = 0; b < whole.inputs().query().size(0); b++) {
            Whole alone = whole.item(b);
            AttentionResult one = forward(alone);
            AttentionGradients its = backward(alone, one);
            assertSameBits(cut(result.output(), 0, b), one.output());
            assertSameBits(cut(present(result.lse()), 0, b), one.lse());
            assertSameBits(cut(gradients.query(), 0, b), its.query());
            assertSameBits(cut(gradients.key(), 0, b), its.key());
            assertSameBits(cut(gradients.value(), 0, b), its.value());
            assertSameBits(cut(present(gradients.bias()), 0, b), its.bias());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "q2x6x70x24 kv2x150 dv20 f32",
                "q2x6x70x24 kv2x150 dv20 bf16",
                "q2x8x1x64 kv2x3000 f32",
                "q2x6x5x40 kv2x1500 dv72 f16",
                "q1x80x1x24 kv1x300 f32"
            })
    void aHeadAlone(String caseString) {
        Whole whole = Whole.of(caseString);
        AttentionResult result = forward(whole);
        AttentionGradients gradients = backward(whole, result);
        for (long h = 0; h < whole.inputs().query().size(1); h++) {
            Whole alone = whole.heads(h, h + 1);
            AttentionResult one = forward(alone);
            AttentionGradients its = backward(alone, one);
            assertSameBits(cut(result.output(), 1, h), one.output());
            assertSameBits(cut(present(result.lse()), 1, h), one.lse());
            assertSameBits(cut(gradients.query(), 1, h), its.query());
            assertSameBits(cut(present(gradients.bias()), 1, h), its.bias());
        }
        long group = whole.inputs().problem().shape().groupSize();
        for (long kvHead = 0; kvHead < whole.inputs().key().size(1); kvHead++) {
            Whole sharing = whole.heads(kvHead * group, (kvHead + 1) * group);
            AttentionGradients its = backward(sharing, forward(sharing));
            assertSameBits(cut(gradients.key(), 1, kvHead), its.key());
            assertSameBits(cut(gradients.value(), 1, kvHead), its.value());
        }
    }

    /**
     * One head masks an infinite value that the other head attends to. Both heads must have the same bits as when computed
     * alone, although only one of them needs the loop that skips masked values.
     */
    @ParameterizedTest
    @ValueSource(strings = {"q1x2x1x24 kv1x300 f32", "q1x2x40x24 kv1x300 f32"})
    void aHeadAloneBesideInfiniteValues(String caseString) {
        Qkv qkv = Qkv.of(caseString);
        qkv.value().set(Double.POSITIVE_INFINITY, 0, 0, 7, 3);
        long queries = qkv.query().size(2);
        Tensor truths = Tensor.zeros(DType.BOOL, 1, 2, queries, 300).fill(1);
        truths.select(1, 1).slice(2, 0, 200).fill(0);
        Tensor both = forward(new Whole(qkv.with(AttentionOptions.DEFAULT.withMask(Mask.dense(truths))), qkv.query()))
                .output();
        for (int h = 0; h < 2; h++) {
            Qkv alone = new Qkv(qkv.query().slice(1, h, h + 1), qkv.key(), qkv.value());
            AttentionOptions options = AttentionOptions.DEFAULT.withMask(Mask.dense(truths.slice(1, h, h + 1)));
            assertSameBits(
                    cut(both, 1, h),
                    forward(new Whole(alone.with(options), alone.query())).output());
        }
    }

    /**
     * Compares three of 205 batch entries, which have the same queries, keys and values, with one entry computed alone. The
     * partial attention states of the batch are computed in several waves.
     */
    @Test
    void anItemAloneOfAVeryLargeBatch() {
        Qkv one = Qkv.of("q1x64x12x2 kv1x100000 f32");
        AttentionOptions options = AttentionOptions.DEFAULT.withMask(Mask.keyLengths(5));
        long[] lengths = new long[205];
        Arrays.fill(lengths, 5);
        Qkv many = new Qkv(
                one.query().expand(205, 64, 12, 2),
                one.key().expand(205, 1, 100_000, 2),
                one.value().expand(205, 1, 100_000, 2));
        Tensor expected = forward(new Whole(one.with(options), one.query())).output();
        Tensor output = forward(
                        new Whole(many.with(AttentionOptions.DEFAULT.withMask(Mask.keyLengths(lengths))), one.query()))
                .output();
        for (int item : new int[] {0, 100, 204}) {
            assertSameBits(expected, cut(output, 0, item));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 257, 70_001})
    void aSoftmaxRowAlone(int length) {
        Tensor input = new RandomTensors(3).normal(DType.F32, 5, length);
        for (boolean log : new boolean[] {false, true}) {
            Tensor whole = softmax(input, log);
            for (int row = 0; row < 5; row++) {
                assertSameBits(cut(whole, 0, row), softmax(input.slice(0, row, row + 1), log));
            }
        }
    }

    private Tensor softmax(Tensor input, boolean log) {
        Tensor output = Tensor.zeros(input.type(), input.shape());
        backend.plan(SoftmaxProblem.of(input.shape(), 1, input.type(), log)).forward(input, output);
        return output;
    }

    /** Compares outputs only, because the gradients of the parameters are sums over the batch. */
    @Test
    void anItemOfMultiHeadAttentionAlone() {
        var random = new RandomTensors(6);
        MultiHeadWeights weights = MultiHeadWeights.of(
                random.normal(DType.F32, 40, 32),
                random.normal(DType.F32, 40, 32),
                random.normal(DType.F32, 40, 32),
                random.normal(DType.F32, 32, 300));
        Tensor x = random.normal(DType.F32, 5, 37, 40);
        Tensor whole = multiHead(x, weights);
        for (int item = 0; item < 5; item++) {
            assertSameBits(cut(whole, 0, item), multiHead(x.slice(0, item, item + 1), weights));
        }
    }

    private Tensor multiHead(Tensor x, MultiHeadWeights weights) {
        MultiHeadInputs inputs = MultiHeadInputs.of(x, x, x, weights, 4, 4, AttentionOptions.DEFAULT.causal());
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        backend.plan(inputs.problem()).forward(inputs, result);
        return result.output();
    }

    private AttentionResult forward(Whole whole) {
        AttentionResult result = AttentionResult.allocate(whole.inputs().problem());
        backend.plan(whole.inputs().problem()).forward(whole.inputs(), result);
        return result;
    }

    private AttentionGradients backward(Whole whole, AttentionResult forward) {
        AttentionGradients gradients = AttentionGradients.allocate(whole.inputs());
        backend.plan(whole.inputs().problem()).backward(whole.inputs(), forward, whole.dOutput(), null, gradients);
        return gradients;
    }

    private static Tensor cut(Tensor tensor, int axis, long index) {
        return tensor.slice(axis, index, index + 1).copy();
    }

    private static Tensor present(Tensor tensor) {
        assertNotNull(tensor);
        return tensor;
    }
}
