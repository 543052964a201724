package dev.heed.backend.vector;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.Activation;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.SoftmaxProblem;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Tests that the same values give the same bits regardless of the memory and layout of inputs and results. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("slow")
class PlacementPromiseTest {
    private static final List<String> SHAPES =
            List.of("q2x4x70x24 kv2x150 dv20 ", "q2x8x1x64 kv2x1100 ", "q1x6x5x40 kv2x130 dv72 ");

    private final VectorBackend backend = new VectorBackend(3);
    private final Arena shared = Arena.ofShared();
    private final Map<String, UnaryOperator<Tensor>> places = new LinkedHashMap<>();

    PlacementPromiseTest() {
        places.put("native", tensor -> copy(tensor, Tensor.allocate(shared, tensor.type(), tensor.shape())));
        places.put("padded", tensor -> RandomTensors.padded(tensor, Double.NaN));
        places.put("native, padded", this::padded);
        places.put("sequence before heads", tensor -> turned(tensor, 1, 2));
        places.put("width before sequence", tensor -> turned(tensor, 2, 3));
        places.put("bytes on the heap, odd start", PlacementPromiseTest::bytes);
        places.put("native, odd start", this::odd);
        places.put("every second element", PlacementPromiseTest::sparse);
    }

    @AfterAll
    void close() {
        backend.close();
        shared.close();
    }

    @TestFactory
    Stream<DynamicTest> ofInputsAndResults() {
        return Stream.of(DType.F32, DType.F16, DType.BF16)
                .flatMap(type -> SHAPES.stream().flatMap(shape -> {
                    Qkv qkv = Qkv.of(shape + type.label());
                    List<Tensor> expected = run(qkv, tensor -> tensor, tensor -> tensor);
                    return places.entrySet().stream()
                            .map(place -> dynamicTest(shape + type.label() + ": " + place.getKey(), () -> {
                                assertSame(expected, run(qkv, place.getValue(), tensor -> tensor));
                                assertSame(expected, run(qkv, tensor -> tensor, place.getValue()));
                            }));
                }));
    }

    /**
     * A call with tensors in a confined arena runs only on the thread that owns the arena; read-only memory is copied row by
     * row.
     */
    @TestFactory
    Stream<DynamicTest> ofMemoryWithLimits() {
        return SHAPES.stream().flatMap(shape -> {
            Qkv qkv = Qkv.of(shape + "f32");
            List<Tensor> expected = run(qkv, tensor -> tensor, tensor -> tensor);
            return Stream.of(
                    dynamicTest(shape + "confined", () -> {
                        try (Arena arena = Arena.ofConfined()) {
                            UnaryOperator<Tensor> confined =
                                    tensor -> copy(tensor, Tensor.allocate(arena, tensor.type(), tensor.shape()));
                            assertSame(expected, run(qkv, confined, confined));
                        }
                    }),
                    dynamicTest(shape + "read-only", () -> assertSame(expected, run(qkv, Tensor::asReadOnly, t -> t))));
        });
    }

    /**
     * Tensors that begin inside a float array. No alignment is required, so a tensor may also begin in the middle of an
     * element of the array.
     */
    @TestFactory
    Stream<DynamicTest> ofTheMiddleOfAnArray() {
        return SHAPES.stream().flatMap(shape -> {
            Qkv qkv = Qkv.of(shape + "f32");
            List<Tensor> expected = run(qkv, tensor -> tensor, tensor -> tensor);
            return Stream.of(4, 2, 1)
                    .map(start -> dynamicTest(
                            shape + "from byte " + start,
                            () -> assertSame(expected, run(qkv, tensor -> floats(tensor, start), tensor -> tensor))));
        });
    }

    /** A bf16 result that can be accessed by all threads is rounded block by block, any other result at the end. */
    @TestFactory
    Stream<DynamicTest> ofLinear() {
        return Stream.of(DType.F32, DType.F16, DType.BF16).flatMap(type -> {
            var random = new RandomTensors(4);
            Tensor input = random.normal(type, 211, 45);
            LinearWeights weights = new LinearWeights(random.normal(type, 45, 150), random.normal(type, 150));
            LinearProblem problem = weights.problem(211, Activation.GELU);
            Tensor expected = Tensor.zeros(type, 211, 150);
            backend.plan(problem).forward(input, weights, expected);
            Stream<DynamicTest> confined = Stream.of(dynamicTest(problem + ": confined", () -> {
                try (Arena arena = Arena.ofConfined()) {
                    Tensor output = Tensor.allocate(arena, type, 211, 150);
                    backend.plan(problem).forward(input, weights, output);
                    assertSameBits(expected, output);
                }
            }));
            return Stream.concat(
                    confined,
                    places.entrySet().stream()
                            .map(place -> dynamicTest(problem + ": " + place.getKey(), () -> {
                                Tensor output = place.getValue().apply(Tensor.zeros(type, 211, 150));
                                backend.plan(problem).forward(place.getValue().apply(input), weights, output);
                                assertSameBits(expected, output);
                            })));
        });
    }

    @TestFactory
    Stream<DynamicTest> ofSoftmax() {
        return Stream.of(DType.F32, DType.F16, DType.BF16).flatMap(type -> {
            Tensor input = new RandomTensors(3).normal(type, 2, 3, 1001, 2);
            SoftmaxProblem problem = SoftmaxProblem.of(input.shape(), 2, type, false);
            Tensor expected = Tensor.zeros(type, input.shape());
            backend.plan(problem).forward(input, expected);
            return places.entrySet().stream()
                    .map(place -> dynamicTest(problem + ": " + place.getKey(), () -> {
                        Tensor output = place.getValue().apply(Tensor.zeros(type, input.shape()));
                        backend.plan(problem).forward(place.getValue().apply(input), output);
                        assertSameBits(expected, output);
                    }));
        });
    }

    /**
     * {@return copies of all results of forward and backward} {@code read} moves the inputs to other memory, and
     * {@code written} moves the results, except the LSE.
     */
    private List<Tensor> run(Qkv qkv, UnaryOperator<Tensor> read, UnaryOperator<Tensor> written) {
        var random = new RandomTensors(8);
        long heads = qkv.query().size(1);
        long queries = qkv.query().size(2);
        long keys = qkv.key().size(2);
        Tensor bias = random.normal(DType.F32, 1, heads, queries, keys);
        Tensor mask = random.truths(0.8, 1, 1, queries, keys);
        AttentionInputs inputs = AttentionInputs.of(
                read.apply(qkv.query()),
                read.apply(qkv.key()),
                read.apply(qkv.value()),
                AttentionOptions.DEFAULT
                        .withMask(Mask.dense(read.apply(mask)))
                        .withBias(read.apply(bias))
                        .withLse());
        AttentionResult r = AttentionResult.allocate(inputs.problem());
        var result = AttentionResult.into(written.apply(r.output())).withLse(r.lse());
        AttentionGradients g = AttentionGradients.allocate(inputs);
        var gradients = AttentionGradients.into(
                        written.apply(g.query()), written.apply(g.key()), written.apply(g.value()))
                .withBias(placed(g.bias(), written));
        Tensor dOutput = read.apply(random.normal(r.output().type(), r.output().shape()));
        var plan = backend.plan(inputs.problem());
        plan.forward(inputs, result);
        plan.backward(inputs, result, dOutput, null, gradients);
        List<Tensor> all = new ArrayList<>();
        Stream.concat(result.tensors().stream(), gradients.tensors().stream())
                .filter(tensor -> tensor != null)
                .forEach(tensor -> all.add(tensor.copy())); // the caller may close the arena of the results
        return all;
    }

    private static @Nullable Tensor placed(@Nullable Tensor tensor, UnaryOperator<Tensor> place) {
        return tensor == null ? null : place.apply(tensor);
    }

    private static Tensor copy(Tensor from, Tensor to) {
        to.copyFrom(from);
        return to;
    }

    private Tensor padded(Tensor tensor) {
        Tensor whole = RandomTensors.padded(tensor, tensor.type() == DType.BOOL ? 0 : Double.NaN);
        MemorySegment bytes = shared.allocate(whole.segment().byteSize(), 64).copyFrom(whole.segment());
        long[] larger = tensor.shape();
        for (int axis = 0; axis < larger.length; axis++) {
            larger[axis] += 2;
        }
        Tensor window = Tensor.of(bytes, tensor.type(), larger);
        for (int axis = 0; axis < larger.length; axis++) {
            window = window.slice(axis, 1, 1 + tensor.size(axis));
        }
        return window;
    }

    /** {@return a copy with two axes exchanged in memory; of a matrix, its only two} */
    private static Tensor turned(Tensor tensor, int axis, int other) {
        int first = axis % tensor.rank();
        int second = other % tensor.rank();
        return tensor.transpose(first, second).copy().transpose(first, second);
    }

    private static Tensor bytes(Tensor tensor) {
        long size = tensor.elementCount() * tensor.type().bytes();
        MemorySegment segment =
                MemorySegment.ofArray(new byte[Math.toIntExact(size + 3)]).asSlice(3, size);
        return copy(tensor, Tensor.of(segment, tensor.type(), tensor.shape()));
    }

    private Tensor odd(Tensor tensor) {
        long size = tensor.elementCount() * tensor.type().bytes();
        return copy(tensor, Tensor.of(shared.allocate(size + 1, 64).asSlice(1, size), tensor.type(), tensor.shape()));
    }

    private static Tensor floats(Tensor tensor, int start) {
        if (tensor.type() != DType.F32) {
            return tensor;
        }
        long size = tensor.elementCount() * Float.BYTES;
        MemorySegment segment = MemorySegment.ofArray(new float[Math.toIntExact(tensor.elementCount() + 1)])
                .asSlice(start, size);
        return copy(tensor, Tensor.of(segment, tensor.type(), tensor.shape()));
    }

    private static Tensor sparse(Tensor tensor) {
        long[] larger = tensor.shape();
        long[] pairs = new long[larger.length + 1];
        System.arraycopy(larger, 0, pairs, 0, larger.length);
        pairs[larger.length] = 2;
        return copy(tensor, Tensor.zeros(tensor.type(), pairs).select(larger.length, 1));
    }

    private static void assertSame(List<Tensor> expected, List<Tensor> actual) {
        for (int n = 0; n < expected.size(); n++) {
            assertSameBits(expected.get(n), actual.get(n));
        }
    }
}
