package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertFinite;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

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

/** Tests of rows without attended keys: output 0, weights 0, LSE minus infinity (or the sink), gradients 0, never NaN. */
interface DeadRowContract extends ContractChapter {
    /** The case string of a shape for which every mask of {@link #masks} leaves some rows without attended keys. */
    String SHAPE = "q2x4x19x16 kv2x11 f32";

    /** Masks that leave the first rows, the last rows, some rows or all rows without attended keys. */
    static Stream<Mask> masks() {
        return Stream.of(
                Mask.causal(),
                Mask.causal(CausalAlignment.offset(-17)),
                new Mask.Window(2, 2, CausalAlignment.TOP_LEFT),
                Mask.keyLengths(0, 4),
                Mask.dense(new RandomTensors(1).truths(0.1, 2, 4, 19, 11)),
                Mask.dense(Tensor.zeros(DType.BOOL, 1, 1, 1, 1)),
                Mask.causal().and(Mask.keyLengths(1, 0)));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.DeadRowContract#masks")
    default void emptyRowsAreZeroAndTheirLseIsMinusInfinity(Mask mask) {
        AttentionResult result = forward(Qkv.of(SHAPE).with(kept().withMask(mask)));
        AttentionShape s = Qkv.of(SHAPE).shape();
        BoundMask bound = mask.on(s.seqLenQ(), s.seqLenKv());
        forEachRow(s, (b, h, i) -> {
            boolean dead = dead(bound, s, b, h, i);
            assertEquals(dead, lse(result).get(b, h, i) == Double.NEGATIVE_INFINITY, "row " + i);
            if (dead) {
                assertAll(0, row(result.output(), b, h, i));
                assertAll(0, row(result.weights(), b, h, i));
                assertAll(0, row(result.topKWeights(), b, h, i));
                assertAll(-1, row(result.topKIndices(), b, h, i));
            }
        });
        assertFinite(result.output());
        assertFinite(Objects.requireNonNull(result.weights()));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.DeadRowContract#masks")
    default void sinkIsTheLseOfEmptyRows(Mask mask) {
        AttentionShape s = Qkv.of(SHAPE).shape();
        Tensor sink = Tensor.of(new float[] {-1, 0.5f, 3, 100}, 4);
        AttentionResult result =
                forward(Qkv.of(SHAPE).with(kept().withMask(mask).withSink(sink)));
        BoundMask bound = mask.on(s.seqLenQ(), s.seqLenKv());
        forEachRow(s, (b, h, i) -> {
            if (dead(bound, s, b, h, i)) {
                assertEquals(sink.get(h), lse(result).get(b, h, i));
                assertAll(0, row(result.output(), b, h, i));
                assertAll(0, row(result.weights(), b, h, i));
            }
        });
        assertFinite(lse(result));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.DeadRowContract#masks")
    default void emptyRowsHaveNoGradients(Mask mask) {
        AttentionShape s = Qkv.of(SHAPE).shape();
        Tensor bias = new RandomTensors(2).normal(DType.F32, s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv());
        Tensor sink = new RandomTensors(3).normal(DType.F32, s.numHeads());
        for (AttentionOptions options : new AttentionOptions[] {
            kept().withMask(mask),
            kept().withMask(mask).withBias(bias).withSink(sink).withSoftcap(3.0)
        }) {
            AttentionGradients gradients = gradients(Qkv.of(SHAPE).with(options));
            BoundMask bound = mask.on(s.seqLenQ(), s.seqLenKv());
            forEachRow(s, (b, h, i) -> {
                if (dead(bound, s, b, h, i)) {
                    assertAll(0, row(gradients.query(), b, h, i));
                    if (gradients.bias() != null) {
                        assertAll(0, row(gradients.bias(), b, h, i));
                    }
                }
            });
            for (Tensor gradient : gradients.tensors()) {
                if (gradient != null) {
                    assertFinite(gradient);
                }
            }
        }
    }

    /** NaN in the query of a row without attended keys has no effect. */
    @ParameterizedTest
    @MethodSource("dev.heed.DeadRowContract#masks")
    default void queriesOfEmptyRowsAreNeverRead(Mask mask) {
        Qkv qkv = Qkv.of(SHAPE);
        AttentionShape s = qkv.shape();
        BoundMask bound = mask.on(s.seqLenQ(), s.seqLenKv());
        Qkv poisoned = qkv.copy();
        forEachRow(s, (b, h, i) -> {
            if (dead(bound, s, b, h, i)) {
                row(poisoned.query(), b, h, i).fill(Double.NaN);
            }
        });
        AttentionOptions options = kept().withMask(mask).withSink(new RandomTensors(3).normal(DType.F32, 4));
        TensorAssertions.assertSameBits(forward(qkv.with(options)), forward(poisoned.with(options)));
        TensorAssertions.assertSameBits(gradients(qkv.with(options)), gradients(poisoned.with(options)));
    }

    @Test
    default void nothingToSeeAnywhereLeavesAllGradientsZero() {
        Qkv qkv = Qkv.of(SHAPE);
        Tensor bias = new RandomTensors(2).normal(DType.F32, 19, 11);
        AttentionInputs inputs = qkv.with(AttentionOptions.DEFAULT
                .withMask(Mask.keyLengths(0, 0))
                .withBias(bias)
                .withSink(new RandomTensors(3).normal(DType.F32, 4)));
        AttentionGradients gradients = gradients(inputs);
        for (Tensor gradient : gradients.tensors()) {
            assertNotNull(gradient);
            assertAll(0, gradient);
        }
    }

    @Test
    default void sinkTakesItsShareOfEveryRow() {
        Qkv qkv = Qkv.of(SHAPE);
        AttentionOptions options = kept().withMask(Mask.NONE);
        AttentionResult without = forward(qkv.with(options));
        Tensor sink = Tensor.of(new float[] {-2, 0, 1, 5}, 4);
        AttentionResult with = forward(qkv.with(options.withSink(sink)));
        forEachRow(qkv.shape(), (b, h, i) -> {
            double keys = lse(without).get(b, h, i);
            double all = Math.log(Math.exp(keys) + Math.exp(sink.get(h)));
            assertEquals(all, lse(with).get(b, h, i), 1e-5);
            double share = Math.exp(keys - all);
            for (long d = 0; d < 16; d++) {
                assertEquals(
                        share * without.output().get(b, h, i, d), with.output().get(b, h, i, d), 1e-5);
            }
        });
    }

    private static AttentionOptions kept() {
        return AttentionOptions.DEFAULT.withLse().withWeights().withTopK(2);
    }

    private static Tensor lse(AttentionResult result) {
        return Objects.requireNonNull(result.lse());
    }

    private static Tensor row(Tensor tensor, long b, long h, long i) {
        return tensor.select(0, b).select(0, h).select(0, i);
    }

    private static boolean dead(BoundMask mask, AttentionShape s, long b, long h, long i) {
        for (long j = 0; j < s.seqLenKv(); j++) {
            if (mask.takesPart(b, h, i, j)) {
                return false;
            }
        }
        return true;
    }

    /** A function that is called for each row. */
    interface RowVisitor {
        void visit(long b, long h, long i);
    }

    private static void forEachRow(AttentionShape s, RowVisitor visitor) {
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numHeads(); h++) {
                for (long i = 0; i < s.seqLenQ(); i++) {
                    visitor.visit(b, h, i);
                }
            }
        }
    }
}
