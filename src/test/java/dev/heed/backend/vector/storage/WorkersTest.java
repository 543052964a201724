package dev.heed.backend.vector.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WorkersTest {
    @ParameterizedTest
    @CsvSource({"1,0", "1,1", "1,100", "2,1", "2,2", "3,2", "3,1000", "7,5", "7,10000", "64,64"})
    void everyTaskRunsOnce(int threads, int count) {
        try (Workers workers = new Workers(threads, null)) {
            for (int round = 0; round < 20; round++) {
                AtomicIntegerArray runs = new AtomicIntegerArray(count);
                workers.run(count, (index, scratch) -> runs.incrementAndGet(index));
                for (int i = 0; i < count; i++) {
                    assertEquals(1, runs.get(i), "task " + i);
                }
            }
        }
    }

    @Test
    void aloneTheyRunInOrderOnTheCallersThread() {
        List<Integer> order = new ArrayList<>();
        Thread caller = Thread.currentThread();
        Workers.ALONE.run(50, (index, scratch) -> {
            assertSame(caller, Thread.currentThread());
            order.add(index);
        });
        assertEquals(50, order.size());
        for (int i = 0; i < 50; i++) {
            assertEquals(i, order.get(i));
        }
    }

    /** When a task begins, at most {@code threads - 1} tasks with lower indices have not begun. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 7})
    void lowerNumbersBeginFirst(int threads) {
        try (Workers workers = new Workers(threads, null)) {
            AtomicIntegerArray begun = new AtomicIntegerArray(500);
            AtomicInteger most = new AtomicInteger();
            workers.run(500, (index, scratch) -> {
                begun.set(index, 1);
                int missing = 0;
                for (int lower = 0; lower < index; lower++) {
                    missing += 1 - begun.get(lower);
                }
                most.accumulateAndGet(missing, Math::max);
            });
            assertTrue(most.get() <= threads - 1, most + " lower tasks had not begun");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void oneCallUsesNoMoreThreadsThanAllowed(int threads) {
        try (Workers workers = new Workers(threads, null)) {
            for (int round = 0; round < 10; round++) {
                Set<Thread> seen = ConcurrentHashMap.newKeySet();
                AtomicInteger running = new AtomicInteger();
                AtomicInteger most = new AtomicInteger();
                workers.run(40, (index, scratch) -> {
                    seen.add(Thread.currentThread());
                    most.accumulateAndGet(running.incrementAndGet(), Math::max);
                    pause(1);
                    running.decrementAndGet();
                });
                assertTrue(seen.size() <= threads, seen::toString);
                assertTrue(most.get() <= threads, most + " tasks ran at once");
            }
        }
    }

    /** The other threads do not finish their tasks until the caller's thread has begun a task. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    void theCallersThreadComputesToo(int threads) {
        Thread caller = Thread.currentThread();
        CountDownLatch computed = new CountDownLatch(1);
        try (Workers workers = new Workers(threads, null)) {
            workers.run(40, (index, scratch) -> {
                if (Thread.currentThread() == caller) {
                    computed.countDown();
                }
                await(computed);
            });
        }
    }

    /** No call waits for the tasks of another call. */
    @Test
    void aCallEndsWhileAnotherHoldsAllThreads() throws Exception {
        try (Workers workers = new Workers(2, null)) {
            CountDownLatch held = new CountDownLatch(2);
            CountDownLatch free = new CountDownLatch(1);
            Thread other = Thread.ofPlatform()
                    .start(() -> workers.run(2, (index, scratch) -> {
                        held.countDown();
                        await(free);
                    }));
            await(held);
            AtomicInteger runs = new AtomicInteger();
            workers.run(100, (index, scratch) -> runs.incrementAndGet());
            assertEquals(100, runs.get());
            assertTrue(other.isAlive());
            free.countDown();
            other.join();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void whatATaskThrowsReachesTheCallerUnchanged(int threads) {
        try (Workers workers = new Workers(threads, null)) {
            for (Throwable thrown : List.of(new IllegalStateException("task"), new AssertionError("task"))) {
                AtomicInteger runs = new AtomicInteger();
                Throwable caught = assertThrows(
                        Throwable.class,
                        () -> workers.run(10_000, (index, scratch) -> {
                            runs.incrementAndGet();
                            if (index == 7) {
                                if (thrown instanceof Error e) {
                                    throw e;
                                }
                                throw (RuntimeException) thrown;
                            }
                            pause(index < 7 ? 0 : 1);
                        }));
                assertSame(thrown, caught);
                assertTrue(runs.get() < 9_000, "expected the remaining tasks to be skipped, ran " + runs);
                AtomicInteger after = new AtomicInteger();
                workers.run(100, (index, scratch) -> after.incrementAndGet());
                assertEquals(100, after.get());
            }
        }
    }

    @Test
    void aCallFromInsideATaskStaysOnItsThread() {
        try (Workers workers = new Workers(4, null);
                Workers others = new Workers(4, null)) {
            AtomicInteger runs = new AtomicInteger();
            workers.run(16, (index, scratch) -> {
                Thread here = Thread.currentThread();
                others.run(16, (inner, its) -> {
                    assertSame(here, Thread.currentThread());
                    assertNotSame(scratch, its);
                    runs.incrementAndGet();
                });
            });
            assertEquals(256, runs.get());
        }
    }

    @Test
    void scratchIsItsThreadsAlone() {
        try (Workers workers = new Workers(7, null)) {
            Set<Scratch> inUse = ConcurrentHashMap.newKeySet();
            workers.run(2000, (index, scratch) -> {
                assertTrue(inUse.add(scratch), "another task uses this scratch");
                scratch.row = ArrayGrowth.atLeast(scratch.row, index);
                assertTrue(inUse.remove(scratch));
            });
        }
    }

    @Test
    void aConfinedTensorKeepsTheCallOnItsThread() {
        try (Workers workers = new Workers(3, null);
                Arena confined = Arena.ofConfined();
                Arena shared = Arena.ofShared()) {
            Tensor heap = Tensor.zeros(DType.F32, 2);
            Tensor open = Tensor.allocate(shared, DType.F32, 2);
            assertSame(workers, workers.allowedBy(Arrays.asList(heap, null, open)));
            assertSame(Workers.ALONE, workers.allowedBy(List.of(heap, Tensor.allocate(confined, DType.F32, 2))));
        }
    }

    @Test
    void closingEndsItsThreads() throws Exception {
        Workers workers = new Workers(4, null);
        Set<Thread> seen = ConcurrentHashMap.newKeySet();
        workers.run(64, (index, scratch) -> {
            seen.add(Thread.currentThread());
            pause(1);
        });
        seen.remove(Thread.currentThread());
        assertTrue(seen.size() >= 1);
        for (Thread thread : seen) {
            assertTrue(thread.isDaemon() && thread.getName().startsWith("heed-vector-"), thread::toString);
        }
        workers.close();
        workers.close();
        for (Thread thread : seen) {
            assertTrue(thread.join(Duration.ofSeconds(10)), thread::toString);
        }
    }

    /** A plan may outlive its backend; it then uses only the caller's thread. */
    @Test
    void closedWorkersComputeOnTheCallersThread() {
        Workers workers = new Workers(3, null);
        workers.close();
        AtomicInteger runs = new AtomicInteger();
        workers.run(10, (index, scratch) -> runs.incrementAndGet());
        assertEquals(10, runs.get());
    }

    @Test
    void aCallThatWaitsIsWoken() throws Exception {
        try (Workers workers = new Workers(2, null)) {
            for (int round = 0; round < 5; round++) {
                AtomicReference<Thread> slow = new AtomicReference<>();
                Thread caller = Thread.currentThread();
                CountDownLatch both = new CountDownLatch(2);
                workers.run(2, (index, scratch) -> {
                    both.countDown();
                    await(both);
                    if (Thread.currentThread() != caller) {
                        slow.set(Thread.currentThread());
                        pause(50); // long after the caller has begun to wait
                    }
                });
                assertNotSame(null, slow.get());
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
