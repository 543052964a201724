package dev.heed.layer;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.Activation;
import dev.heed.AttentionOptions;
import dev.heed.Backends;
import dev.heed.LinearPlan;
import dev.heed.LinearWeights;
import dev.heed.Problem;
import dev.heed.RandomTensors;
import dev.heed.backend.vector.ScalarBackend;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that the memory of a tape follows from its largest pass, for any number of different shapes. */
class TapeMemoryTest {
    private static final int LENGTHS = 600;
    private static final int WIDTH = 64;

    /** Trains nothing, but runs one encoder block forward and backward at many lengths on one tape. */
    static final class ManyLengths {
        private ManyLengths() {}

        public static void main(String[] args) {
            var initial = new Initial(new Random(1), DType.F32);
            var random = new RandomTensors(2);
            TransformerEncoderBlock block = TransformerEncoderBlock.create(initial, WIDTH, 4, 4, 4 * WIDTH);
            try (VectorBackend vector = new VectorBackend(2);
                    ScalarBackend scalar = new ScalarBackend(2);
                    Tape tape = new Tape(vector.notReadyReasons().isEmpty() ? vector : scalar, DType.F32)) {
                for (int length = 1; length <= LENGTHS; length++) {
                    run(tape, block, random.normal(DType.F32, 1, length, WIDTH));
                    tape.clear();
                }
            }
            System.out.println("DONE");
        }
    }

    /** Runs forward and backward and returns copies of the output and the gradients. */
    private static List<Tensor> run(Tape tape, TransformerEncoderBlock block, Tensor x) {
        Value in = tape.input(x);
        Value out = block.forward(tape, in, AttentionOptions.DEFAULT).output();
        tape.backward(out, out.tensor().copy());
        List<Tensor> results =
                new ArrayList<>(List.of(out.tensor().copy(), in.gradient().copy()));
        block.map((name, parameter) -> {
            results.add(tape.gradient(parameter).copy());
            return parameter;
        });
        return results;
    }

    @Test
    @Tag("slow")
    void manyLengthsFitASmallHeap() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "--add-modules=jdk.incubator.vector",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ManyLengths.class.getName())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(5, TimeUnit.MINUTES), said);
        assertTrue(said.lines().toList().contains("DONE"), said);
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F64"})
    void freeArraysAreBoundedByTheLargestPass(DType type) {
        Tape tape = new Tape(new ScalarBackend(1), type);
        try (tape) {
            long largest = 0;
            for (int length : IntStream.concat(IntStream.rangeClosed(1, 300), IntStream.of(7, 290, 8, 1, 1, 150))
                    .toArray()) {
                long pass = 0;
                for (int size : new int[] {WIDTH * length, length, length * length, 3}) {
                    for (int n = 0; n < 3; n++) {
                        assertEquals(size, tape.value(size).data().count());
                        pass += ElementPool.capacity(size);
                    }
                }
                tape.clear();
                largest = Math.max(largest, 2 * pass); // an array may have twice the capacity
                assertTrue(
                        tape.freeElements() <= 2 * largest, length + ": " + tape.freeElements() + " > 2 * " + largest);
                assertTrue(tape.freeElements() >= pass, () -> "nothing is reused: " + tape.freeElements());
            }
        }
        assertEquals(0, tape.freeElements());
    }

    @Test
    void capacitiesAreSlightlyMore() {
        for (int count : new int[] {1, 16, 17, 100, 127, 129, 1000, 1 << 20, (1 << 20) + 1, Integer.MAX_VALUE - 8}) {
            int capacity = ElementPool.capacity(count);
            assertTrue(capacity >= count && capacity - Math.max(16, count) <= count / 8, count + ": " + capacity);
            assertEquals(capacity, ElementPool.capacity(capacity));
        }
    }

    /** Plans of a pass stay open until its end, however many there are; a few passes later, they are closed. */
    @Test
    void plansAreBoundedByFewPasses() {
        Tensor weight = new RandomTensors(3).normal(DType.F32, 4, 5);
        Tape tape = new Tape(Backends.select(Problem.parse("linear 3x4x5 f32"), null), DType.F32);
        try (tape) {
            Value sum = null;
            for (int rows = 1; rows <= 50; rows++) {
                Value x = tape.input(Tensor.zeros(DType.F32, rows, 4).fill(1));
                Value y = tape.select(Products.linear(tape, x, tape.parameter(weight), null, Activation.IDENTITY), 0);
                sum = sum == null ? y : tape.add(sum, y);
            }
            assertEquals(50, tape.openPlans());
            tape.backward(
                    Objects.requireNonNull(sum), Tensor.zeros(DType.F32, 5).fill(1));
            assertSameBits(Tensor.zeros(DType.F32, 4, 5).fill(50), tape.gradient(weight));
            tape.clear();
            var problem = new LinearWeights(weight, null).problem(1, Activation.IDENTITY);
            LinearPlan plan = tape.plan(problem);
            for (int rows = 2; rows <= 30; rows++) {
                tape.clear();
                tape.plan(new LinearWeights(weight, null).problem(rows, Activation.IDENTITY));
                assertTrue(rows < 10 || tape.openPlans() <= 10, () -> tape.openPlans() + " plans");
            }
            assertThrows(
                    IllegalStateException.class,
                    () -> plan.forward(
                            Tensor.zeros(DType.F32, 1, 4),
                            new LinearWeights(weight, null),
                            Tensor.zeros(DType.F32, 1, 5)));
        }
        assertEquals(0, tape.openPlans());
    }

    /** A tape that has computed other shapes gives the same bits as a new one. */
    @Test
    void reuseChangesNoBits() {
        TransformerEncoderBlock block =
                TransformerEncoderBlock.create(new Initial(new Random(4), DType.F32), 16, 2, 2, 24);
        var random = new RandomTensors(5);
        try (ScalarBackend scalar = new ScalarBackend(2);
                VectorBackend vector = new VectorBackend(2)) {
            var backend = vector.notReadyReasons().isEmpty() ? vector : scalar;
            try (Tape reused = new Tape(backend, DType.F32)) {
                for (int length : new int[] {40, 3, 37, 1, 20, 38, 40, 2, 2, 39}) {
                    Tensor x = random.normal(DType.F32, 2, length, 16);
                    List<Tensor> actual = run(reused, block, x);
                    reused.clear();
                    try (Tape fresh = new Tape(backend, DType.F32)) {
                        List<Tensor> expected = run(fresh, block, x);
                        for (int n = 0; n < expected.size(); n++) {
                            assertSameBits(expected.get(n), actual.get(n));
                        }
                    }
                }
            }
        }
    }
}
