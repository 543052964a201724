package dev.heed.backend.opencl;

import static dev.heed.TensorAssertions.assertRefused;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.RandomTensors;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.opencl.Device;
import dev.heed.opencl.FaultyCalls;
import dev.heed.opencl.OpenCl;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceArena;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Tests calls on device tensors: the results must have the same bits as results of calls on host tensors. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OpenClResidencyTest {
    private final OpenClBackend backend = new OpenClBackend();
    private final RandomTensors random = new RandomTensors(5);

    @BeforeAll
    void needADevice() {
        assumeTrue(
                backend.notReadyReasons().isEmpty(),
                () -> backend.notReadyReasons().toString());
    }

    @AfterAll
    void close() {
        backend.close();
    }

    @Test
    void aChainGivesTheBitsOfSeparateCalls() {
        Tensor x = random.normal(DType.F32, 2, 3, 33, 16);
        Tensor v = random.normal(DType.F32, 2, 3, 33, 16);
        AttentionOptions options = AttentionOptions.DEFAULT
                .causal()
                .withBias(random.normal(DType.F32, 33, 33))
                .withLse()
                .withTopK(3);
        SoftmaxProblem softmax = SoftmaxProblem.of(x.shape(), -1, DType.F32, false);
        Tensor[] host = chain(x, v, options, softmax, Tensor::zeros);
        try (DeviceArena arena = backend.arena()) {
            AttentionOptions there = options.withBias(arena.upload(options.bias()));
            Tensor[] device = chain(arena.upload(x), arena.upload(v), there, softmax, arena::allocate);
            for (int n = 0; n < host.length; n++) {
                assertSameBits(host[n], device[n].toHost());
            }
        }
    }

    private Tensor[] chain(
            Tensor x, Tensor v, AttentionOptions options, SoftmaxProblem softmax, AttentionResult.Allocator memory) {
        Tensor y = memory.allocate(DType.F32, x.shape());
        try (var plan = backend.plan(softmax)) {
            plan.forward(x, y);
        }
        AttentionInputs inputs = AttentionInputs.of(y, x, v, options);
        AttentionResult result = AttentionResult.allocate(inputs.problem(), memory);
        AttentionGradients gradients = AttentionGradients.allocate(inputs, memory);
        try (AttentionPlan plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
            plan.backward(inputs, result, result.output(), null, gradients);
        }
        assertNotNull(result.topKIndices());
        return new Tensor[] {
            y,
            result.output(),
            result.lse(),
            result.topKWeights(),
            result.topKIndices(),
            gradients.query(),
            gradients.key(),
            gradients.value(),
            gradients.bias()
        };
    }

    @Test
    void multiHeadStaysOnTheDevice() {
        Tensor x = random.normal(DType.BF16, 2, 9, 24);
        var weights = MultiHeadWeights.of(
                        random.normal(DType.BF16, 24, 24),
                        random.normal(DType.BF16, 24, 12),
                        random.normal(DType.BF16, 24, 12),
                        random.normal(DType.BF16, 24, 10))
                .withBiases(
                        random.normal(DType.BF16, 24),
                        null,
                        random.normal(DType.BF16, 12),
                        random.normal(DType.BF16, 10));
        Tensor dOutput = random.normal(DType.BF16, 2, 9, 10);
        Tensor[] host = multiHead(x, weights, dOutput, Tensor::zeros);
        try (DeviceArena arena = backend.arena()) {
            var there = MultiHeadWeights.of(
                            arena.upload(weights.query()),
                            arena.upload(weights.key()),
                            arena.upload(weights.value()),
                            arena.upload(weights.output()))
                    .withBiases(
                            arena.upload(weights.queryBias()),
                            null,
                            arena.upload(weights.valueBias()),
                            arena.upload(weights.outputBias()));
            Tensor[] device = multiHead(arena.upload(x), there, arena.upload(dOutput), arena::allocate);
            for (int n = 0; n < host.length; n++) {
                assertSameBits(host[n], device[n].toHost());
            }
        }
    }

    private Tensor[] multiHead(Tensor x, MultiHeadWeights weights, Tensor dOutput, AttentionResult.Allocator memory) {
        MultiHeadInputs inputs = MultiHeadInputs.of(x, x, x, weights, 4, 2, AttentionOptions.DEFAULT.causal());
        AttentionResult result = AttentionResult.allocate(inputs.problem(), memory);
        MultiHeadGradients gradients = MultiHeadGradients.allocate(inputs, memory);
        try (var plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
            plan.backward(inputs, dOutput, gradients);
        }
        return new Tensor[] {
            result.output(),
            gradients.query(),
            gradients.weights().query(),
            gradients.weights().outputBias()
        };
    }

    /** While a call runs, another thread closes the arena of its tensors and uses the device's memory for others. */
    @Test
    void anArenaThatClosesDuringACallKeepsItsMemoryUntilTheCallEnds() {
        Device device = OpenCl.selected().device().orElseThrow();
        FaultyCalls calls = FaultyCalls.counting(device);
        Tensor x = random.normal(DType.F32, 1, 2, 64, 16);
        Tensor others = Tensor.zeros(DType.F32, x.shape());
        others.fill(Float.NaN);
        AttentionInputs host = AttentionInputs.of(x, x, x, AttentionOptions.DEFAULT);
        Tensor expected = AttentionResult.allocate(host.problem()).output();
        Tensor actual = Tensor.zeros(DType.F32, x.shape());
        try (var faulty = OpenClBackends.with(
                        null, null, any -> calls.device(device).open());
                AttentionPlan plan = faulty.plan(host.problem());
                DeviceArena later = faulty.arena()) {
            plan.forward(host, AttentionResult.into(expected));
            DeviceArena arena = faulty.arena();
            Tensor resident = arena.upload(x);
            calls.beforeNext("enqueueKernel", () -> {
                arena.close();
                for (int n = 0; n < 16; n++) { // more than the free blocks of this size
                    later.upload(others);
                }
            });
            AttentionInputs there = AttentionInputs.of(resident, resident, resident, AttentionOptions.DEFAULT);
            plan.forward(there, AttentionResult.into(actual));
            assertFalse(resident.isAlive());
        }
        assertSameBits(expected, actual);
        assertEquals(List.of(), calls.live());
    }

    @Test
    void viewsOfDeviceTensorsAreViews() {
        Tensor packed = random.normal(DType.F32, 2, 9, 3 * 4 * 8);
        AttentionInputs host = inputs(packed);
        AttentionResult expected = AttentionResult.allocate(host.problem());
        try (DeviceArena arena = backend.arena();
                AttentionPlan plan = backend.plan(host.problem())) {
            plan.forward(host, expected);
            AttentionInputs device = inputs(arena.upload(packed));
            AttentionResult result = AttentionResult.allocate(device.problem());
            plan.forward(device, result);
            assertSameBits(expected.output(), result.output());
        }
    }

    private static AttentionInputs inputs(Tensor packed) {
        return AttentionInputs.of(
                Layout.packed(packed.slice(2, 0, 32), 4),
                Layout.packed(packed.slice(2, 32, 64), 4),
                Layout.packed(packed.slice(2, 64, 96), 4),
                AttentionOptions.DEFAULT);
    }

    @Test
    void otherBackendsRefuseTensorsOnADevice() {
        try (DeviceArena arena = backend.arena();
                var reference = new ReferenceBackend()) {
            Tensor x = arena.upload(random.normal(DType.F32, 1, 2, 3, 4));
            AttentionInputs inputs = AttentionInputs.of(x, x, x, AttentionOptions.DEFAULT);
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            try (AttentionPlan plan = reference.plan(inputs.problem())) {
                String text = assertRefused(inputs.problem(), () -> plan.forward(inputs, result))
                        .getMessage();
                assertTrue(text.contains("toHost()"), text);
            }
            assertRefused(null, () -> x.get(0, 0, 0, 0));
        }
    }

    @Test
    void aClosedArenaIsRefused() {
        Tensor x;
        try (DeviceArena arena = backend.arena()) {
            x = arena.upload(random.normal(DType.F32, 1, 2, 3, 4));
        }
        Tensor gone = x;
        assertRefused(null, () -> AttentionInputs.of(gone, gone, gone, AttentionOptions.DEFAULT));
    }

    @Test
    void whatArenasHeldIsGivenBack() {
        try (var own = new OpenClBackend()) {
            try (DeviceArena arena = own.arena()) {
                arena.upload(random.normal(DType.F32, 100));
            }
            assertEquals(0, own.memoryInUse());
        }
    }
}
