package dev.heed.backend.vector.f64;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertFinite;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionBackend;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.ScoreStage;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Tests in f64 the rules that the contract tests check in f32, and the guarantees that only f64 gives. */
class F64AttentionTest {
    private static final String SHAPE = "q2x4x75x16 kv2x150 dv20 f64";
    private static final VectorBackend BACKEND = new VectorBackend(2);
    private static final AttentionOptions EVERYTHING =
            AttentionOptions.DEFAULT.withLse().withWeights().withRows(4, 20).withTopK(3);

    @AfterAll
    static void closeTheBackend() {
        BACKEND.close();
    }

    private static List<Mask> masks() {
        return List.of(
                Mask.keyLengths(5, 130),
                Mask.keyLengths(0, 150),
                Mask.causal(CausalAlignment.TOP_LEFT),
                Mask.window(70, 1),
                Mask.dense(new RandomTensors(1).truths(0.02, 2, 4, 75, 150)),
                Mask.dense(new RandomTensors(2).truths(0.6, 2, 1, 1, 150)),
                Mask.causal(CausalAlignment.TOP_LEFT).and(Mask.keyLengths(9, 150)),
                Mask.window(0, 0).or(Mask.keyLengths(3, 1)));
    }

    @Test
    void maskedKeysAndValuesAreNeverRead() {
        for (Mask mask : masks()) {
            Qkv qkv = Qkv.of(SHAPE);
            var bound = mask.on(75, 150);
            Tensor key = qkv.key().copy();
            Tensor value = qkv.value().copy();
            for (long j = 0; j < 300; j++) {
                boolean seen = false;
                for (long row = 0; row < 4 * 75; row++) { // in all heads, because both key/value heads are poisoned
                    seen |= bound.takesPart(j / 150, row / 75, row % 75, j % 150);
                }
                if (!seen) {
                    key.select(0, j / 150).select(1, j % 150).fill(Double.NaN);
                    value.select(0, j / 150).select(1, j % 150).fill(Double.POSITIVE_INFINITY);
                }
            }
            Tensor bias = new RandomTensors(3).normal(DType.F64, 2, 4, 75, 150);
            Tensor spoiled = bias.copy();
            for (long cell = 0; cell < spoiled.elementCount(); cell++) {
                if (!bound.takesPart(cell / 45000, cell / 11250 % 4, cell / 150 % 75, cell % 150)) {
                    spoiled.put(cell, Double.NaN);
                }
            }
            AttentionOptions options =
                    EVERYTHING.withMask(mask).withSoftcap(3.0).withDropout(0.2, 7);
            AttentionInputs clean = qkv.with(options.withBias(bias));
            AttentionInputs dirty = new Qkv(qkv.query(), key, value).with(options.withBias(spoiled));
            assertSameBits(forward(BACKEND, clean), forward(BACKEND, dirty));
            assertSameBits(gradients(BACKEND, clean, null), gradients(BACKEND, dirty, null));
        }
    }

    /** Tests that NaN in a query or in its output gradient affects only the gradients of that query and of keys it attends to. */
    @Test
    void nanInAQueryOrItsGradientStaysWithTheKeysItSees() {
        AttentionOptions causal =
                AttentionOptions.DEFAULT.causal(CausalAlignment.TOP_LEFT).withLse();
        for (boolean inQuery : new boolean[] {true, false}) {
            Qkv qkv = Qkv.of("q1x2x40x16 kv1x40 f64");
            Tensor query = qkv.query().copy();
            Tensor dOutput = new RandomTensors(5).normal(DType.F64, 1, 2, 40, 16);
            AttentionGradients clean = gradients(BACKEND, qkv.with(causal), dOutput);
            (inQuery ? query : dOutput).set(Double.NaN, 0, 1, 20, 3);
            AttentionGradients dirty =
                    gradients(BACKEND, new Qkv(query, qkv.key(), qkv.value()).with(causal), dOutput.copy());
            for (Tensor gradient : List.of(dirty.key(), dirty.value())) {
                assertTrue(Double.isNaN(gradient.get(0, 0, 20, 3)));
                assertFinite(gradient.slice(2, 21, 40).copy());
            }
            assertSameBits(
                    clean.key().slice(2, 21, 40).copy(),
                    dirty.key().slice(2, 21, 40).copy());
            assertSameBits(
                    clean.value().slice(2, 21, 40).copy(),
                    dirty.value().slice(2, 21, 40).copy());
            assertSameBits(
                    clean.query().slice(2, 0, 20).copy(),
                    dirty.query().slice(2, 0, 20).copy());
            assertSameBits(
                    clean.query().slice(1, 0, 1).copy(),
                    dirty.query().slice(1, 0, 1).copy());
        }
    }

    @Test
    void valueThatIsSeenIsReadEvenWithAWeightTooSmallForADouble() {
        Tensor query = Tensor.zeros(DType.F64, 1, 1, 2, 1).fill(1);
        Tensor key = Tensor.of(new double[] {0, -2000, 0}, 1, 1, 3, 1);
        Tensor value = Tensor.of(new double[] {1, Double.NaN, Double.NaN}, 1, 1, 3, 1);
        AttentionOptions options = AttentionOptions.DEFAULT.withScale(1).withTopK(3);
        AttentionResult result =
                forward(BACKEND, AttentionInputs.of(query, key, value, options.withMask(Mask.keyLengths(2))));
        assertAll(Double.NaN, result.output());
        AttentionResult masked = forward(
                BACKEND,
                AttentionInputs.of(
                        query, key, value, options.withBias(Tensor.of(new double[] {0, -1 / 0.0, -1 / 0.0}, 3))));
        assertAll(1, masked.output());
        assertSameBits(
                Tensor.of(new long[] {0, 1, -1, 0, 1, -1}, 1, 1, 2, 3), Objects.requireNonNull(result.topKIndices()));
        assertSameBits(
                Tensor.of(new double[] {1, 0, 0, 1, 0, 0}, 1, 1, 2, 3), Objects.requireNonNull(result.topKWeights()));
    }

    @Test
    void scoresHaveTheBitsOfTheFormula() {
        for (ScoreStage stage : ScoreStage.values()) {
            AttentionInputs inputs = Qkv.of(SHAPE)
                    .with(AttentionOptions.DEFAULT
                            .causal()
                            .withScores(stage)
                            .withSoftcap(4.0)
                            .withAlibi(new RandomTensors(8).normal(DType.F64, 4))
                            .withBias(new RandomTensors(9).normal(DType.F32, 4, 1, 150)));
            try (var reference = new ReferenceBackend()) {
                assertSameBits(
                        forward(reference, inputs).scores(),
                        forward(BACKEND, inputs).scores());
            }
        }
    }

    @Test
    void bitsDependOnTheRowAlone() {
        Qkv qkv = Qkv.of(SHAPE);
        AttentionOptions options =
                AttentionOptions.DEFAULT.causal(CausalAlignment.offset(75)).withLse();
        AttentionResult whole = forward(BACKEND, qkv.with(options));
        AttentionGradients gradients = gradients(BACKEND, qkv.with(options), null);
        for (int threads : new int[] {1, 3, 8}) {
            try (var other = new VectorBackend(threads)) {
                assertSameBits(whole, forward(other, qkv.with(options)));
                assertSameBits(gradients, gradients(other, qkv.with(options), null));
            }
        }
        Qkv second = new Qkv(
                qkv.query().slice(0, 1, 2),
                qkv.key().slice(0, 1, 2),
                qkv.value().slice(0, 1, 2));
        assertSameBits(
                whole.output().slice(0, 1, 2).copy(),
                forward(BACKEND, second.with(options)).output());
        for (long from : new long[] {1, 7, 60}) {
            Qkv rest = new Qkv(qkv.query().slice(2, from, 75), qkv.key(), qkv.value());
            AttentionOptions later = AttentionOptions.DEFAULT
                    .causal(CausalAlignment.offset(75 + from))
                    .withLse();
            AttentionResult part = forward(BACKEND, rest.with(later));
            assertSameBits(whole.output().slice(2, from, 75).copy(), part.output());
            assertSameBits(
                    Objects.requireNonNull(whole.lse()).slice(2, from, 75).copy(), part.lse());
        }
    }

    @Test
    void emptyRowsAreZeroAndTheirLseIsTheSink() {
        Qkv qkv = Qkv.of(SHAPE);
        qkv.query().select(0, 0).fill(Double.NaN); // all keys of this batch entry are masked
        Tensor sink = Tensor.of(new float[] {-1, 0.5f, 3, 100}, 4);
        for (Tensor logits : new @Nullable Tensor[] {null, sink}) {
            AttentionInputs inputs =
                    qkv.with(EVERYTHING.withMask(Mask.keyLengths(0, 150)).withSink(logits));
            AttentionResult result = forward(BACKEND, inputs);
            assertAll(0, result.output().select(0, 0));
            assertAll(0, Objects.requireNonNull(result.weights()).select(0, 0));
            assertAll(-1, Objects.requireNonNull(result.topKIndices()).select(0, 0));
            double expected = logits == null ? Double.NEGATIVE_INFINITY : 3;
            assertEquals(expected, Objects.requireNonNull(result.lse()).get(0, 2, 11));
            AttentionGradients gradients = gradients(BACKEND, inputs, null);
            assertAll(0, gradients.query().select(0, 0));
            assertAll(0, gradients.key().select(0, 0));
            assertAll(0, gradients.value().select(0, 0));
            assertFinite(gradients.key());
        }
    }

    private static AttentionResult forward(AttentionBackend backend, AttentionInputs inputs) {
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        try (var plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        return result;
    }

    private static AttentionGradients gradients(
            AttentionBackend backend, AttentionInputs inputs, @Nullable Tensor outputGradient) {
        AttentionResult forward = forward(backend, inputs);
        Tensor dOutput = outputGradient == null
                ? new RandomTensors(99).normal(DType.F64, forward.output().shape())
                : outputGradient;
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        try (var plan = backend.plan(inputs.problem())) {
            plan.backward(inputs, forward, dOutput, null, gradients);
        }
        return gradients;
    }
}
