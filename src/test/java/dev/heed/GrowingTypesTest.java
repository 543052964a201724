package dev.heed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Tests of options, problems, inputs, results and gradients: final classes that can gain a component without breaking
 * callers.
 */
class GrowingTypesTest {
    private static final AttentionOptions PLAIN = AttentionOptions.DEFAULT;
    private static final Tensor X = Tensor.zeros(DType.F32, 1, 2, 3, 4);
    private static final Tensor BIAS = Tensor.zeros(DType.F32, 3, 3);
    private static final Tensor HEADS = Tensor.zeros(DType.F32, 2);

    @TestFactory
    Stream<DynamicTest> theyAreFinalClassesThatFactoriesMake() {
        return Stream.of(
                        AttentionRules.class,
                        AttentionOutputs.class,
                        AttentionOptions.class,
                        AttentionProblem.class,
                        AttentionInputs.class,
                        AttentionResult.class,
                        AttentionGradients.class,
                        MultiHeadProblem.class,
                        MultiHeadInputs.class,
                        MultiHeadWeights.class,
                        MultiHeadGradients.class)
                .map(type -> dynamicTest(type.getSimpleName(), () -> {
                    assertFalse(type.isRecord());
                    assertTrue(Modifier.isFinal(type.getModifiers()));
                    assertEquals(0, type.getConstructors().length);
                    for (var field : type.getDeclaredFields()) {
                        assertTrue(Modifier.isFinal(field.getModifiers()), field::toString);
                    }
                }));
    }

    private static final List<UnaryOperator<AttentionOptions>> CHANGES = List.of(
            o -> o.withScore(ScoreFunction.dot()),
            o -> o.withScale(2),
            o -> o.withSoftcap(3.0),
            o -> o.withBias(BIAS),
            o -> o.withAlibi(HEADS),
            o -> o.withMask(Mask.causal()),
            o -> o.withSink(HEADS),
            o -> o.withDropout(0.5, 1),
            o -> o.withDropout(0.5, 2),
            AttentionOptions::withTf32,
            AttentionOptions::withLse,
            AttentionOptions::withWeights,
            o -> o.withRows(0),
            o -> o.withRows(1),
            o -> o.withTopK(2),
            o -> o.withScores(ScoreStage.SCORE),
            o -> o.withScores(ScoreStage.MODIFIED),
            o -> o.withOutputs(o.outputs().withPartial(DType.F32)),
            o -> o.withOutputs(o.outputs().withPartial(DType.F64)),
            o -> o.withBackend("reference"));

    /** Each change sets one component and keeps all others, regardless of earlier changes. */
    @Test
    void changesOfOptionsCommuteAndDiffer() {
        List<AttentionOptions> seen = new ArrayList<>(List.of(PLAIN));
        for (UnaryOperator<AttentionOptions> change : CHANGES) {
            AttentionOptions once = change.apply(PLAIN);
            assertFalse(seen.contains(once), once::toString);
            assertNotEquals(seen.getLast().toString(), once.toString());
            seen.add(once);
            assertEquals(once, change.apply(once));
            assertEquals(once.hashCode(), change.apply(once).hashCode());
            for (UnaryOperator<AttentionOptions> other : CHANGES) {
                AttentionOptions both = other.apply(once);
                if (!change.apply(other.apply(PLAIN)).equals(both)) {
                    // both change the same component, so the later change wins
                    assertEquals(other.apply(PLAIN), both);
                }
            }
        }
    }

    @Test
    void optionsAreRulesAndOutputsAndABackend() {
        AttentionOptions all = PLAIN.withSoftcap(3.0)
                .causal()
                .withSink(HEADS)
                .withDropout(0.25, 7)
                .withTf32()
                .withLse()
                .withRows(2, 0)
                .withTopK(3)
                .withBackend("vector");
        assertEquals(all, AttentionOptions.of(all.rules(), all.outputs()).withBackend("vector"));
        assertEquals(3.0, all.rules().softcap());
        assertEquals(7, all.seed());
        assertEquals(List.of(2L, 0L), all.outputs().rows());
        assertTrue(all.outputs().anyWeights());
        assertEquals(all.rules(), all.withOutputs(AttentionOutputs.NONE).rules());
        assertEquals(AttentionOutputs.NONE, PLAIN.outputs());
        assertTrue(PLAIN.withLse().outputs().onlyOutputAndLse());
        for (AttentionOptions more : List.of(
                PLAIN.withWeights(), PLAIN.withRows(0), PLAIN.withTopK(1), PLAIN.withScores(ScoreStage.SCORE))) {
            assertFalse(more.outputs().onlyOutputAndLse(), more::toString);
        }
    }

    @Test
    void aProblemKnowsHowManyRowsNotWhich() {
        AttentionShape shape = AttentionShape.of(X, X, X);
        assertEquals(
                AttentionProblem.of(shape, DType.F32, PLAIN.withRows(0, 1)),
                AttentionProblem.of(shape, DType.F32, PLAIN.withRows(2, 2)));
        assertEquals(
                2, AttentionProblem.of(shape, DType.F32, PLAIN.withRows(2, 2)).rows());
    }

    @Test
    void aResultIntoAnOutputHasNoOtherPlace() {
        AttentionResult result = AttentionResult.into(X);
        assertEquals(X, result.output());
        assertTrue(result.onlyOutputAndLse());
        assertTrue(result.tensors().stream().skip(1).allMatch(tensor -> tensor == null));
        assertEquals(HEADS, result.withLse(HEADS).lse());
        assertFalse(result.withScores(X).onlyOutputAndLse());
        assertEquals(result, result.withWeights(X).withWeights(null));
        assertTrue(result.toString().startsWith("AttentionResult[output=f32 [1, 2, 3, 4]"), result::toString);
    }

    @Test
    void inputsAndGradientsCompareByValue() {
        AttentionInputs inputs = AttentionInputs.of(X, X, X, PLAIN);
        assertEquals(inputs, AttentionInputs.of(X, X, X, PLAIN));
        assertEquals(inputs, inputs.withOptions(PLAIN.withLse()).withOptions(PLAIN));
        assertNotEquals(inputs, inputs.withOptions(PLAIN.withLse()));
        AttentionGradients gradients = AttentionGradients.into(X, X, X);
        assertEquals(gradients, gradients.withBias(BIAS).withBias(null));
        assertEquals(BIAS, gradients.withSink(HEADS).withBias(BIAS).bias());
        MultiHeadWeights weights = MultiHeadWeights.of(BIAS, BIAS, BIAS, BIAS);
        assertEquals(weights, weights.withBiases(HEADS, null, null, HEADS).withBiases(null, null, null, null));
        assertNotEquals(weights, weights.withBiases(HEADS, null, null, HEADS));
    }
}
