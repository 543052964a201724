package dev.heed.backend.opencl;

import static dev.heed.TensorAssertions.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.BackendFailedException;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.mask.Mask;
import dev.heed.opencl.Contexts;
import dev.heed.opencl.OpenCl;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that problems larger than the device's memory are computed in chunks, and that all memory is released. */
@Tag("slow")
class OpenClMemoryTest {
    private static final long LITTLE = 1L << 20;

    @BeforeEach
    void needADevice() {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
    }

    private static OpenClBackend backend(Engine.Family family, long bytes) {
        return OpenClBackends.with(family, null, device -> Contexts.limited(device, bytes));
    }

    private static AttentionResult forward(OpenClBackend backend, AttentionInputs inputs) {
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        try (AttentionPlan plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        return result;
    }

    /**
     * Computes problems that need at least four times the device memory, cut along batch and heads, queries, or keys, and
     * compares the results with those from a device with enough memory. If valueHeadDim is above 128, two work-groups of the kernels
     * for GPUs compute an output row, and both must continue from the state of the previous chunk of keys.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "q4x8x128x64 kv4x128 f32",
                "q1x2x2500x96 kv1x1700 f32",
                "q1x1x40x64 kv1x9000 f32",
                "q1x2x3x64 kv2x9000 f16",
                "q1x1x40x16 kv1x9000 dv136 f32"
            })
    void aProblemFourTimesTheMemoryGivesTheSameAnswer(String shape) {
        Qkv qkv = Qkv.of(shape);
        AttentionOptions options = AttentionOptions.DEFAULT.causal().withLse();
        AttentionInputs inputs = qkv.with(options);
        long bytes = 0;
        for (Tensor tensor : new Tensor[] {qkv.query(), qkv.query(), qkv.key(), qkv.value()}) {
            bytes += tensor.elementCount() * tensor.type().bytes();
        }
        for (Engine.Family family : Engine.Family.values()) {
            try (OpenClBackend roomy = backend(family, 1L << 30);
                    OpenClBackend tight = backend(family, Math.min(LITTLE, bytes / 4))) {
                AttentionResult expected = forward(roomy, inputs);
                AttentionResult result = forward(tight, inputs);
                assertClose(
                        expected.output(),
                        result.output(),
                        1e-3 * (qkv.query().type().bytes() == 2 ? 4 : 0.01));
                assertClose(Objects.requireNonNull(expected.lse()), Objects.requireNonNull(result.lse()), 1e-4);
                assertEquals(0, tight.memoryInUse());
            }
        }
    }

    @Test
    void optionalOutputsComeInChunksToo() {
        Qkv qkv = Qkv.of("q2x2x40x32 kv1x3000 f32");
        AttentionInputs inputs = qkv.with(AttentionOptions.DEFAULT
                .withMask(Mask.keyLengths(2900, 40))
                .withBias(new RandomTensors(3).normal(DType.F32, 1, 1, 40, 3000))
                .withLse()
                .withWeights()
                .withRows(3, 39));
        try (OpenClBackend roomy = backend(Engine.Family.LANES, 1L << 30);
                OpenClBackend tight = backend(Engine.Family.LANES, LITTLE)) {
            AttentionResult expected = forward(roomy, inputs);
            AttentionResult result = forward(tight, inputs);
            assertClose(expected.output(), result.output(), 1e-5);
            assertClose(Objects.requireNonNull(expected.weights()), Objects.requireNonNull(result.weights()), 1e-6);
            assertClose(
                    Objects.requireNonNull(expected.rowWeights()), Objects.requireNonNull(result.rowWeights()), 1e-6);
        }
    }

    @Test
    void whatCannotFitSaysWhatItNeedsAndWhatThereIs() {
        AttentionInputs inputs = Qkv.of("q1x1x1x100000 kv1x2 f32").with(AttentionOptions.DEFAULT);
        try (OpenClBackend tight = backend(Engine.Family.LANES, LITTLE)) {
            String text = assertThrows(BackendFailedException.class, () -> forward(tight, inputs))
                    .getMessage();
            assertTrue(text.matches("(?s).*\\d+ bytes are needed, \\d+ of 1048576 bytes are available.*HINT.*"), text);
            assertEquals(0, tight.memoryInUse());
        }
    }

    @ParameterizedTest
    @EnumSource(Engine.Family.class)
    void tenThousandCallsLeaveNothing(Engine.Family family) {
        AttentionInputs inputs = Qkv.of("q1x2x3x8 kv1x5 f32")
                .with(AttentionOptions.DEFAULT.causal().withLse());
        try (OpenClBackend backend = backend(family, 1L << 30);
                AttentionPlan plan = backend.plan(inputs.problem())) {
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            for (int n = 0; n < 100; n++) {
                plan.forward(inputs, result);
            }
            int handles = backend.handles();
            for (int n = 0; n < 10_000; n++) {
                plan.forward(inputs, result);
            }
            assertEquals(handles, backend.handles());
            assertEquals(0, backend.memoryInUse());
        }
    }
}
