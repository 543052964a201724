package dev.heed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that each run of a plan commits one event when recording is enabled, and that nothing is allocated when recording
 * is disabled.
 */
class DispatchTest {
    private static final ReferenceBackend BACKEND = new ReferenceBackend();

    @TempDir
    Path dir;

    private interface Work {
        void run();
    }

    private List<RecordedEvent> recorded(Work work) throws Exception {
        try (Recording recording = new Recording()) {
            recording.enable(DispatchEvent.NAME);
            recording.start();
            work.run();
            recording.stop();
            Path file = dir.resolve("dispatch.jfr");
            recording.dump(file);
            return RecordingFile.readAllEvents(file);
        }
    }

    private static void assertEvent(RecordedEvent event, String operation, Problem problem, long in, long out) {
        assertEquals(DispatchEvent.NAME, event.getEventType().getName());
        assertEquals("reference", event.getString("backend"));
        assertTrue(event.getString("plan").startsWith("reference "), event.getString("plan"));
        assertEquals(operation, event.getString("operation"));
        assertEquals(problem.toString(), event.getString("problem"));
        assertEquals(problem, Problem.parse(event.getString("problem")));
        assertEquals(in, event.getLong("inputBytes"));
        assertEquals(out, event.getLong("outputBytes"));
        assertTrue(event.getDuration().toNanos() > 0, event::toString);
    }

    @Test
    void attentionSaysWhatItReadAndWrote() throws Exception {
        Tensor bias = new RandomTensors(1).normal(DType.F32, 1, 5);
        AttentionInputs inputs = Qkv.of("q1x2x3x8 kv1x5 f32")
                .with(AttentionOptions.DEFAULT.withBias(bias.expand(3, 5)).withLse());
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        List<RecordedEvent> events = recorded(() -> {
            try (AttentionPlan plan = BACKEND.plan(inputs.problem())) {
                plan.forward(inputs, result);
                plan.backward(inputs, result, result.output().copy(), null, gradients);
            }
        });
        assertEquals(2, events.size(), events::toString);
        long read = 4 * (48 + 40 + 40 + 5); // the expanded first axis of the bias is counted as size 1
        long wrote = 4 * (48 + 3 * 6); // output, LSE, row maxima, row sums
        assertEvent(events.get(0), "attention forward", inputs.problem(), read, wrote);
        long gradientBytes = 4 * (48 + 40 + 40 + 15);
        assertEvent(events.get(1), "attention backward", inputs.problem(), read + wrote + 4 * 48, gradientBytes);
    }

    @Test
    void multiHeadCountsATensorThatIsPassedThreeTimesOnce() throws Exception {
        var random = new RandomTensors(2);
        Tensor x = random.normal(DType.F64, 1, 3, 4);
        Tensor w = random.normal(DType.F64, 4, 4);
        MultiHeadInputs inputs =
                MultiHeadInputs.of(x, x, x, MultiHeadWeights.of(w, w, w, w), 2, 2, AttentionOptions.DEFAULT);
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        List<RecordedEvent> events = recorded(() -> {
            try (MultiHeadPlan plan = BACKEND.plan(inputs.problem())) {
                plan.forward(inputs, result);
                plan.backward(inputs, result.output().copy(), MultiHeadGradients.allocate(inputs));
            }
        });
        List<RecordedEvent> outer = events.stream()
                .filter(event -> event.getString("operation").startsWith("multi-head"))
                .toList();
        assertEquals(2, outer.size(), events::toString);
        assertEvent(outer.get(0), "multi-head forward", inputs.problem(), 8 * (12 + 16), 8 * 12);
        assertEvent(outer.get(1), "multi-head backward", inputs.problem(), 8 * (12 + 16 + 12), 8 * (3 * 12 + 4 * 16));
    }

    @Test
    void softmaxAndRotaryHaveEventsToo() throws Exception {
        SoftmaxProblem softmax = SoftmaxProblem.of(new long[] {4, 5}, 1, DType.F32, true);
        Tensor x = new RandomTensors(3).normal(DType.F32, 4, 5);
        Tensor heads = new RandomTensors(4).normal(DType.F32, 1, 2, 3, 8);
        Tensor angles = new RandomTensors(5).normal(DType.F32, 1, 3, 4);
        RotaryInputs rotary = RotaryInputs.of(heads, angles, angles, null, false);
        List<RecordedEvent> events = recorded(() -> {
            try (SoftmaxPlan plan = BACKEND.plan(softmax);
                    RotaryPlan turn = BACKEND.plan(rotary.problem())) {
                Tensor y = Tensor.zeros(DType.F32, 4, 5);
                plan.forward(x, y);
                plan.backward(y, x, Tensor.zeros(DType.F32, 4, 5));
                turn.forward(rotary, heads.copy());
                turn.backward(rotary, heads, heads.copy());
            }
        });
        assertEquals(4, events.size(), events::toString);
        assertEvent(events.get(0), "softmax forward", softmax, 80, 80);
        assertEvent(events.get(1), "softmax backward", softmax, 160, 80);
        assertEvent(events.get(2), "rotary forward", rotary.problem(), 4 * (48 + 12), 4 * 48);
        assertEvent(events.get(3), "rotary backward", rotary.problem(), 4 * (48 + 12), 4 * 48);
    }

    @Test
    void linearLayersHaveEventsToo() throws Exception {
        Tensor x = new RandomTensors(6).normal(DType.F32, 3, 4);
        var weights = new LinearWeights(new RandomTensors(7).normal(DType.F32, 4, 5), Tensor.zeros(DType.F32, 5));
        LinearProblem problem = new LinearProblem(3, 4, 5, true, Activation.GELU, DType.F32);
        List<RecordedEvent> events = recorded(() -> {
            try (LinearPlan plan = BACKEND.plan(problem)) {
                Tensor y = Tensor.zeros(DType.F32, 3, 5);
                plan.forward(x, weights, y);
                plan.backward(x, weights, y.copy(), Tensor.zeros(DType.F32, 3, 4), weights.zerosLike());
            }
        });
        assertEquals(2, events.size(), events::toString);
        assertEvent(events.get(0), "linear forward", problem, 4 * (12 + 20 + 5), 4 * 15);
        assertEvent(events.get(1), "linear backward", problem, 4 * (12 + 20 + 5 + 15), 4 * (12 + 20 + 5));
    }

    @Test
    void aRefusedRunIsNotRecorded() throws Exception {
        SoftmaxProblem softmax = SoftmaxProblem.of(new long[] {4, 5}, 1, DType.F32, true);
        Tensor x = Tensor.zeros(DType.F32, 4, 5);
        List<RecordedEvent> events = recorded(() -> {
            try (SoftmaxPlan plan = BACKEND.plan(softmax)) {
                assertThrows(RuntimeException.class, () -> plan.forward(x, x));
            }
        });
        assertEquals(List.of(), events);
    }

    @Test
    void unlessItIsAskedForItAllocatesNothing() {
        assertNull(Dispatch.begin());
        assertEquals(0, allocatedByTenThousandDispatches());
        try (Recording other = new Recording()) {
            other.enable("jdk.ThreadSleep");
            other.start();
            assertNull(Dispatch.begin());
            assertEquals(0, allocatedByTenThousandDispatches());
        }
    }

    /** {@return the allocated bytes: the minimum of five rounds, because the first rounds may load classes} */
    private static long allocatedByTenThousandDispatches() {
        return IntStream.range(0, 5)
                .mapToLong(round -> allocatedByTenThousandDispatchesOnce())
                .min()
                .orElseThrow();
    }

    private static long allocatedByTenThousandDispatchesOnce() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        threads.getCurrentThreadAllocatedBytes();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int n = 0; n < 10_000; n++) {
            if (Dispatch.begin() != null) {
                throw new AssertionError("recording is enabled");
            }
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }
}
