package dev.heed.lowering;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares {@link LoweredAttention} over plans of the reference backend with that backend's direct computation of the score
 * functions. Both compute in double.
 */
class LoweredAttentionTest {
    private static final double TOLERANCE = 1e-12;

    private final ReferenceBackend reference = new ReferenceBackend();

    private static Tensor random(long seed, long... shape) {
        Tensor tensor = Tensor.zeros(DType.F64, shape);
        double[] numbers =
                new Random(seed).doubles(tensor.elementCount(), -1, 1).toArray();
        return Tensor.of(numbers, shape);
    }

    static Stream<ScoreFunction> rewritten() {
        return Stream.of(
                ScoreFunction.cosine(3),
                ScoreFunction.cosine(random(1, 2, 4, 1)),
                ScoreFunction.general(random(2, 5, 6)),
                ScoreFunction.general(random(3, 4, 5, 6)),
                ScoreFunction.location(random(4, 5, 11)),
                ScoreFunction.location(random(5, 4, 5, 9)),
                ScoreFunction.additive(random(6, 5, 7), random(7, 6, 7), random(8, 7)),
                ScoreFunction.additive(random(9, 5, 7), random(10, 6, 7), random(11, 7), random(12, 7)),
                ScoreFunction.additive(random(13, 4, 5, 7), random(14, 4, 6, 7), random(15, 4, 7), random(16, 4, 7)),
                ScoreFunction.concat(random(17, 11, 8), random(18, 8)),
                ScoreFunction.concat(random(19, 4, 11, 8), random(20, 4, 8)));
    }

    /** {@return inputs with four query heads and two key/value heads; the last key of batch entry 0 is NaN and masked} */
    private static AttentionInputs inputs(ScoreFunction score) {
        long keyWidth = score.pattern().kind().twoWidths() ? 6 : 5;
        Tensor key = random(32, 2, 2, 9, keyWidth);
        key.slice(0, 0, 1).slice(2, 8, 9).fill(Double.NaN);
        AttentionOptions options = AttentionOptions.DEFAULT
                .withScore(score)
                .withMask(Mask.keyLengths(8, 9))
                .withLse();
        return AttentionInputs.of(random(31, 2, 4, 3, 5), key, random(33, 2, 2, 9, 4), options);
    }

    private AttentionPlan lowered(AttentionProblem problem) {
        return new LoweredAttention(problem, reference::plan, reference::plan);
    }

    @ParameterizedTest
    @MethodSource("rewritten")
    void givesWhatTheFormulaGives(ScoreFunction score) {
        AttentionInputs inputs = inputs(score);
        AttentionResult ours = AttentionResult.allocate(inputs.problem());
        AttentionResult truth = AttentionResult.allocate(inputs.problem());
        AttentionGradients dOurs = AttentionGradients.allocate(inputs);
        AttentionGradients dTruth = AttentionGradients.allocate(inputs);
        Tensor dOutput = random(34, 2, 4, 3, 4);
        Tensor dLse = random(35, 2, 4, 3);
        try (AttentionPlan plan = lowered(inputs.problem());
                AttentionPlan formula = reference.plan(inputs.problem())) {
            plan.forward(inputs, ours);
            formula.forward(inputs, truth);
            plan.backward(inputs, ours, dOutput, dLse, dOurs);
            formula.backward(inputs, truth, dOutput, dLse, dTruth);
        }
        for (int n = 0; n < 2; n++) {
            near(truth.tensors().get(n), ours.tensors().get(n), "result " + n);
        }
        for (int n = 0; n < dTruth.tensors().size(); n++) {
            near(dTruth.tensors().get(n), dOurs.tensors().get(n), "gradient " + n);
        }
    }

    private static void near(Tensor expected, Tensor actual, String name) {
        assertEquals(expected == null, actual == null, name);
        if (expected != null) {
            assertArrayEquals(expected.toDoubleArray(), actual.toDoubleArray(), TOLERANCE, name);
        }
    }

    @Test
    void gradientsOfParametersThatNobodyWantsAreLeftOut() {
        AttentionInputs inputs = inputs(ScoreFunction.concat(random(17, 11, 8), random(18, 8)));
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        AttentionGradients all = AttentionGradients.allocate(inputs);
        AttentionGradients wanted = AttentionGradients.allocate(inputs);
        wanted = AttentionGradients.into(wanted.query(), wanted.key(), wanted.value());
        Tensor dOutput = random(34, 2, 4, 3, 4);
        try (AttentionPlan plan = lowered(inputs.problem())) {
            plan.forward(inputs, result);
            plan.backward(inputs, result, dOutput, null, all);
            plan.backward(inputs, result, dOutput, null, wanted);
        }
        assertArrayEquals(all.query().toDoubleArray(), wanted.query().toDoubleArray());
        assertArrayEquals(all.key().toDoubleArray(), wanted.key().toDoubleArray());
    }

    @Test
    void constantParametersGiveTheSame() {
        ScoreFunction score = ScoreFunction.concat(random(17, 11, 8), random(18, 8));
        double[][] outputs = new double[2][];
        for (int n = 0; n < 2; n++) {
            AttentionInputs inputs = inputs(n == 0 ? score : score.map(Tensor::asConstant));
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            try (AttentionPlan plan = lowered(inputs.problem())) {
                plan.forward(inputs, result);
                plan.forward(inputs, result);
            }
            outputs[n] = result.output().toDoubleArray();
        }
        assertArrayEquals(outputs[0], outputs[1]);
    }

    @Test
    void onlyRowsThatOneCanRewriteAreRewritten() {
        for (String pattern : new String[] {"cosine:1.0", "general", "location:9", "additive:7", "concat:8"}) {
            assertTrue(LoweredProblem.rewrites(ScorePattern.parse(pattern)), pattern);
        }
        for (String pattern : new String[] {"dot", "scaled-dot", "additive:plain", "gaussian:1.0", "custom:x"}) {
            assertFalse(LoweredProblem.rewrites(ScorePattern.parse(pattern)), pattern);
        }
    }
}
