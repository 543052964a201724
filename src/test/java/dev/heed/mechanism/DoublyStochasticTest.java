package dev.heed.mechanism;

import static dev.heed.backend.reference.CentralDifference.assertGradient;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionBackend;
import dev.heed.AttentionEngine;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.Qkv;
import dev.heed.mask.Mask;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares the column sums of the regulariser with the sums of the weights, and its gradient with numerical derivatives.
 */
@Tag("slow")
class DoublyStochasticTest {
    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void columnSumsAreThoseOfTheWeights(String name) {
        AttentionInputs inputs = Family.small(name);
        AttentionResult kept = Family.REFERENCE.forward(AttentionInputs.of(
                inputs.query(), inputs.key(), inputs.value(), inputs.options().withWeights()));
        DoublyStochastic penalty = DoublyStochastic.of(inputs, 1.5, Family.REFERENCE);
        double loss = 0;
        for (long b = 0; b < 2; b++) {
            for (long h = 0; h < 4; h++) {
                for (long j = 0; j < 5; j++) {
                    double sum = 0;
                    for (long i = 0; i < 3; i++) {
                        sum += kept.weights().get(b, h, i, j);
                    }
                    assertEquals(sum, penalty.columnSums().get(b, h, j), 1e-12);
                    loss += 1.5 * (1 - sum) * (1 - sum);
                }
            }
        }
        assertEquals(loss, penalty.loss(), 1e-12 * loss);
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#optionNames")
    void itHasItsGradient(String name) {
        AttentionInputs inputs = Family.small(name);
        DoublyStochastic penalty = DoublyStochastic.of(inputs, 0.8, Family.REFERENCE);
        Family.pairs(inputs, penalty.gradients())
                .forEach((tensor, gradient) -> assertGradient(
                        name,
                        tensor,
                        gradient,
                        () -> DoublyStochastic.of(inputs, 0.8, Family.REFERENCE).loss()));
    }

    @ParameterizedTest
    @MethodSource("dev.heed.mechanism.Family#fastCases")
    void everyBackendIsWithinBudget(String backend, AttentionInputs inputs) {
        Family.assertWithinBudget(backend, inputs, true, (engine, in) -> {
            DoublyStochastic penalty = DoublyStochastic.of(in, 1, engine);
            return DoubleStream.concat(
                            DoubleStream.of(penalty.columnSums().toDoubleArray()),
                            DoubleStream.of(Family.flat(penalty.gradients())))
                    .toArray();
        });
    }

    @Test
    void maskedNaNIsNotRead() {
        Qkv qkv = Qkv.of("q2x2x5x3 kv1x8 f32");
        qkv.key().slice(2, 5, 8).fill(Double.NaN);
        qkv.value().fill(Double.NaN); // the penalty depends on the weights only
        AttentionInputs inputs = qkv.with(AttentionOptions.DEFAULT.withMask(Mask.keyLengths(5, 0)));
        for (AttentionBackend backend : Family.fast()) {
            DoublyStochastic penalty = DoublyStochastic.of(inputs, 1, AttentionEngine.of(backend));
            assertEquals(0, penalty.columnSums().get(0, 0, 6));
            assertTrue(Double.isFinite(penalty.loss()));
            for (double number : Family.flat(penalty.gradients())) {
                assertTrue(Double.isFinite(number), backend.name());
            }
        }
    }

    @Test
    void aNegativeWeightIsRefused() {
        AttentionInputs inputs = Family.small("plain");
        assertThrows(InvalidInputException.class, () -> DoublyStochastic.of(inputs, -1));
        assertThrows(InvalidInputException.class, () -> DoublyStochastic.of(inputs, Double.NaN));
        AttentionInputs sunk = AttentionInputs.of(
                inputs.query(), inputs.key(), inputs.value(), inputs.options().withSink(Tensor.of(new double[4], 4)));
        assertThrows(InvalidInputException.class, () -> DoublyStochastic.of(sunk, 1));
    }
}
