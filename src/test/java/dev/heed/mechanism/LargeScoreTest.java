package dev.heed.mechanism;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.Attention;
import dev.heed.AttentionBackend;
import dev.heed.AttentionEngine;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.Backends;
import dev.heed.tensor.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Differences of LSEs keep their digits at large scores: the log-probability of hard attention, the mass of local-p attention and
 * the merge of two halves. The scores are exact in f32, so small scores give the expected numbers.
 */
class LargeScoreTest {
    private static final float[] STEPS = {0, 1, 0.5f, -1, 2};

    static Stream<String> backends() {
        return Stream.of("reference", "vector", "scalar", "opencl")
                .filter(name -> Backends.named(name).notReadyReasons().isEmpty())
                .flatMap(name -> Stream.of("0", "1e3", "1e5", "1e6", "-4e6").map(offset -> name + " " + offset));
    }

    private static AttentionInputs inputs(double offset) {
        float[] scores = new float[STEPS.length];
        for (int j = 0; j < scores.length; j++) {
            scores[j] = (float) (offset + STEPS[j]);
        }
        Tensor one = Tensor.of(new float[] {1}, 1, 1, 1, 1);
        Tensor value = Tensor.of(new float[] {1, -2, 3, 0.5f, -1}, 1, 1, 5, 1);
        return AttentionInputs.of(
                one,
                Tensor.of(scores, 1, 1, 5, 1),
                value,
                AttentionOptions.DEFAULT.withScale(1).withLse());
    }

    private static double weight(int key) {
        double sum = 0;
        for (float step : STEPS) {
            sum += Math.exp(step);
        }
        return Math.exp(STEPS[key]) / sum;
    }

    @ParameterizedTest
    @MethodSource("backends")
    void theLogProbabilityKeepsItsDigits(String name) {
        AttentionBackend backend = Backends.named(name.split(" ")[0]);
        AttentionInputs in = inputs(Double.parseDouble(name.split(" ")[1]));
        for (int key = 0; key < STEPS.length; key++) {
            Choice choice = HardAttention.sampled(1)
                    .on(AttentionEngine.of(backend))
                    .given(in, Tensor.of(new long[] {key}, 1, 1, 1));
            assertEquals(Math.log(weight(key)), choice.logProbability().get(0, 0, 0), 5e-7, name + " key " + key);
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void theMassOfLocalAttentionKeepsItsDigits(String name) {
        AttentionBackend backend = Backends.named(name.split(" ")[0]);
        double offset = Double.parseDouble(name.split(" ")[1]);
        var local = new LocalAttention(Tensor.of(new float[] {0}, 1, 1), Tensor.of(new float[] {0}, 1), 2);
        LocalAttention.Local found = local.on(AttentionEngine.of(backend)).forward(inputs(offset));
        double p = found.positions().get(0, 0, 0);
        double inside = 0;
        double mass = 0;
        for (int j = 0; j < STEPS.length; j++) {
            if (Math.abs(j - p) <= 2) {
                inside += weight(j);
                double bias = -(j - p) * (j - p) / 2;
                double biased = name.startsWith("reference")
                        ? offset + STEPS[j] + bias // else the sum is rounded to f32
                        : (float) (offset + STEPS[j]) + (float) bias;
                mass += Math.exp(biased - offset) * weight(0);
            }
        }
        assertEquals(mass / inside, found.mass().get(0, 0, 0), 5e-7, name);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void halvesMergeToTheWhole(String name) {
        AttentionEngine engine = AttentionEngine.of(Backends.named(name.split(" ")[0]));
        AttentionInputs in = inputs(Double.parseDouble(name.split(" ")[1]));
        AttentionResult whole = engine.forward(in);
        AttentionResult merged = Attention.merge(half(engine, in, 0, 2), half(engine, in, 2, 5));
        double expected = 0;
        double[] values = in.value().toDoubleArray();
        for (int j = 0; j < values.length; j++) {
            expected += weight(j) * values[j];
        }
        assertEquals(expected, whole.output().get(0, 0, 0, 0), 5e-7, name);
        assertEquals(expected, merged.output().get(0, 0, 0, 0), 5e-7, name);
    }

    private static AttentionResult half(AttentionEngine engine, AttentionInputs in, long from, long to) {
        return engine.forward(AttentionInputs.of(
                in.query(), in.key().slice(2, from, to), in.value().slice(2, from, to), in.options()));
    }
}
