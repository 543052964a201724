package dev.heed.backend.opencl;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.BackendFailedException;
import dev.heed.Qkv;
import dev.heed.opencl.Device;
import dev.heed.opencl.FaultyCalls;
import dev.heed.opencl.OpenCl;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * An attention with an error at each OpenCL call in turn: the right answer, or a {@link BackendFailedException} with the
 * results untouched; and every handle given back.
 */
class OpenClFaultTest {
    private static final double SENTINEL = -7;

    @BeforeEach
    void needADevice() {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
        System.setProperty(SelfCheck.PROPERTY, "false");
    }

    @AfterEach
    void forgetProperties() {
        System.clearProperty(SelfCheck.PROPERTY);
    }

    private static AttentionInputs inputs() {
        return Qkv.of("q1x2x5x8 kv1x7 f32")
                .with(AttentionOptions.DEFAULT.causal().withLse().withTopK(2));
    }

    private static AttentionResult filled(AttentionInputs inputs) {
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        for (Tensor tensor : result.tensors()) {
            if (tensor != null) {
                tensor.fill(SENTINEL);
            }
        }
        return result;
    }

    private static AttentionResult compute(FaultyCalls calls, Device device, AttentionInputs inputs) {
        AttentionResult result = filled(inputs);
        try (var backend = new OpenClBackend(
                        OpenCl.selected(),
                        null,
                        TileSizes.DEFAULT,
                        any -> calls.device(device).open());
                AttentionPlan plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
        } catch (BackendFailedException e) {
            assertTrue(e.getMessage().contains("HINT: "), e::toString);
            assertSameBits(filled(inputs), result);
        }
        return result;
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfAnAttention() {
        Device device = OpenCl.selected().device().orElseThrow();
        AttentionInputs inputs = inputs();
        FaultyCalls counted = FaultyCalls.counting(device);
        compute(counted, device, inputs); // so that the programs are in the cache
        FaultyCalls again = FaultyCalls.counting(device);
        AttentionResult expected = compute(again, device, inputs);
        assertEquals(List.of(), again.live());
        List<Integer> codes = FaultyCalls.codes();
        return IntStream.rangeClosed(1, again.calls()).mapToObj(n -> {
            int code = codes.get(n % codes.size());
            return dynamicTest("call " + n + ", code " + code, () -> {
                FaultyCalls calls = FaultyCalls.failingAt(device, n, code);
                AttentionResult result = compute(calls, device, inputs);
                if (result.output().get(0, 0, 0, 0) != SENTINEL) {
                    assertSameBits(expected, result);
                }
                assertEquals(List.of(), calls.live(), calls.failed());
            });
        });
    }
}
