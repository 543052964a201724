package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertClose;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests that results do not depend on the memory layout: other axis orders, packed tensors, gaps, native memory, read-only
 * memory.
 */
interface ViewContract extends ContractChapter {
    AttentionOptions CAUSAL = AttentionOptions.DEFAULT.causal().withLse();

    @EveryShape
    default void sequenceBeforeHeadsIsAView(String shape) {
        Qkv qkv = Qkv.of(shape);
        Qkv views = new Qkv(exchanged(qkv.query(), 1, 2), exchanged(qkv.key(), 1, 2), exchanged(qkv.value(), 1, 2));
        assertAlike(qkv, views);
    }

    @EveryShape
    default void widthBeforeSequenceIsAView(String shape) {
        Qkv qkv = Qkv.of(shape);
        Qkv views = new Qkv(exchanged(qkv.query(), 2, 3), exchanged(qkv.key(), 2, 3), exchanged(qkv.value(), 2, 3));
        assertAlike(qkv, views);
    }

    @EveryShape
    default void expandedBatchesAreReadAsIfRepeated(String shape) {
        Qkv qkv = Qkv.of(shape);
        Qkv views = qkv.meeting(expanded(qkv.key()), expanded(qkv.value()));
        assertAlike(new Qkv(views.query(), views.key().copy(), views.value().copy()), views);
    }

    @Test
    default void packedProjectionsAreReadWhereTheyLie() {
        Qkv qkv = Qkv.of("q2x4x9x16 kv2x9 dv12 f32");
        Tensor packed = Tensor.zeros(DType.F32, 2, 9, 4 * 16 + 2 * 16 + 2 * 12);
        Qkv views = new Qkv(
                Layout.packed(packed.slice(2, 0, 64), 4),
                Layout.packed(packed.slice(2, 64, 96), 2),
                Layout.packed(packed.slice(2, 96, 120), 2));
        views.query().copyFrom(qkv.query());
        views.key().copyFrom(qkv.key());
        views.value().copyFrom(qkv.value());
        assertAlike(qkv, views);
    }

    @Test
    default void outputsMayBeViews() {
        AttentionInputs inputs = Qkv.of("q2x4x9x16 kv2x13 dv12 f32").with(CAUSAL);
        AttentionResult expected = forward(inputs);
        Tensor packed = Tensor.zeros(DType.F32, 2, 9, 4 * 12).fill(7);
        Tensor lse = RandomTensors.padded(Tensor.zeros(DType.F32, 2, 4, 9), 7);
        var result = AttentionResult.into(Layout.packed(packed, 4)).withLse(lse);
        try (AttentionPlan plan = subject().plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        assertClose(expected.output(), result.output(), 1e-5);
        assertClose(Objects.requireNonNull(expected.lse()), lse, 1e-5);
        assertGap(7, lse);
    }

    @EveryShape
    default void nanInGapsChangesNothing(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionShape s = qkv.shape();
        var random = new RandomTensors(6);
        Tensor bias = random.normal(DType.F32, 1, s.numHeads(), s.seqLenQ(), s.seqLenKv());
        Tensor sink = random.normal(DType.F32, s.numHeads());
        AttentionInputs[] inputs = new AttentionInputs[2];
        for (int n = 0; n < 2; n++) {
            double gap = n == 0 ? 0 : Double.NaN;
            inputs[n] = new Qkv(
                            RandomTensors.padded(qkv.query(), gap),
                            RandomTensors.padded(qkv.key(), gap),
                            RandomTensors.padded(qkv.value(), gap))
                    .with(CAUSAL.withWeights()
                            .withBias(RandomTensors.padded(bias, gap))
                            .withSink(RandomTensors.padded(sink, gap)));
        }
        assertSameBits(forward(inputs[0]), forward(inputs[1]));
        assertSameBits(gradients(inputs[0]), gradients(inputs[1]));
    }

    @Test
    default void memoryOfAConfinedArenaIsReadAndWritten() {
        Qkv qkv = Qkv.of("q2x4x40x32 kv2x50 f32");
        AttentionResult expected = forward(qkv.with(CAUSAL));
        try (Arena arena = Arena.ofConfined()) {
            Qkv confined = new Qkv(in(arena, qkv.query()), in(arena, qkv.key()), in(arena, qkv.value()));
            AttentionInputs inputs = confined.with(CAUSAL);
            AttentionResult result = AttentionResult.allocate(inputs.problem(), arena);
            try (AttentionPlan plan = subject().plan(inputs.problem())) {
                plan.forward(inputs, result);
            }
            assertClose(expected.output(), result.output(), 1e-5);
        }
    }

    @Test
    default void readOnlyInputsAreRead() {
        Qkv qkv = Qkv.of("q2x4x9x16 kv2x13 f32");
        Qkv readOnly = new Qkv(
                qkv.query().asReadOnly(), qkv.key().asReadOnly(), qkv.value().asReadOnly());
        assertSameBits(forward(qkv.with(CAUSAL)), forward(readOnly.with(CAUSAL)));
    }

    @Test
    default void theMaskMayBeAView() {
        Qkv qkv = Qkv.of("q2x4x9x16 kv2x13 f32");
        Tensor truths = new RandomTensors(8).truths(0.6, 2, 4, 9, 13);
        AttentionOptions straight = CAUSAL.withMask(Mask.dense(truths));
        AttentionOptions view = CAUSAL.withMask(Mask.dense(exchanged(truths, 2, 3)));
        assertSameBits(forward(qkv.with(straight)), forward(qkv.with(view)));
    }

    @Test
    default void selfAttentionReadsOneTensorThreeTimes() {
        Tensor x = new RandomTensors(9).normal(DType.F32, 2, 3, 21, 16);
        assertSameBits(
                forward(new Qkv(x.copy(), x.copy(), x.copy()).with(CAUSAL)), forward(new Qkv(x, x, x).with(CAUSAL)));
    }

    /**
     * Keys are the first rows of a longer cache, and values are the first columns of the keys. Kernels use different loops
     * for 12 queries or fewer.
     */
    @ParameterizedTest
    @CsvSource({"F32,1", "F16,1", "BF16,1", "F32,13", "F16,13", "BF16,13", "F32,40", "F16,40", "BF16,40"})
    default void bytesOfACacheAreReadWhereTheyLie(DType type, int queries) {
        var random = new RandomTensors(12);
        Tensor query = random.normal(type, 1, 2, queries, 16);
        Tensor cache = random.normal(DType.F32, 1, 2, 128, 16).quantized();
        Tensor keys = cache.slice(2, 0, 32).slice(1, 0, 1);
        Tensor numbers = keys.to(DType.F32);
        Qkv exact = new Qkv(query.to(DType.F32), numbers, numbers.slice(3, 0, 12));
        AttentionResult expected = forward(exact.with(CAUSAL));
        AttentionResult actual = forward(new Qkv(query, keys, keys.slice(3, 0, 12)).with(CAUSAL));
        double ulp = type == DType.BF16 ? 0x1p-8 : type == DType.F16 ? 0x1p-11 : 0;
        double tolerance = 1e-5 + 2 * ulp * RandomTensors.largest(numbers);
        assertClose(expected.output(), actual.output(), tolerance);
        assertClose(Objects.requireNonNull(expected.lse()), Objects.requireNonNull(actual.lse()), 1e-5);
    }

    @ParameterizedTest
    @CsvSource({"general", "location", "additive", "concat"})
    default void parametersOfScoresMayBeViews(String name) {
        Qkv qkv = Qkv.of("q2x4x9x16 kv2x11 f32");
        AttentionInputs straight = qkv.with(AttentionOptions.DEFAULT.withScore(score(name, false)));
        AttentionInputs viewed = qkv.with(AttentionOptions.DEFAULT.withScore(score(name, true)));
        assumeSupported(straight.problem());
        assertClose(output(straight), output(viewed), qkv.outputTolerance());
        AttentionGradients one = gradients(straight);
        AttentionGradients other = gradients(viewed);
        double tolerance = 8 * qkv.outputTolerance() * Math.max(1, RandomTensors.largest(one.query()));
        assertClose(one.query(), other.query(), tolerance);
        assertClose(one.key(), other.key(), tolerance);
        var transposed = Objects.requireNonNull(other.score()).parameters();
        Objects.requireNonNull(one.score())
                .parameters()
                .forEach((key, gradient) -> assertClose(
                        gradient,
                        Objects.requireNonNull(transposed.get(key)),
                        8 * qkv.outputTolerance() * Math.max(1, RandomTensors.largest(gradient))));
    }

    private static ScoreFunction score(String name, boolean transposed) {
        var random = new RandomTensors(6);
        UnaryOperator<Tensor> view = transposed ? tensor -> exchanged(tensor, 0, 1) : tensor -> tensor;
        return switch (name) {
            case "general" -> ScoreFunction.general(view.apply(random.normal(DType.F32, 4, 16, 16)));
            case "location" -> ScoreFunction.location(view.apply(random.normal(DType.F32, 4, 16, 11)));
            case "additive" ->
                ScoreFunction.additive(
                        view.apply(random.normal(DType.F32, 4, 16, 8)),
                        view.apply(random.normal(DType.F32, 4, 16, 8)),
                        view.apply(random.normal(DType.F32, 4, 8)),
                        view.apply(random.normal(DType.F32, 4, 8)));
            default ->
                ScoreFunction.concat(
                        view.apply(random.normal(DType.F32, 4, 32, 8)), view.apply(random.normal(DType.F32, 4, 8)));
        };
    }

    private void assertAlike(Qkv expected, Qkv actual) {
        AttentionInputs straight = expected.with(CAUSAL);
        AttentionInputs viewed = actual.with(CAUSAL);
        AttentionResult one = forward(straight);
        AttentionResult other = forward(viewed);
        assertClose(one.output(), other.output(), expected.outputTolerance());
        assertClose(
                Objects.requireNonNull(one.lse()), Objects.requireNonNull(other.lse()), expected.statisticsTolerance());
        AttentionGradients dOne = gradients(straight);
        AttentionGradients dOther = gradients(viewed);
        double tolerance = 8 * expected.outputTolerance() * Math.max(1, RandomTensors.largest(dOne.key()));
        assertClose(dOne.query(), dOther.query(), tolerance);
        assertClose(dOne.key(), dOther.key(), tolerance);
        assertClose(dOne.value(), dOther.value(), tolerance);
    }

    /** {@return the same tensor with two axes exchanged in memory} */
    private static Tensor exchanged(Tensor tensor, int axis, int other) {
        return tensor.transpose(axis, other).copy().transpose(axis, other);
    }

    private static Tensor expanded(Tensor tensor) {
        return tensor.slice(0, 0, 1).expand(tensor.shape());
    }

    private static Tensor in(Arena arena, Tensor tensor) {
        Tensor copy = Tensor.allocate(arena, tensor.type(), tensor.shape());
        copy.copyFrom(tensor);
        return copy;
    }

    /** Asserts that the gap of a tensor made by {@link RandomTensors#padded} is unchanged. */
    private static void assertGap(double gap, Tensor window) {
        Tensor memory = Tensor.of(
                window.segment(),
                window.type(),
                window.segment().byteSize() / window.type().bytes());
        long gaps = memory.elementCount() - window.elementCount();
        window.fill(Double.NaN);
        double[] cells = memory.toDoubleArray();
        long kept = 0;
        for (double cell : cells) {
            kept += cell == gap ? 1 : 0;
        }
        assertEquals(gaps, kept, "elements of the gap");
        assertAll(Double.NaN, window);
    }
}
