package dev.heed.backend.vector;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.AttentionBackend;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/**
 * Tests that results have the same bits for any number of threads, any executor, any calling thread and every repeat.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("slow")
class SameBitsPromiseTest {
    private static final int REPEATS = 5;

    private final List<PromisedWork> works = PromisedWork.everyKind();
    private final VectorBackend alone = new VectorBackend(1);
    private final ExecutorService fixed = Executors.newFixedThreadPool(2);
    private final ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<String, VectorBackend> others = new LinkedHashMap<>();

    SameBitsPromiseTest() {
        for (int threads : new int[] {2, 3, 7}) {
            others.put(threads + " threads", new VectorBackend(threads));
        }
        others.put("a fixed pool", new VectorBackend(3, fixed));
        others.put("virtual threads", new VectorBackend(5, virtual));
        others.put("the common pool", new VectorBackend(3, ForkJoinPool.commonPool()));
        others.put("the caller's thread as executor", new VectorBackend(3, Runnable::run));
    }

    @AfterAll
    void close() {
        alone.close();
        others.values().forEach(VectorBackend::close);
        fixed.close();
        virtual.close();
    }

    @TestFactory
    Stream<DynamicTest> whereverTheThreadsComeFrom() {
        return works.stream().flatMap(work -> {
            List<Tensor> expected = work.on(alone);
            return others.entrySet().stream()
                    .map(other -> dynamicTest(
                            work + ": " + other.getKey(), () -> assertSame(expected, work.on(other.getValue()))));
        });
    }

    @TestFactory
    Stream<DynamicTest> whoeverCalls() {
        AttentionBackend backend = new VectorBackend(3);
        return works.stream()
                .map(work -> dynamicTest(work + ": a virtual thread", () -> {
                    List<Tensor> written = new ArrayList<>();
                    Thread caller = Thread.ofVirtual().start(() -> written.addAll(work.on(backend)));
                    caller.join();
                    assertSame(work.on(alone), written);
                }))
                .onClose(backend::close);
    }

    @TestFactory
    Stream<DynamicTest> repeats() {
        VectorBackend backend = others.get("3 threads");
        return works.stream()
                .map(work -> dynamicTest(work.name(), () -> {
                    List<Tensor> first = work.on(backend);
                    for (int n = 1; n < REPEATS; n++) {
                        assertSame(first, work.on(backend));
                    }
                }));
    }

    private static void assertSame(List<Tensor> expected, List<Tensor> actual) {
        assertEquals(expected.size(), actual.size());
        for (int n = 0; n < expected.size(); n++) {
            assertSameBits(expected.get(n), actual.get(n));
        }
    }
}
