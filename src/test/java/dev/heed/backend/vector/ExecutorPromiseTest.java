package dev.heed.backend.vector;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.Qkv;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Tests that the caller gets the correct result or an exception in finite time, and that the backend stays usable. This
 * must hold regardless of how an executor handles its tasks. It must also hold if the backend or an arena is closed while
 * tasks run, or if the calling thread is interrupted.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("slow")
class ExecutorPromiseTest {
    private static final AttentionInputs INPUTS = Qkv.of("q1x2x200x24 kv1x300 f32")
            .with(AttentionOptions.DEFAULT.causal().withLse());
    private static final AttentionResult EXPECTED = computed(new VectorBackend(1));

    private static AttentionResult computed(VectorBackend backend) {
        AttentionResult result = AttentionResult.allocate(INPUTS.problem());
        backend.plan(INPUTS.problem()).forward(INPUTS, result);
        return result;
    }

    private static void assertRight(Executor executor) {
        try (VectorBackend backend = new VectorBackend(4, executor)) {
            for (int n = 0; n < 3; n++) {
                assertSameBits(EXPECTED, computed(backend));
            }
        }
    }

    @Test
    void anExecutorThatDropsItsTasks() {
        assertRight(task -> {});
    }

    @Test
    void anExecutorThatRunsThemTwice() {
        assertRight(task -> {
            task.run();
            task.run();
        });
    }

    @Test
    void anExecutorThatRunsThemTooLate() throws Exception {
        List<Runnable> late = new ArrayList<>();
        assertRight(late::add);
        AttentionResult result = computed(new VectorBackend(4, late::add));
        assertFalse(late.isEmpty());
        result.tensors().stream().filter(tensor -> tensor != null).forEach(tensor -> tensor.fill(-7));
        late.forEach(Runnable::run);
        assertEquals(-7, result.output().get(0, 1, 199, 23), "written after the call");
    }

    @Test
    void anExecutorWhoseThreadsAreAllBusy() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            pool.execute(() -> awaitQuietly(free));
            pool.execute(() -> awaitQuietly(free));
            assertRight(pool);
            free.countDown();
        }
    }

    /** The callers run on the threads of the executor, so no caller may wait for a task that has not begun. */
    @Test
    void anExecutorThatTheCallersFill() throws Exception {
        try (ExecutorService pool = Executors.newFixedThreadPool(2);
                VectorBackend backend = new VectorBackend(4, pool)) {
            List<Future<AttentionResult>> results = new ArrayList<>();
            for (int n = 0; n < 50; n++) {
                results.add(pool.submit(() -> computed(backend)));
            }
            for (Future<AttentionResult> result : results) {
                assertSameBits(EXPECTED, result.get());
            }
        }
    }

    @Test
    void anExecutorThatIsShutDown() {
        ExecutorService pool = Executors.newFixedThreadPool(2);
        pool.shutdown();
        assertRightOrRejected(pool);
    }

    @Test
    void anExecutorThatRejectsEverySecondTask() {
        AtomicInteger asked = new AtomicInteger();
        try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
            assertRightOrRejected(task -> {
                if (asked.incrementAndGet() % 2 == 0) {
                    throw new RejectedExecutionException("every second");
                }
                pool.execute(task);
            });
        }
    }

    private static void assertRightOrRejected(Executor executor) {
        try (VectorBackend backend = new VectorBackend(4, executor)) {
            for (int n = 0; n < 20; n++) {
                try {
                    assertSameBits(EXPECTED, computed(backend));
                } catch (RejectedExecutionException e) {
                    assertFalse(e.getMessage().isBlank());
                }
            }
        }
    }

    /** After an exception the caller owns the memory again, so no task that has begun may still write. */
    @Test
    void nothingRunsAfterACallThatWasRejected() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger running = new AtomicInteger();
        CountDownLatch begun = new CountDownLatch(1);
        Executor second = task -> {
            if (asked.incrementAndGet() == 2) {
                awaitQuietly(begun);
                throw new RejectedExecutionException("the second");
            }
            Thread.ofPlatform().daemon().start(task);
        };
        Workers workers = new Workers(3, second);
        AtomicInteger computed = new AtomicInteger();
        try {
            workers.run(4, (index, scratch) -> {
                running.incrementAndGet();
                begun.countDown();
                sleep(100);
                computed.incrementAndGet();
                running.decrementAndGet();
            });
            assertEquals(4, computed.get());
        } catch (RejectedExecutionException e) {
            assertEquals(0, running.get(), "still running when the call returned");
            int atReturn = computed.get();
            sleep(300);
            assertEquals(atReturn, computed.get(), "begun after the call returned");
        }
    }

    /** A closed backend makes no new plans; running calls end with the correct result or with an exception. */
    @Test
    void closingTheBackendWhileItComputes() throws Exception {
        for (int round = 0; round < 20; round++) {
            VectorBackend backend = new VectorBackend(3);
            var plan = backend.plan(INPUTS.problem());
            AtomicReference<Throwable> wrong = new AtomicReference<>();
            CountDownLatch begun = new CountDownLatch(1);
            Thread caller = Thread.ofPlatform().start(() -> {
                try {
                    for (int n = 0; n < 20; n++) {
                        AttentionResult result = AttentionResult.allocate(INPUTS.problem());
                        begun.countDown();
                        plan.forward(INPUTS, result);
                        assertSameBits(EXPECTED, result);
                    }
                } catch (IllegalStateException | RejectedExecutionException e) {
                    assertFalse(String.valueOf(e.getMessage()).isBlank());
                } catch (Throwable e) {
                    wrong.set(e);
                }
            });
            begun.await();
            backend.close();
            caller.join();
            assertNull(wrong.get(), () -> String.valueOf(wrong.get()));
        }
    }

    @Test
    void aTaskThatCallsTheBackendAgain() {
        try (VectorBackend backend = new VectorBackend(3)) {
            Workers workers = new Workers(3, null);
            AtomicInteger right = new AtomicInteger();
            workers.run(20, (index, scratch) -> {
                AttentionResult result = computed(backend);
                workers.run(3, (inner, its) -> assertSameBits(EXPECTED, result));
                right.incrementAndGet();
            });
            assertEquals(20, right.get());
            workers.close();
        }
    }

    /** The executor calls the backend itself before it runs a task. */
    @Test
    void anExecutorThatCallsTheBackend() {
        AtomicReference<VectorBackend> self = new AtomicReference<>();
        AtomicInteger depth = new AtomicInteger();
        try (VectorBackend backend = new VectorBackend(3, task -> {
            if (depth.incrementAndGet() < 4) {
                assertSameBits(EXPECTED, computed(self.get()));
            }
            task.run();
        })) {
            self.set(backend);
            assertSameBits(EXPECTED, computed(backend));
        }
    }

    @Test
    void aCallerThatIsInterrupted() throws Exception {
        try (VectorBackend backend = new VectorBackend(3)) {
            AtomicReference<AttentionResult> result = new AtomicReference<>();
            AtomicReference<Boolean> flag = new AtomicReference<>();
            Thread caller = Thread.ofPlatform().start(() -> {
                Thread.currentThread().interrupt();
                result.set(computed(backend));
                flag.set(Thread.currentThread().isInterrupted());
            });
            caller.join();
            assertSameBits(EXPECTED, result.get());
            assertTrue(flag.get(), "the caller must still see the interrupt");
        }
    }

    @Test
    void aThousandVirtualCallers() throws Exception {
        try (VectorBackend backend = new VectorBackend(3);
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<AttentionResult>> results = new ArrayList<>();
            for (int n = 0; n < 1000; n++) {
                results.add(callers.submit(() -> computed(backend)));
            }
            for (Future<AttentionResult> result : results) {
                assertSameBits(EXPECTED, result.get());
            }
        }
    }

    /** Another thread closes the arena of the keys while they are read. */
    @Test
    void anArenaThatIsClosedHalfWay() throws Exception {
        Qkv qkv = Qkv.of("q1x4x1500x64 kv1x3000 f32");
        int thrown = 0;
        try (VectorBackend backend = new VectorBackend(3)) {
            for (int round = 0; round < 10; round++) {
                Arena arena = Arena.ofShared();
                Tensor key = Tensor.allocate(arena, qkv.key().type(), qkv.key().shape());
                key.copyFrom(qkv.key());
                AttentionInputs inputs = new Qkv(qkv.query(), key, qkv.value()).with(AttentionOptions.DEFAULT);
                AttentionResult result = AttentionResult.allocate(inputs.problem());
                var plan = backend.plan(inputs.problem());
                AtomicReference<Throwable> failure = new AtomicReference<>();
                CountDownLatch begun = new CountDownLatch(1);
                Thread caller = Thread.ofPlatform().start(() -> {
                    begun.countDown();
                    try {
                        plan.forward(inputs, result);
                    } catch (Throwable e) {
                        failure.set(e);
                    }
                });
                begun.await();
                sleep(1 + round);
                arena.close();
                caller.join();
                if (failure.get() != null) {
                    thrown++;
                    assertTrue(
                            failure.get() instanceof RuntimeException,
                            () -> failure.get().toString());
                    assertTrue(
                            failure.get().getMessage().contains("closed"),
                            () -> failure.get().toString());
                }
                assertSameBits(EXPECTED, computed(backend));
            }
            assertTrue(thrown > 0, "no arena was closed in time: make the problem larger");
        }
    }

    @Test
    void anErrorInATaskReachesTheCaller() {
        Workers workers = new Workers(3, null);
        for (int round = 0; round < 50; round++) {
            var error = new OutOfMemoryError("made up");
            assertEquals(
                    error,
                    assertThrows(
                            OutOfMemoryError.class,
                            () -> workers.run(9, (index, scratch) -> {
                                if (index == 4) {
                                    throw error;
                                }
                            })));
        }
        workers.close();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
