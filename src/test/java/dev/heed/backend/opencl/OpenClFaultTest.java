package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.Activation;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.BackendFailedException;
import dev.heed.LinearWeights;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.SoftmaxProblem;
import dev.heed.opencl.Contexts;
import dev.heed.opencl.Device;
import dev.heed.opencl.FaultyCalls;
import dev.heed.opencl.OpenCl;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * A whole operation with an error at each OpenCL call in turn: the right answer, or a {@link BackendFailedException} with
 * everything untouched; and every handle given back. The kinds of errors take turns from call to call; with {@code heed.full}
 * the first call of each way through the backend fails in every kind.
 */
class OpenClFaultTest {
    private static final double SENTINEL = -7;
    private static final long ROOMY = 1L << 30;

    /** No memory on the device, none on the host, no resources, a lost queue, a wrong argument, a vendor's own code. */
    private static final int[] KINDS = {-4, -6, -5, -36, -30, -9999};

    /** An operation of the backend on inputs and outputs of its own. */
    private interface Operation {
        /** Computes into the outputs. */
        void run(OpenClBackend backend, Outputs outputs);
    }

    /** What an operation writes, filled with a number that no result has. */
    private static final class Outputs {
        private final List<Tensor> all = new ArrayList<>();

        Tensor allocate(DType type, long... shape) {
            Tensor tensor = Tensor.zeros(type, shape).fill(SENTINEL);
            all.add(tensor);
            return tensor;
        }

        double[] numbers() {
            return all.stream()
                    .flatMapToDouble(tensor -> Arrays.stream(tensor.toDoubleArray()))
                    .toArray();
        }

        boolean isUntouched() {
            return Arrays.stream(numbers()).allMatch(x -> x == SENTINEL);
        }
    }

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

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfAnAttention() {
        AttentionInputs inputs = Qkv.of("q1x2x5x8 kv1x7 f32")
                .with(AttentionOptions.DEFAULT.causal().withLse().withTopK(2));
        return anErrorAtEachCall(ROOMY, (backend, outputs) -> {
            AttentionResult result = AttentionResult.allocate(inputs.problem(), outputs::allocate);
            try (AttentionPlan plan = backend.plan(inputs.problem())) {
                plan.forward(inputs, result);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfGradients() {
        return anErrorAtEachCall(ROOMY, gradients("q1x2x5x8 kv1x7 f32", 1, 1, 5, 7));
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfGradientsInParts() {
        return anErrorAtEachCall(20_000, gradients("q1x1x65x8 kv1x100 f32"));
    }

    private static Operation gradients(String shape, long... biasShape) {
        Qkv qkv = Qkv.of(shape);
        var random = new RandomTensors(11);
        Tensor sink = random.normal(DType.F32, qkv.query().size(1));
        Tensor bias = biasShape.length == 0 ? null : random.normal(DType.F32, biasShape);
        AttentionInputs inputs =
                qkv.with(AttentionOptions.DEFAULT.causal().withBias(bias).withSink(sink));
        AttentionResult forward = AttentionResult.allocate(inputs.problem());
        Tensor dOutput = random.normal(DType.F32, forward.output().shape());
        return (backend, outputs) -> {
            AttentionGradients gradients = AttentionGradients.allocate(inputs, outputs::allocate);
            Objects.requireNonNull(gradients.sink());
            try (AttentionPlan plan = backend.plan(inputs.problem())) {
                plan.backward(inputs, forward, dOutput, null, gradients);
            }
        };
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfMultiHead() {
        MultiHeadInputs inputs = multiHead();
        return anErrorAtEachCall(ROOMY, (backend, outputs) -> {
            AttentionResult result = AttentionResult.allocate(inputs.problem(), outputs::allocate);
            try (var plan = backend.plan(inputs.problem())) {
                plan.forward(inputs, result);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfMultiHeadGradients() {
        MultiHeadInputs inputs = multiHead();
        Tensor dOutput = new RandomTensors(4).normal(DType.F32, inputs.problem().outputShape());
        return anErrorAtEachCall(ROOMY, (backend, outputs) -> {
            MultiHeadGradients gradients = MultiHeadGradients.allocate(inputs, outputs::allocate);
            try (var plan = backend.plan(inputs.problem())) {
                plan.backward(inputs, dOutput, gradients);
            }
        });
    }

    private static MultiHeadInputs multiHead() {
        var random = new RandomTensors(3);
        Tensor x = random.normal(DType.F32, 1, 5, 8);
        var weights = new MultiHeadWeights(
                random.normal(DType.F32, 8, 8),
                random.normal(DType.F32, 8, 8),
                random.normal(DType.F32, 8, 8),
                random.normal(DType.F32, 8, 6),
                random.normal(DType.F32, 8),
                null,
                null,
                random.normal(DType.F32, 6));
        return MultiHeadInputs.of(x, x, x, weights, 2, 2, AttentionOptions.DEFAULT.causal());
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfASoftmax() {
        Tensor x = new RandomTensors(5).normal(DType.F32, 3, 20);
        return anErrorAtEachCall(ROOMY, (backend, outputs) -> {
            Tensor y = outputs.allocate(DType.F32, x.shape());
            try (var plan = backend.plan(SoftmaxProblem.of(x.shape(), 0, DType.F32, false))) {
                plan.forward(x, y);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfGradientsOfASoftmax() {
        Tensor y = new RandomTensors(5).normal(DType.F32, 3, 20);
        Tensor dy = new RandomTensors(6).normal(DType.F32, 3, 20);
        return anErrorAtEachCall(ROOMY, (backend, outputs) -> {
            Tensor dx = outputs.allocate(DType.F32, y.shape());
            try (var plan = backend.plan(SoftmaxProblem.of(y.shape(), 1, DType.F32, false))) {
                plan.backward(y, dy, dx);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfALinearLayer() {
        var random = new RandomTensors(8);
        Tensor x = random.normal(DType.F32, 4, 7);
        var weights = new LinearWeights(random.normal(DType.F32, 7, 5), random.normal(DType.F32, 5));
        return anErrorAtEachCall(ROOMY, (backend, outputs) -> {
            Tensor y = outputs.allocate(DType.F32, 4, 5);
            try (var plan = backend.plan(weights.problem(4, Activation.GELU))) {
                plan.forward(x, weights, y);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> anErrorAtEachCallOfGradientsOfALinearLayer() {
        var random = new RandomTensors(8);
        Tensor x = random.normal(DType.F32, 4, 7);
        Tensor dy = random.normal(DType.F32, 4, 5);
        var weights = new LinearWeights(random.normal(DType.F32, 7, 5), random.normal(DType.F32, 5));
        return anErrorAtEachCall(ROOMY, (backend, outputs) -> {
            var to = new LinearWeights(outputs.allocate(DType.F32, 7, 5), outputs.allocate(DType.F32, 5));
            Tensor dx = outputs.allocate(DType.F32, 4, 7);
            try (var plan = backend.plan(weights.problem(4, Activation.GELU))) {
                plan.backward(x, weights, dy, dx, to);
            }
        });
    }

    private static Outputs compute(FaultyCalls calls, long bytes, Operation operation) {
        Device device = OpenCl.selected().device().orElseThrow();
        var outputs = new Outputs();
        try (var backend = new OpenClBackend(
                OpenCl.selected(),
                null,
                null,
                any -> Contexts.limited(
                        calls.device(device), Math.min(bytes, device.limits().globalBytes())))) {
            operation.run(backend, outputs);
        } catch (BackendFailedException e) {
            assertTrue(e.getMessage().contains("HINT: "), e::toString);
            assertTrue(outputs.isUntouched(), e::toString);
        }
        return outputs;
    }

    private static Stream<DynamicTest> anErrorAtEachCall(long bytes, Operation operation) {
        Device device = OpenCl.selected().device().orElseThrow();
        compute(FaultyCalls.counting(device), bytes, operation); // so that the programs are in the cache
        FaultyCalls counted = FaultyCalls.counting(device);
        Outputs expected = compute(counted, bytes, operation);
        assertEquals(List.of(), counted.live());
        assertTrue(!expected.isUntouched(), "no result");
        if (!Boolean.getBoolean("heed.full")) {
            return Stream.of(dynamicTest(counted.calls() + " calls", () -> {
                for (int n = 1; n <= counted.calls(); n++) {
                    failAt(bytes, operation, expected, n, KINDS[n % KINDS.length]);
                }
            }));
        }
        Set<String> met = new HashSet<>();
        List<String> sites = counted.sites();
        int[] firsts = IntStream.rangeClosed(1, counted.calls())
                .filter(n -> met.add(sites.get(n - 1)))
                .toArray();
        return Arrays.stream(KINDS)
                .mapToObj(code -> dynamicTest(firsts.length + " ways to " + counted.calls() + " calls, " + code, () -> {
                    for (int n : firsts) {
                        failAt(bytes, operation, expected, n, code);
                    }
                }));
    }

    private static void failAt(long bytes, Operation operation, Outputs expected, int n, int code) {
        Device device = OpenCl.selected().device().orElseThrow();
        FaultyCalls calls = FaultyCalls.failingAt(device, n, code);
        Outputs outputs = compute(calls, bytes, operation);
        String at = "call " + n + ", " + calls.failed() + ", " + code;
        assertNotEquals("", calls.failed(), at);
        if (!outputs.isUntouched()) {
            assertArrayEquals(expected.numbers(), outputs.numbers(), at);
        }
        assertEquals(List.of(), calls.live(), at);
    }
}
