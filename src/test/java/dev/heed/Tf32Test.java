package dev.heed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests that TF32 is a permission that is off by default, is part of the problem, and has no effect on a backend without
 * TF32 units.
 */
class Tf32Test {
    @ParameterizedTest
    @ValueSource(strings = {"reference", "scalar", "vector", "opencl"})
    void backendsWithoutSuchUnitsComputeAsIfItWereNotThere(String name) {
        AttentionBackend backend = Backends.all().stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow();
        assumeTrue(backend.notReadyReasons().isEmpty());
        assumeTrue(backend.devices().stream().noneMatch(line -> line.contains("on matrix units")));
        assertFalse(AttentionOptions.DEFAULT.tf32());
        var random = new Random(5);
        Tensor[] in = new Tensor[3];
        for (int n = 0; n < in.length; n++) {
            float[] numbers = new float[2 * 33 * 24];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) random.nextGaussian();
            }
            in[n] = Tensor.of(numbers, 1, 2, 33, 24);
        }
        float[][] outputs = new float[2][];
        for (int n = 0; n < 2; n++) {
            AttentionOptions options = n == 0 ? AttentionOptions.DEFAULT : AttentionOptions.DEFAULT.withTf32();
            var inputs = AttentionInputs.of(in[0], in[1], in[2], options);
            assertEquals(n == 1, inputs.problem().tf32());
            assertEquals(n == 1, inputs.problem().toString().endsWith(" tf32"));
            assertTrue(backend.notSupportedReasons(inputs.problem()).isEmpty());
            var result = AttentionResult.allocate(inputs.problem());
            try (var plan = backend.plan(inputs.problem())) {
                plan.forward(inputs, result);
            }
            double[] output = result.output().toDoubleArray();
            outputs[n] = new float[output.length];
            for (int i = 0; i < output.length; i++) {
                outputs[n][i] = (float) output[i];
            }
        }
        assertArrayEquals(outputs[0], outputs[1], 0);
    }
}
