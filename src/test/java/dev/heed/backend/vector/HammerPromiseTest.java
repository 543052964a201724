package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionOptions;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Compares the results of 64 platform threads and 64 virtual threads, which call one backend at the same time, with those
 * from a backend with one thread; the bits must be the same. The number of calls is fixed; with {@code -Dheed.full=true},
 * calls continue for a minute. The open backend must hold less than 256 MB of heap afterwards.
 */
@Tag("slow")
class HammerPromiseTest {
    private static final int CALLERS = 64;
    private static final int CALLS = 30;
    private static final long FULL_SECONDS = 60;
    private static final long MEGABYTE = 1 << 20;

    private static List<PromisedWork> works() {
        List<PromisedWork> works = new ArrayList<>(PromisedWork.small());
        works.add(PromisedWork.forward(
                "q1x2x300x64 kv1x300 f32", AttentionOptions.DEFAULT.causal().withLse()));
        works.add(PromisedWork.forward("q1x8x1x64 kv2x5000 f32", AttentionOptions.DEFAULT));
        works.add(PromisedWork.attention("q1x2x100x32 kv1x100 bf16", AttentionOptions.DEFAULT.causal()));
        works.add(PromisedWork.softmax(DType.F32, 1, 2, 40_000));
        return works;
    }

    @Test
    @Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void everyAnswerIsThatOfASingleThread() throws Exception {
        List<PromisedWork> works = works();
        List<List<Tensor>> expected = new ArrayList<>();
        try (VectorBackend alone = new VectorBackend(1)) {
            works.forEach(work -> expected.add(work.on(alone)));
        }
        boolean full = Boolean.getBoolean("heed.full");
        long start = System.nanoTime();
        long end = start + FULL_SECONDS * 1_000_000_000L;
        Queue<String> wrong = new ConcurrentLinkedQueue<>();
        AtomicLong calls = new AtomicLong();
        long before = heap();
        try (VectorBackend backend = new VectorBackend(4)) {
            List<Thread> callers = new ArrayList<>();
            for (int id = 0; id < 2 * CALLERS; id++) {
                int first = id;
                Runnable caller = () -> {
                    for (int n = 0; wrong.size() < 10 && (full ? System.nanoTime() < end : n < CALLS); n++) {
                        int chosen = (first + n) % works.size();
                        try {
                            List<Tensor> written = works.get(chosen).on(backend);
                            if (!PromisedWork.sameBits(expected.get(chosen), written)) {
                                wrong.add("other bits: " + works.get(chosen));
                            }
                        } catch (RuntimeException | Error e) {
                            wrong.add(works.get(chosen) + " threw " + e);
                        }
                        calls.incrementAndGet();
                    }
                };
                callers.add(
                        id % 2 == 0
                                ? Thread.ofPlatform().start(caller)
                                : Thread.ofVirtual().start(caller));
            }
            for (Thread caller : callers) {
                caller.join();
            }
            long kept = heap() - before;
            System.out.printf(
                    Locale.ROOT,
                    "%d callers: %,d calls in %.1f s, %,d bytes kept by the open backend%n",
                    2 * CALLERS,
                    calls.get(),
                    (System.nanoTime() - start) * 1e-9,
                    kept);
            assertEquals(List.of(), List.copyOf(wrong));
            assertTrue(kept < 256 * MEGABYTE, kept + " bytes are kept");
        }
    }

    private static long heap() throws InterruptedException {
        for (int n = 0; n < 3; n++) {
            System.gc();
            Thread.sleep(20);
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
