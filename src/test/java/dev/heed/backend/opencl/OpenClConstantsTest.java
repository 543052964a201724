package dev.heed.backend.opencl;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.Activation;
import dev.heed.LinearWeights;
import dev.heed.RandomTensors;
import dev.heed.opencl.Contexts;
import dev.heed.opencl.Device;
import dev.heed.opencl.FaultyCalls;
import dev.heed.opencl.OpenCl;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests that constants stay on the device within a memory limit, and that suitable host memory is read without a copy. */
class OpenClConstantsTest {
    private static final int WIDTH = 64;
    private final RandomTensors random = new RandomTensors(9);

    @BeforeEach
    void needADevice() {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
    }

    private static OpenClBackend backend(FaultyCalls calls, long bytes) {
        Device device = OpenCl.selected().device().orElseThrow();
        return OpenClBackends.with(null, null, any -> Contexts.limited(calls.device(device), bytes));
    }

    private Tensor multiply(OpenClBackend backend, Tensor x, LinearWeights weights) {
        Tensor y = Tensor.zeros(DType.F32, x.size(0), weights.weight().size(1));
        try (var plan = backend.plan(weights.problem(x.size(0), Activation.IDENTITY))) {
            plan.forward(x, weights, y);
        }
        return y;
    }

    private LinearWeights weights() {
        return new LinearWeights(random.normal(DType.F32, WIDTH, WIDTH), random.normal(DType.F32, WIDTH));
    }

    @Test
    void aConstantIsUploadedOnce() {
        FaultyCalls calls = FaultyCalls.counting(OpenCl.selected().device().orElseThrow());
        Tensor x = random.normal(DType.F32, 3, WIDTH);
        LinearWeights weights = weights();
        LinearWeights constant = weights.asConstant();
        try (OpenClBackend backend = backend(calls, 1 << 24)) {
            Tensor expected = multiply(backend, x, weights);
            int each = writes(calls, () -> multiply(backend, x, weights));
            assertEquals(0, backend.memoryInUse());
            assertSameBits(expected, multiply(backend, x, constant));
            long kept = backend.memoryInUse();
            assertTrue(kept >= 4L * WIDTH * (WIDTH + 1), () -> "bytes in use after the call: " + kept);
            assertEquals(each - 2, writes(calls, () -> assertSameBits(expected, multiply(backend, x, constant))));
            assertEquals(kept, backend.memoryInUse());
        }
        assertEquals(List.of(), calls.live());
    }

    private static int writes(FaultyCalls calls, Runnable call) {
        int before = calls.counts().getOrDefault("enqueueWrite", 0)
                + calls.counts().getOrDefault("enqueueMap", 0)
                + calls.counts().getOrDefault("map", 0);
        call.run();
        return calls.counts().getOrDefault("enqueueWrite", 0)
                + calls.counts().getOrDefault("enqueueMap", 0)
                + calls.counts().getOrDefault("map", 0)
                - before;
    }

    @Test
    void constantsTakeAQuarterAtMostAndGiveWay() {
        long bytes = 1 << 18;
        FaultyCalls calls = FaultyCalls.counting(OpenCl.selected().device().orElseThrow());
        Tensor x = random.normal(DType.F32, 3, WIDTH);
        List<LinearWeights> all = new ArrayList<>();
        try (OpenClBackend backend = backend(calls, bytes)) {
            for (int n = 0; n < 10; n++) {
                LinearWeights constant = weights().asConstant();
                all.add(constant);
                assertSameBits(multiply(backend, x, all.getFirst()), multiply(backend, x, all.getFirst()));
                multiply(backend, x, constant);
                assertTrue(backend.memoryInUse() <= bytes / 4, () -> backend.memoryInUse() + " bytes");
            }
            assertTrue(backend.memoryInUse() > 0);
            // A call that needs nearly all of the device memory must evict the constants.
            Tensor large = random.normal(DType.F32, 360, WIDTH);
            LinearWeights weights = weights();
            try (OpenClBackend roomy = backend(calls, 1 << 24)) {
                assertSameBits(multiply(roomy, large, weights), multiply(backend, large, weights));
            }
        }
        assertEquals(List.of(), calls.live());
    }

    @Test
    void aConstantThatIsGarbageIsGivenBack() throws InterruptedException {
        FaultyCalls calls = FaultyCalls.counting(OpenCl.selected().device().orElseThrow());
        Tensor x = random.normal(DType.F32, 3, WIDTH);
        LinearWeights kept = weights().asConstant();
        try (OpenClBackend backend = backend(calls, 1 << 24)) {
            multiply(backend, x, kept);
            long one = backend.memoryInUse();
            for (int n = 0; n < 5; n++) {
                multiply(backend, x, weights().asConstant());
            }
            for (int wait = 0; wait < 200 && backend.memoryInUse() > one; wait++) {
                System.gc();
                Thread.sleep(10);
                multiply(backend, x, kept);
            }
            assertEquals(one, backend.memoryInUse());
        }
    }

    @Test
    void alignedNativeMemoryIsReadInPlace() {
        Device device = OpenCl.selected().device().orElseThrow();
        assumeTrue(device.limits().hostUnified(), "the device does not share the memory of the host");
        FaultyCalls calls = FaultyCalls.counting(device);
        LinearWeights weights = weights();
        try (OpenClBackend backend = backend(calls, 1 << 26);
                Arena arena = Arena.ofConfined()) {
            Tensor heap = random.normal(DType.F32, 1024, WIDTH);
            Tensor aligned = Tensor.allocate(arena, DType.F32, 1024, WIDTH);
            aligned.copyFrom(heap);
            Tensor expected = multiply(backend, heap, weights);
            int copied = writes(calls, () -> multiply(backend, heap, weights));
            int inPlace = writes(calls, () -> assertSameBits(expected, multiply(backend, aligned, weights)));
            assertTrue(inPlace < copied, () -> inPlace + " writes in place, " + copied + " from the heap");
            assertEquals(0, backend.memoryInUse());
        }
        assertEquals(List.of(), calls.live());
    }
}
