package dev.heed.backend.vector;

import static dev.heed.TensorAssertions.assertSameBits;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.Qkv;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests for seven score functions that masked keys and values are never read, and that a batch entry has the same bits
 * computed alone as in a batch.
 */
class ScorePromiseTest {
    @AutoClose
    private final VectorBackend backend = new VectorBackend(2);

    static Stream<ScoreFunction> functions() {
        return PromisedWork.scoreFunctions().stream();
    }

    private List<Tensor> run(AttentionInputs inputs) {
        return PromisedWork.attention(backend, inputs);
    }

    @ParameterizedTest
    @MethodSource("functions")
    void maskedKeysAndValuesAreNeverRead(ScoreFunction score) {
        for (String sizes : List.of("q2x4x37x24 kv2x90 f32", "q2x4x3x24 kv2x90 f16", "q2x4x5x24 kv4x70 f64")) {
            Qkv qkv = Qkv.of(sizes);
            Qkv poisoned = new Qkv(qkv.query(), qkv.key().copy(), qkv.value().copy());
            AttentionOptions options = AttentionOptions.DEFAULT.withScore(score).withMask(Mask.keyLengths(50, 0));
            for (Tensor tensor : List.of(poisoned.key(), poisoned.value())) {
                tensor.slice(2, 50, tensor.size(2)).fill(Double.NaN);
                tensor.slice(0, 1, 2).fill(Double.POSITIVE_INFINITY);
            }
            List<Tensor> clean = run(qkv.with(options));
            List<Tensor> dirty = run(poisoned.with(options));
            for (int n = 0; n < clean.size(); n++) {
                assertSameBits(clean.get(n), dirty.get(n));
            }
        }
    }

    /** Compares output and LSE only, because output gradients are drawn from one seed for the whole batch. */
    @ParameterizedTest
    @MethodSource("functions")
    void aSequenceHasTheSameBitsInAnyBatch(ScoreFunction score) {
        for (String sizes : List.of("q3x4x37x24 kv2x90 f32", "q3x4x2x24 kv2x700 f32")) {
            Qkv qkv = Qkv.of(sizes);
            AttentionOptions options =
                    AttentionOptions.DEFAULT.withScore(score).withLse().causal();
            List<Tensor> together = forwardOf(qkv.with(options));
            for (int b = 0; b < 3; b++) {
                AttentionInputs alone = AttentionInputs.of(
                        qkv.query().slice(0, b, b + 1),
                        qkv.key().slice(0, b, b + 1),
                        qkv.value().slice(0, b, b + 1),
                        options);
                List<Tensor> single = forwardOf(alone);
                for (int n = 0; n < single.size(); n++) {
                    assertSameBits(together.get(n).slice(0, b, b + 1), single.get(n));
                }
            }
        }
    }

    private List<Tensor> forwardOf(AttentionInputs inputs) {
        return run(inputs).subList(0, 2);
    }
}
