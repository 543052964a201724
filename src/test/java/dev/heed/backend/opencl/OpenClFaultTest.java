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
import dev.heed.settings.Settings;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Repeats each operation many times, each time with an error at another of its OpenCL calls. Either the result must equal the one
 * without errors, or the operation must throw a {@link BackendFailedException} and leave all outputs unchanged. Every handle must
 * be released.
 *
 * <p>On an open device with built kernels, each call fails with every kind of error, and the next operation must be right.
 * In operations of more than {@link #MANY} calls, each call fails with one kind only, and the kinds rotate from call to call. An
 * operation that first opens the device and builds kernels is slow. So only the first call of each code path through the host
 * layer fails there, with one kind. With {@code heed.full}, all of these calls fail with every kind.
 */
@Tag("slow")
class OpenClFaultTest {
    private static final double SENTINEL = -7;
    private static final long ROOMY = 1L << 30;

    /** Error codes: out of device memory, out of host memory, out of resources, invalid queue, invalid value, a vendor's code. */
    private static final int[] KINDS = {-4, -6, -5, -36, -30, -9999};

    /** Maximum number of OpenCL calls of an operation for which each call fails with every kind of error, not with only one. */
    private static final int MANY = 300;

    /** Maximum number of OpenCL objects that pools may hold in addition to those after the first two operations. */
    private static final int SPARE = 16;

    /** An operation of the backend with fixed inputs. */
    private interface Operation {
        /** Runs the operation, which must allocate its results with {@code outputs}. */
        void run(OpenClBackend backend, Outputs outputs);
    }

    /** The outputs of an operation, initially filled with a value that no result has. */
    private static final class Outputs {
        private final List<Tensor> all = new ArrayList<>();

        Tensor allocate(DType type, long... shape) {
            Tensor tensor = Tensor.zeros(type, shape).fill(SENTINEL);
            all.add(tensor);
            return tensor;
        }

        double[] elements() {
            return all.stream()
                    .flatMapToDouble(tensor -> Arrays.stream(tensor.toDoubleArray()))
                    .toArray();
        }

        boolean isUntouched() {
            return Arrays.stream(elements()).allMatch(x -> x == SENTINEL);
        }
    }

    @BeforeEach
    void needADevice() {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
        System.setProperty(Settings.OPENCL_SELFCHECK.name(), "false");
    }

    @AfterEach
    void forgetProperties() {
        System.clearProperty(Settings.OPENCL_SELFCHECK.name());
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
    Stream<DynamicTest> anErrorAtEachCallOfChunkedGradients() {
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
        var weights = MultiHeadWeights.of(
                        random.normal(DType.F32, 8, 8),
                        random.normal(DType.F32, 8, 8),
                        random.normal(DType.F32, 8, 8),
                        random.normal(DType.F32, 8, 6))
                .withBiases(random.normal(DType.F32, 8), null, null, random.normal(DType.F32, 6));
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

    private static OpenClBackend backend(Device device, FaultyCalls calls, long bytes) {
        return OpenClBackends.with(
                null,
                null,
                any -> Contexts.limited(
                        calls.device(device), Math.min(bytes, device.limits().globalBytes())));
    }

    /** {@return the new outputs with which an operation was run} They must be unchanged if the operation failed. */
    private static Outputs compute(OpenClBackend backend, Operation operation) {
        var outputs = new Outputs();
        try {
            operation.run(backend, outputs);
        } catch (BackendFailedException e) {
            assertTrue(e.getMessage().contains("HINT: "), e::toString);
            assertTrue(outputs.isUntouched(), e::toString);
        }
        return outputs;
    }

    private static Outputs compute(Device device, FaultyCalls calls, long bytes, Operation operation) {
        try (var backend = backend(device, calls, bytes)) {
            return compute(backend, operation);
        }
    }

    private static Stream<DynamicTest> anErrorAtEachCall(long bytes, Operation operation) {
        Device device = OpenCl.selected().device().orElseThrow();
        FaultyCalls counted = FaultyCalls.counting(device);
        Outputs expected = compute(device, counted, bytes, operation); // also fills the driver's cache of kernels
        assertEquals(List.of(), counted.live());
        assertTrue(!expected.isUntouched(), "the operation must write its outputs");
        List<String> ways = counted.ways();
        Set<String> met = new HashSet<>();
        int[] firsts = IntStream.rangeClosed(1, ways.size())
                .filter(n -> met.add(ways.get(n - 1)))
                .toArray();
        int kinds = Boolean.getBoolean("heed.full") ? KINDS.length : 1;
        return Stream.concat(
                Stream.of(dynamicTest("an open device", () -> failAtEachCall(device, bytes, operation, expected))),
                IntStream.range(0, kinds)
                        .mapToObj(shift -> dynamicTest(
                                "from the opening on, " + firsts.length + " code paths in " + ways.size() + " calls, "
                                        + KINDS[shift],
                                () -> {
                                    for (int n : firsts) {
                                        int code = KINDS[(n + shift) % KINDS.length];
                                        FaultyCalls calls = FaultyCalls.failingAt(device, n, code);
                                        Outputs outputs = compute(device, calls, bytes, operation);
                                        check(expected, outputs, calls, "call " + n + ", " + code);
                                        assertEquals(List.of(), calls.live(), calls.failed());
                                    }
                                })));
    }

    /** Repeats an operation on one open device with built kernels; each time, the next of its calls fails. */
    private static void failAtEachCall(Device device, long bytes, Operation operation, Outputs expected) {
        FaultyCalls calls = FaultyCalls.counting(device);
        try (var backend = backend(device, calls, bytes)) {
            compute(backend, operation);
            int from = calls.calls();
            compute(backend, operation);
            int each = calls.calls() - from;
            int handles = calls.live().size();
            boolean all = each <= MANY || Boolean.getBoolean("heed.full");
            for (int n = 1; n <= each; n++) {
                for (int code : all ? KINDS : new int[] {KINDS[n % KINDS.length]}) {
                    calls.failNext(n, code);
                    Outputs outputs = compute(backend, operation);
                    String at = "call " + n + " of " + each + ", " + code;
                    check(expected, outputs, calls, at);
                    assertEquals(0, backend.memoryInUse(), at);
                    assertArrayEquals(
                            expected.elements(), compute(backend, operation).elements(), "after " + at);
                    assertTrue(calls.live().size() <= handles + SPARE, () -> at + ": " + calls.live());
                }
            }
        }
        assertEquals(List.of(), calls.live());
    }

    private static void check(Outputs expected, Outputs outputs, FaultyCalls calls, String at) {
        assertNotEquals("", calls.failed(), at);
        if (!outputs.isUntouched()) {
            assertArrayEquals(expected.elements(), outputs.elements(), at + ", " + calls.failed());
        }
    }
}
