package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertClose;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Tests of the static methods of {@link Attention}, some of them against results computed by hand. */
class AttentionTest {
    private static final AttentionOptions PLAIN = AttentionOptions.DEFAULT.withBackend("reference");

    /** The scores are 0 and ln 3 with scale 1, so the weights are 1/4 and 3/4. */
    @Test
    void twoKeysByHand() {
        Tensor query = Tensor.of(new double[] {1}, 1, 1, 1, 1);
        Tensor key = Tensor.of(new double[] {0, Math.log(3)}, 1, 1, 2, 1);
        Tensor value = Tensor.of(new double[] {4, 0, 0, 8}, 1, 1, 2, 2);
        AttentionResult result = Attention.scaledDotProduct(
                query, key, value, PLAIN.withLse().withWeights().withTopK(2).withScores(ScoreStage.SCORE));
        assertArrayEquals(new double[] {1, 6}, result.output().toDoubleArray(), 1e-15);
        assertArrayEquals(new double[] {0.25, 0.75}, array(result.weights()), 1e-15);
        assertArrayEquals(new double[] {Math.log(4)}, array(result.lse()), 1e-15);
        assertArrayEquals(new double[] {0.75, 0.25}, array(result.topKWeights()), 1e-15);
        assertArrayEquals(new double[] {1, 0}, array(result.topKIndices()));
        assertArrayEquals(new double[] {0, Math.log(3)}, array(result.scores()));
    }

    @Test
    void theStagesOfAScoreByHand() {
        Tensor one = Tensor.of(new double[] {1}, 1, 1, 1, 1);
        Tensor keys = Tensor.of(new double[] {2, 5}, 1, 1, 2, 1);
        AttentionOptions options = PLAIN.withScale(3)
                .withSoftcap(4.0)
                .withBias(Tensor.of(new double[] {0.5, 100}, 2))
                .withMask(Mask.keyLengths(1));
        double[] raw = {6, 15};
        double[] capped = {4 * Math.tanh(6 / 4.0), 4 * Math.tanh(15 / 4.0)};
        double[] modified = {capped[0] + 0.5, Double.NEGATIVE_INFINITY};
        double[][] expected = {raw, capped, modified};
        for (ScoreStage stage : ScoreStage.values()) {
            AttentionResult result = Attention.scaledDotProduct(one, keys, keys, options.withScores(stage));
            assertArrayEquals(expected[stage.ordinal()], array(result.scores()), 1e-14, stage.name());
        }
    }

    /** The slope is 1/2, so a score is minus half the distance between the positions of query and key. */
    @Test
    void alibiByHand() {
        Tensor zeros = Tensor.zeros(DType.F64, 1, 1, 2, 1);
        Tensor keys = Tensor.zeros(DType.F64, 1, 1, 3, 1);
        AttentionOptions options =
                PLAIN.withAlibi(Tensor.of(new double[] {0.5}, 1)).withScores(ScoreStage.MODIFIED);
        AttentionResult result = Attention.scaledDotProduct(zeros, keys, keys, options);
        assertArrayEquals(new double[] {-0.5, 0, -0.5, -1, -0.5, 0}, array(result.scores()));
    }

    @Test
    void onlyWhatIsAskedForIsKept() {
        Qkv qkv = Qkv.of("q1x2x3x4 kv2x5 f32");
        AttentionResult result = Attention.scaledDotProduct(qkv.query(), qkv.key(), qkv.value(), PLAIN);
        assertNull(result.lse());
        assertNull(result.weights());
        assertNull(result.rowWeights());
        assertNull(result.topKWeights());
        assertNull(result.topKIndices());
        assertNull(result.scores());
        assertClose(result.output(), Attention.scaledDotProduct(qkv.query(), qkv.key(), qkv.value()), 1e-6);
    }

    @Test
    void chosenRowsComeInTheOrderAsked() {
        Qkv qkv = Qkv.of("q2x2x7x4 kv2x5 f32");
        AttentionResult result = Attention.scaledDotProduct(
                qkv.query(), qkv.key(), qkv.value(), PLAIN.withWeights().withRows(6, 0, 6));
        Tensor rows = Objects.requireNonNull(result.rowWeights());
        Tensor all = Objects.requireNonNull(result.weights());
        long[] chosen = {6, 0, 6};
        for (int r = 0; r < 3; r++) {
            assertSameBits(all.select(2, chosen[r]).copy(), rows.select(2, r).copy());
        }
    }

    @Test
    void statisticsHaveTheAccumulatorType() {
        for (String type : List.of("f16", "bf16", "f32", "f64")) {
            AttentionProblem problem = AttentionProblem.parse("q1x2x3x4 kv2x5 lse weights topk=2 " + type);
            AttentionResult result = AttentionResult.allocate(problem);
            DType statistics = type.equals("f64") ? DType.F64 : DType.F32;
            assertEquals(problem.type(), result.output().type());
            assertEquals(statistics, Objects.requireNonNull(result.lse()).type());
            assertEquals(statistics, Objects.requireNonNull(result.weights()).type());
            assertEquals(DType.I64, Objects.requireNonNull(result.topKIndices()).type());
        }
    }

    @Test
    void resultsMayLieInAnArena() {
        try (Arena arena = Arena.ofConfined()) {
            AttentionInputs inputs = Qkv.of("q1x2x3x4 kv2x5 f32").with(PLAIN.withLse());
            AttentionResult result = AttentionResult.allocate(inputs.problem(), arena);
            Attention.scaledDotProduct(inputs, result);
            assertTrue(result.output().segment().isNative());
            assertSameBits(
                    Attention.scaledDotProduct(inputs.query(), inputs.key(), inputs.value(), inputs.options()), result);
        }
    }

    @Test
    void mergeOfNothingIsTheOtherPart() {
        Qkv qkv = Qkv.of("q1x2x3x4 kv2x5 f64");
        AttentionResult some = Attention.scaledDotProduct(qkv.query(), qkv.key(), qkv.value(), PLAIN.withLse());
        AttentionResult none = Attention.scaledDotProduct(
                qkv.query(), qkv.key(), qkv.value(), PLAIN.withLse().withMask(Mask.keyLengths(0)));
        assertSameBits(some.output(), Attention.merge(some, none).output());
        assertSameBits(some.output(), Attention.merge(none, some).output());
        assertSameBits(some.lse(), Attention.merge(none, some).lse());
        assertAll(0, Attention.merge(none, none).output());
        assertAll(Double.NEGATIVE_INFINITY, Attention.merge(none, none).lse());
    }

    @Test
    void softmaxByHand() {
        Tensor x = Tensor.of(new double[] {0, Math.log(3), 7, 7}, 2, 2);
        assertArrayEquals(
                new double[] {0.25, 0.75, 0.5, 0.5}, Attention.softmax(x, -1).toDoubleArray(), 1e-15);
        double half = Math.log(0.5);
        assertArrayEquals(
                new double[] {Math.log(0.25), Math.log(0.75), half, half},
                Attention.logSoftmax(x, 1).toDoubleArray(),
                1e-15);
    }

    /** Rotates by a right angle: (x, y) becomes (-y, x). */
    @Test
    void rotaryByHand() {
        Tensor x = Tensor.of(new double[] {1, 2, 3, 4}, 1, 1, 1, 4);
        Tensor cos = Tensor.zeros(DType.F64, 1, 1, 2);
        Tensor sin = Tensor.zeros(DType.F64, 1, 1, 2).fill(1);
        assertArrayEquals(
                new double[] {-3, -4, 1, 2},
                Attention.rotary(RotaryInputs.of(x, cos, sin, null, false)).toDoubleArray());
        assertArrayEquals(
                new double[] {-2, 1, -4, 3},
                Attention.rotary(RotaryInputs.of(x, cos, sin, null, true)).toDoubleArray());
    }

    @Test
    void gradientsHaveTheShapesOfTheInputs() {
        AttentionInputs in = Qkv.of("q2x4x3x8 kv2x5 dv6 bf16")
                .with(PLAIN.withBias(Tensor.zeros(DType.F32, 4, 1, 5)).withSink(Tensor.zeros(DType.F64, 4)));
        AttentionResult forward = Attention.scaledDotProduct(in.query(), in.key(), in.value(), in.options());
        AttentionGradients gradients = Attention.backward(in, forward, forward.output());
        assertEquals("bf16 [2, 2, 5, 6]", gradients.value().toString());
        assertEquals("f32 [4, 1, 5]", String.valueOf(gradients.bias()));
        assertEquals("f64 [4]", String.valueOf(gradients.sink()));
    }

    @Test
    void optionsChangeOneThingEach() {
        AttentionOptions options = PLAIN.causal(CausalAlignment.TOP_LEFT).withMask(Mask.keyLengths(3));
        assertEquals(Mask.keyLengths(3), options.mask());
        assertEquals("keylens&causal:br", options.causal().mask().pattern());
        assertEquals(PLAIN.withLse(), PLAIN.withLse().withSoftcap(2.0).withSoftcap(null));
        assertEquals(List.of(3L, 1L), PLAIN.withRows(3, 1).rows());
        assertEquals(0.25, PLAIN.withScale(0.25).score().scale(64));
        assertEquals("reference", PLAIN.withTopK(3).withDropout(0.1, 7).backend());
    }

    @Test
    void shapesCountHeadsAndWork() {
        var shape = new AttentionShape(2, 12, 4, 10, 20, 64, 32);
        assertEquals(3, shape.groupSize());
        assertEquals(2.0 * 2 * 12 * 10 * 20 * (64 + 32), shape.flops());
    }

    private static double[] array(@Nullable Tensor tensor) {
        assertNotNull(tensor);
        return tensor.toDoubleArray();
    }
}
