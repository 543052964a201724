package dev.heed;

import static dev.heed.TensorAssertions.assertClose;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.heed.random.Philox;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * Tests that dropout depends only on the seed and the cell. With the identity matrix as value, the output of a row is its
 * weights after dropout, so an output of 0 is a dropped weight.
 */
interface DropoutContract extends ContractChapter {
    double P = 0.3;
    String VISIBLE = "q2x2x40x8 kv2x50 dv50 f32";

    @Test
    default void sameSeedMakesTheSameChoice() {
        AttentionInputs inputs = seeing(P, 1);
        assertSameBits(output(inputs), output(inputs));
        assertSameBits(gradients(inputs), gradients(inputs));
    }

    @Test
    default void anotherSeedMakesAnotherChoice() {
        assertFalse(Arrays.equals(
                output(seeing(P, 1)).toDoubleArray(), output(seeing(P, 2)).toDoubleArray()));
        assertFalse(Arrays.equals(
                output(seeing(P, 1)).toDoubleArray(),
                output(seeing(P, 1 + (1L << 32))).toDoubleArray()));
    }

    @Test
    default void everyChoiceIsTheCounterBasedOne() {
        long seed = 0x0123_4567_89ab_cdefL;
        Tensor output = output(seeing(P, seed));
        for (long b = 0; b < 2; b++) {
            for (long h = 0; h < 2; h++) {
                for (long i = 0; i < 40; i++) {
                    for (long j = 0; j < 50; j++) {
                        boolean dropped = Philox.uniform(seed, b, h, i, j) < P;
                        assertEquals(dropped, output.get(b, h, i, j) == 0, b + " " + h + " " + i + " " + j);
                    }
                }
            }
        }
    }

    @Test
    default void droppedFractionIsNearTheProbability() {
        for (double p : new double[] {0.05, 0.5, 0.9}) {
            double[] cells = output(seeing(p, 7)).toDoubleArray();
            double dropped = Arrays.stream(cells).filter(cell -> cell == 0).count();
            double deviation = Math.sqrt(p * (1 - p) / cells.length);
            assertEquals(p, dropped / cells.length, 5 * deviation);
        }
    }

    @Test
    default void keptWeightsAreDividedByTheirProbability() {
        Tensor plain = output(seeing(0, 0));
        Tensor output = output(seeing(P, 7));
        double[] before = plain.toDoubleArray();
        double[] after = output.toDoubleArray();
        for (int n = 0; n < before.length; n++) {
            if (after[n] != 0) {
                assertEquals(before[n] / (1 - P), after[n], 1e-5);
            }
        }
    }

    @Test
    default void weightsAndLseAreKeptBeforeDropout() {
        AttentionInputs plain = seeing(0, 0);
        AttentionInputs dropped = seeing(P, 7);
        AttentionResult before = forward(plain.options(), plain);
        AttentionResult after = forward(dropped.options(), dropped);
        assertClose(Objects.requireNonNull(before.weights()), Objects.requireNonNull(after.weights()), 1e-6);
        assertClose(Objects.requireNonNull(before.lse()), Objects.requireNonNull(after.lse()), 1e-5);
    }

    /**
     * With the weights {@code W} after dropout, {@code dV[j] = sum_i W_ij dO[i]}. With an output gradient of ones, each element
     * of row {@code j} of {@code dV} is therefore the sum of column {@code j} of {@code W}.
     */
    @Test
    default void backwardDropsWhatForwardDropped() {
        AttentionInputs inputs = seeing(P, 7);
        AttentionResult forward = forward(inputs);
        AttentionGradients gradients =
                gradients(inputs, forward, forward.output().copy().fill(1), null);
        for (long b = 0; b < 2; b++) {
            for (long h = 0; h < 2; h++) {
                for (long j = 0; j < 50; j++) {
                    double column = 0;
                    for (long i = 0; i < 40; i++) {
                        column += forward.output().get(b, h, i, j);
                    }
                    assertEquals(column, gradients.value().get(b, h, j, 11), 1e-4);
                }
            }
        }
    }

    private AttentionResult forward(AttentionOptions options, AttentionInputs inputs) {
        return forward(AttentionInputs.of(
                inputs.query(), inputs.key(), inputs.value(), options.withLse().withWeights()));
    }

    /** {@return inputs with dropout, in which the value of key {@code j} is the unit vector {@code j}} */
    private static AttentionInputs seeing(double p, long seed) {
        Qkv qkv = Qkv.of(VISIBLE);
        Tensor unit = Tensor.zeros(DType.F32, 2, 2, 50, 50);
        for (long j = 0; j < 50; j++) {
            unit.select(3, j).select(2, j).fill(1);
        }
        return qkv.meeting(qkv.key(), unit).with(AttentionOptions.DEFAULT.withDropout(p, seed));
    }
}
