package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.opencl.Device;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that the mean of many equal values keeps its digits: each addition of an equal term rounds in the same direction. */
class OpenClEqualTermsTest {
    @ParameterizedTest
    @ValueSource(longs = {40, 70})
    void meanOfEqualValuesIsTheValue(long queries) {
        double element = (float) 0.1234;
        Tensor query = Tensor.zeros(DType.F32, 1, 1, queries, 8);
        Tensor key = Tensor.zeros(DType.F32, 1, 1, 20_000, 8);
        Tensor value = Tensor.zeros(DType.F32, 1, 1, 20_000, 5).fill(element);
        try (var backend = OpenClBackends.with(Engine.Family.LANES, null, Device::open)) {
            assumeTrue(
                    backend.notReadyReasons().isEmpty(),
                    () -> backend.notReadyReasons().toString());
            Tensor output = output(backend, AttentionInputs.of(query, key, value, AttentionOptions.DEFAULT));
            for (double mean : output.toDoubleArray()) {
                assertEquals(element, mean, 2e-6 * element);
            }
        }
    }

    private static Tensor output(OpenClBackend backend, AttentionInputs inputs) {
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        try (var plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        return result.output();
    }
}
