package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.Activation;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.LinearWeights;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests that a call keeps no reference to the caller's arrays and that memory does not grow from call to call. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SAME_THREAD)
@Tag("slow")
class MemoryPromiseTest {
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long MEGABYTE = 1 << 20;

    /** Calls before the measurement, so that most code is compiled. */
    private static final int WARM_UP = 3000;

    /**
     * Maximum rounds of measurement. Calls in the first rounds may allocate more, because the JIT is still compiling.
     */
    private static final int ROUNDS = 200;

    private static final int CALLS = 100;

    /**
     * Bytes that a call may allocate, regardless of its size, in addition to its partial attention states: lists of tensors
     * to check, the mask, the job for its threads.
     */
    private static final long A_CALL = 4096;

    /**
     * This test does not cover f64: depending on the order in which the JIT compiles methods, the exponential function of the
     * f64 loops may not be inlined, and then every vector is allocated as an object.
     */
    @Test
    void aPlanThatIsReusedAllocatesNothingThatGrows() {
        try (VectorBackend backend = new VectorBackend(1)) {
            List<String> tooMuch = new ArrayList<>();
            for (String caseString : List.of(
                    "q1x2x64x64 kv2x64 f32 lse mask=causal:br",
                    "q1x2x200x64 kv2x200 f32 lse",
                    "q1x8x1x64 kv2x1024 f32 lse",
                    "q1x8x1x64 kv2x1024 f16 lse",
                    "q1x4x5x64 kv2x512 bf16")) {
                AttentionProblem problem = AttentionProblem.parse(caseString);
                AttentionInputs inputs = inputs(problem);
                AttentionResult result = AttentionResult.allocate(problem);
                try (var plan = backend.plan(problem)) {
                    long states = Decode.fits(problem) ? states(problem.shape()) : 0;
                    check(tooMuch, caseString, A_CALL + states, () -> plan.forward(inputs, result));
                }
            }
            for (String caseString : List.of("q1x2x40x32 kv1x60 f32 mask=causal:br", "q1x2x200x32 kv1x60 f32")) {
                AttentionProblem problem = AttentionProblem.parse(caseString);
                AttentionInputs inputs = inputs(problem);
                AttentionResult result = AttentionResult.allocate(problem);
                AttentionGradients gradients = AttentionGradients.allocate(inputs);
                Tensor dOutput = result.output().copy();
                try (var plan = backend.plan(problem)) {
                    plan.forward(inputs, result);
                    check(
                            tooMuch,
                            caseString + " backward",
                            A_CALL,
                            () -> plan.backward(inputs, result, dOutput, null, gradients));
                }
            }
            var random = new RandomTensors(2);
            Tensor rows = random.normal(DType.BF16, 100, 96);
            LinearWeights weights =
                    new LinearWeights(random.normal(DType.BF16, 96, 200), random.normal(DType.BF16, 200)).asConstant();
            Tensor result = Tensor.zeros(DType.BF16, 100, 200);
            try (var plan = backend.plan(weights.problem(100, Activation.IDENTITY))) {
                check(tooMuch, plan.problem().toString(), A_CALL, () -> plan.forward(rows, weights, result));
            }
            Tensor input = new RandomTensors(1).normal(DType.F32, 4, 1000);
            Tensor output = Tensor.zeros(DType.F32, 4, 1000);
            Tensor gradient = Tensor.zeros(DType.F32, 4, 1000);
            SoftmaxProblem problem = SoftmaxProblem.of(input.shape(), 1, DType.F32, false);
            try (var plan = backend.plan(problem)) {
                check(tooMuch, problem.toString(), A_CALL, () -> plan.forward(input, output));
                check(tooMuch, problem + " backward", A_CALL, () -> plan.backward(output, input, gradient));
            }
            assertTrue(tooMuch.isEmpty(), tooMuch::toString);
        }
    }

    private static AttentionInputs inputs(AttentionProblem problem) {
        AttentionOptions options = AttentionOptions.DEFAULT;
        options = problem.lse() ? options.withLse() : options;
        options = problem.maskPattern().equals("none") ? options : options.causal();
        return Qkv.of(problem.toString()).with(options);
    }

    /** {@return the bytes of the partial attention states, with splits of 1024 keys} */
    private static long states(AttentionShape s) {
        long parts = (s.seqLenKv() + 1023) / 1024;
        long width = Lanes.panels(s.valueHeadDim()) * (long) Lanes.PANEL;
        return Float.BYTES * s.batch() * s.numHeads() * s.seqLenQ() * parts * (width + 2);
    }

    private static void check(List<String> tooMuch, String name, long most, Runnable call) {
        for (int n = 0; n < WARM_UP; n++) {
            call.run();
        }
        long least = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS && least > most; round++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int n = 0; n < CALLS; n++) {
                call.run();
            }
            least = Math.min(least, (THREADS.getCurrentThreadAllocatedBytes() - before) / CALLS);
        }
        System.out.printf(Locale.ROOT, "%,9d bytes a call: %s%n", least, name);
        if (least > most) {
            tooMuch.add(name + ": " + least + " bytes a call, expected at most " + most);
        }
    }

    /** Tests that a call of length 4096 allocates less than 8 MB, although the scores alone would take 64 MB. */
    @Test
    void memoryGrowsWithTheLengthAlone() {
        try (VectorBackend backend = new VectorBackend(3)) {
            for (boolean backward : new boolean[] {false, true}) {
                long[] allocated = new long[2];
                for (int n = 0; n < 2; n++) {
                    long length = n == 0 ? 1024 : 4096;
                    AttentionInputs inputs = Qkv.of("q1x1x" + length + "x16 kv1x" + length + " f32")
                            .with(AttentionOptions.DEFAULT.causal().withLse());
                    AttentionResult result = AttentionResult.allocate(inputs.problem());
                    AttentionGradients gradients = AttentionGradients.allocate(inputs);
                    Tensor dOutput = result.output().copy();
                    var plan = backend.plan(inputs.problem());
                    Runnable call = backward
                            ? () -> plan.backward(inputs, result, dOutput, null, gradients)
                            : () -> plan.forward(inputs, result);
                    for (int repeat = 0; repeat < 20; repeat++) {
                        call.run(); // so that it is compiled: the interpreter allocates every vector
                    }
                    long before = THREADS.getTotalThreadAllocatedBytes();
                    call.run();
                    allocated[n] = THREADS.getTotalThreadAllocatedBytes() - before;
                }
                System.out.printf(
                        Locale.ROOT,
                        "%s of 1024 x 1024 allocates %,d bytes, of 4096 x 4096 %,d%n",
                        backward ? "backward" : "forward",
                        allocated[0],
                        allocated[1]);
                assertTrue(allocated[1] < 8 * MEGABYTE, allocated[1] + " bytes; the scores alone are 64 MB");
            }
        }
    }

    @Test
    void tenThousandCallsLeaveNothingBehind() throws Exception {
        try (VectorBackend backend = new VectorBackend(3)) {
            List<PromisedWork> works = PromisedWork.small();
            run(backend, works, 2000);
            long heap = heap();
            long resident = resident();
            run(backend, works, 10_000);
            long heapAfter = heap();
            long residentAfter = resident();
            System.out.printf(
                    Locale.ROOT,
                    "10000 calls: heap %,d -> %,d bytes, resident %,d -> %,d bytes%n",
                    heap,
                    heapAfter,
                    resident,
                    residentAfter);
            assertTrue(heapAfter - heap < 4 * MEGABYTE, heap + " -> " + heapAfter + " bytes of heap");
            assertTrue(residentAfter - resident < 512 * MEGABYTE, resident + " -> " + residentAfter + " resident");
        }
    }

    private static void run(VectorBackend backend, List<PromisedWork> works, int calls) {
        for (int n = 0; n < calls; n++) {
            works.get(n % works.size()).on(backend);
        }
    }

    /**
     * Keys may be the largest arrays of a process. Once the caller drops its arrays, the garbage collector must be able to
     * free them.
     */
    @Test
    void noCallKeepsTheCallersArrays() throws Exception {
        try (VectorBackend backend = new VectorBackend(3)) {
            for (String caseString : List.of("q1x2x1x64 kv1x3000 f32", "q1x2x200x64 kv1x300 f32")) {
                List<WeakReference<Object>> arrays = computed(backend, caseString);
                for (int n = 0; n < 20 && arrays.stream().anyMatch(array -> array.get() != null); n++) {
                    System.gc();
                    Thread.sleep(20);
                }
                long kept = arrays.stream().filter(array -> array.get() != null).count();
                assertTrue(kept == 0, kept + " of " + arrays.size() + " arrays are still reachable: " + caseString);
            }
        }
    }

    private static List<WeakReference<Object>> computed(VectorBackend backend, String caseString) {
        AttentionInputs inputs = Qkv.of(caseString).with(AttentionOptions.DEFAULT);
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        var plan = backend.plan(inputs.problem());
        plan.forward(inputs, result);
        plan.backward(inputs, result, result.output().copy(), null, gradients);
        List<WeakReference<Object>> arrays = new ArrayList<>();
        for (Tensor tensor : List.of(inputs.query(), inputs.key(), inputs.value(), result.output(), gradients.key())) {
            arrays.add(new WeakReference<>(tensor.segment().heapBase().orElseThrow()));
        }
        return arrays;
    }

    /**
     * While one call holds all threads, short calls run on their callers' threads, and none of their jobs may stay in
     * the queue.
     */
    @Test
    void shortCallsBesideALongOneLeaveNothingBehind() throws Exception {
        try (Workers workers = new Workers(2, null)) {
            CountDownLatch held = new CountDownLatch(2);
            CountDownLatch free = new CountDownLatch(1);
            Thread other = Thread.ofPlatform()
                    .start(() -> workers.run(2, (index, scratch) -> {
                        held.countDown();
                        try {
                            free.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    }));
            held.await();
            long before = heap();
            for (int n = 0; n < 1000; n++) {
                byte[] ofTheCall = new byte[1 << 16];
                workers.run(2, (index, scratch) -> ofTheCall[index] = 1);
            }
            long kept = heap() - before;
            free.countDown();
            other.join();
            System.out.printf(Locale.ROOT, "1000 short calls beside a long one keep %,d bytes%n", kept);
            assertTrue(kept < 8 * MEGABYTE, kept + " bytes are kept");
        }
    }

    private static long heap() throws InterruptedException {
        for (int n = 0; n < 3; n++) {
            System.gc();
            Thread.sleep(20);
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long resident() throws IOException {
        Path status = Path.of("/proc/self/status");
        assumeTrue(Files.exists(status), "no /proc/self/status here: the resident memory is not measured");
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("VmRSS:")) {
                return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("no VmRSS in " + status);
    }
}
