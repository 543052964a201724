package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertRefused;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import dev.heed.verify.NaiveBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Tests of plans, threads, closing and rejected calls. */
interface LifecycleContract extends ContractChapter {
    double SENTINEL = -7;

    /** {@return a new instance of the backend under test, which the caller closes} */
    AttentionBackend another();

    @EveryShape
    default void repeatedRunsGiveTheSameBits(String shape) {
        AttentionInputs inputs =
                Qkv.of(shape).with(AttentionOptions.DEFAULT.causal().withLse().withWeights());
        AttentionResult first = forward(inputs);
        AttentionGradients gradients = gradients(inputs);
        for (int n = 0; n < 3; n++) {
            assertSameBits(first, forward(inputs));
            assertSameBits(gradients, gradients(inputs));
        }
    }

    @Test
    default void aPlanRunsAgainOverOtherData() {
        AttentionOptions options = AttentionOptions.DEFAULT.causal().withLse();
        AttentionInputs one = Qkv.of("q2x4x9x16 kv2x13 f32").with(options);
        var random = new RandomTensors(11);
        AttentionInputs other = new Qkv(
                        random.normal(DType.F32, 2, 4, 9, 16),
                        random.normal(DType.F32, 2, 2, 13, 16),
                        random.normal(DType.F32, 2, 2, 13, 16))
                .with(options);
        AttentionResult expected = forward(one);
        assumeSupported(one.problem());
        try (AttentionPlan plan = subject().plan(one.problem())) {
            AttentionResult result = AttentionResult.allocate(one.problem());
            plan.forward(one, result);
            plan.forward(other, result);
            plan.forward(one, result);
            assertSameBits(expected, result);
            assertEquals(one.problem(), plan.problem());
            // The Flight Recorder event takes the backend's name from the first word of the description.
            assertTrue(plan.describe().startsWith(subject().name() + " "), plan::describe);
        }
    }

    @Test
    default void earlierContentsOfResultsAndGradientsAreOverwritten() {
        Tensor bias = new RandomTensors(1).normal(DType.F32, 4, 1, 13);
        AttentionInputs inputs = Qkv.of("q2x4x9x16 kv2x13 f32")
                .with(AttentionOptions.DEFAULT
                        .withMask(DeadRowContract.masks().findFirst().orElseThrow())
                        .withBias(bias)
                        .withSink(new RandomTensors(2).normal(DType.F32, 4))
                        .withLse()
                        .withWeights()
                        .withTopK(2));
        AttentionResult expected = forward(inputs);
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        result.tensors().forEach(LifecycleContract::fillWithNan);
        try (AttentionPlan plan = subject().plan(inputs.problem())) {
            plan.forward(inputs, result);
            assertSameBits(expected, result);
            AttentionGradients gradients = AttentionGradients.allocate(inputs);
            gradients.tensors().forEach(LifecycleContract::fillWithNan);
            Tensor dOutput = new RandomTensors(3).normal(DType.F32, 2, 4, 9, 16);
            plan.backward(inputs, result, dOutput, null, gradients);
            assertSameBits(gradients(inputs, expected, dOutput, null), gradients);
        }
    }

    @Test
    default void gradientsThatAreNotWantedAreLeftOut() {
        AttentionInputs inputs = Qkv.of("q2x4x9x16 kv2x13 f32")
                .with(AttentionOptions.DEFAULT
                        .withBias(new RandomTensors(1).normal(DType.F32, 4, 1, 13))
                        .withSink(new RandomTensors(2).normal(DType.F32, 4)));
        AttentionResult forward = forward(inputs);
        Tensor dOutput = new RandomTensors(3).normal(DType.F32, 2, 4, 9, 16);
        AttentionGradients all = gradients(inputs, forward, dOutput, null);
        AttentionGradients g = AttentionGradients.allocate(inputs);
        try (AttentionPlan plan = subject().plan(inputs.problem())) {
            var some = AttentionGradients.into(g.query(), g.key(), g.value());
            plan.backward(inputs, forward, dOutput, null, some);
        }
        assertSameBits(all.query(), g.query());
        assertSameBits(all.key(), g.key());
        assertSameBits(all.value(), g.value());
        assertAll(0, g.bias());
        assertAll(0, g.sink());
    }

    @Test
    default void sixteenThreadsShareTheBackend() throws Exception {
        List<AttentionInputs> problems = new ArrayList<>();
        for (int n = 0; n < 16; n++) {
            problems.add(Qkv.of("q1x2x" + (20 + 7 * n) + "x32 kv1x" + (90 - 3 * n) + " f32")
                    .with(
                            n % 2 == 0
                                    ? AttentionOptions.DEFAULT.withLse()
                                    : AttentionOptions.DEFAULT.causal().withLse()));
        }
        List<AttentionResult> alone = problems.stream().map(this::forward).toList();
        List<AttentionGradients> gradientsAlone =
                problems.stream().map(this::gradients).toList();
        try (var threads = Executors.newFixedThreadPool(16)) {
            List<Callable<Boolean>> tasks = new ArrayList<>();
            for (int n = 0; n < 16; n++) {
                int id = n;
                tasks.add(() -> {
                    for (int repeat = 0; repeat < 5; repeat++) {
                        assertSameBits(alone.get(id), forward(problems.get(id)));
                        assertSameBits(gradientsAlone.get(id), gradients(problems.get(id)));
                    }
                    return true;
                });
            }
            for (Future<Boolean> done : threads.invokeAll(tasks)) {
                assertTrue(done.get());
            }
        }
    }

    @Test
    default void aReadyBackendNamesItsDevicesAndItself() {
        AttentionBackend backend = subject();
        assertFalse(backend.name().isBlank());
        assertEquals(backend.notReadyReasons().isEmpty(), !backend.devices().isEmpty());
    }

    @Test
    default void aClosedBackendIsNotReadyAndPlansNothing() {
        AttentionBackend backend = another();
        assumeTrue(
                backend.notReadyReasons().isEmpty(),
                () -> backend.notReadyReasons().toString());
        Problem attention = Problem.parse("q1x1x2x8 kv1x2 f32");
        backend.close();
        backend.close();
        assertFalse(backend.notReadyReasons().isEmpty());
        assertTrue(backend.devices().isEmpty());
        assertThrows(IllegalStateException.class, () -> backend.plan((AttentionProblem) attention));
        assertThrows(
                IllegalStateException.class, () -> backend.plan((SoftmaxProblem) Problem.parse("softmax 4x5 f32")));
        assertThrows(
                IllegalStateException.class,
                () -> backend.plan((MultiHeadProblem) Problem.parse("mha in=8x8x8 out=8 q1x1x2x8 kv1x2 f32")));
        assertThrows(
                IllegalStateException.class, () -> backend.plan((RotaryProblem) Problem.parse("rotary 1x1x2x8 f32")));
        assertThrows(
                IllegalStateException.class, () -> backend.plan((LinearProblem) Problem.parse("linear 2x3x4 f32")));
        AttentionBackend next = new NaiveBackend();
        assertSame(next, Backends.select(List.of(backend, next), attention, "auto", false));
    }

    @Test
    default void aClosedPlanDoesNotRun() {
        AttentionInputs inputs = Qkv.of("q1x2x5x8 kv2x5 f32").with(AttentionOptions.DEFAULT);
        assumeSupported(inputs.problem());
        AttentionPlan plan = subject().plan(inputs.problem());
        plan.close();
        plan.close();
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        result.output().fill(SENTINEL);
        assertThrows(IllegalStateException.class, () -> plan.forward(inputs, result));
        assertAll(SENTINEL, result.output());
    }

    /** Each call either computes the correct bits or is rejected; it never returns results of another thread's call. */
    @Test
    default void threadsThatShareAPlanNeverGetEachOthersNumbers() throws Exception {
        for (String shape : List.of("q1x4x1x64 kv2x3000 f32", "q1x4x70x64 kv2x90 f32", "q1x2x33x16 kv2x40 f64")) {
            var inputs = new ArrayList<AttentionInputs>();
            for (int seed = 0; seed < 3; seed++) {
                Qkv like = Qkv.of(shape);
                var random = new RandomTensors(seed);
                inputs.add(new Qkv(
                                random.normal(like.query().type(), like.query().shape()),
                                random.normal(like.key().type(), like.key().shape()),
                                random.normal(like.value().type(), like.value().shape()))
                        .with(AttentionOptions.DEFAULT.withLse()));
            }
            List<AttentionResult> alone = inputs.stream().map(this::forward).toList();
            try (AttentionPlan plan = subject().plan(inputs.getFirst().problem());
                    var threads = Executors.newFixedThreadPool(3)) {
                List<Callable<Boolean>> tasks = new ArrayList<>();
                for (int n = 0; n < 3; n++) {
                    AttentionInputs own = inputs.get(n);
                    AttentionResult expected = alone.get(n);
                    tasks.add(() -> {
                        for (int repeat = 0; repeat < 20; repeat++) {
                            AttentionResult result = AttentionResult.allocate(own.problem());
                            try {
                                plan.forward(own, result);
                                assertSameBits(expected, result);
                            } catch (IllegalStateException e) {
                                assertTrue(e.getMessage().contains("one thread at a time"), e::getMessage);
                            }
                        }
                        return true;
                    });
                }
                for (Future<Boolean> done : threads.invokeAll(tasks)) {
                    assertTrue(done.get());
                }
            }
        }
    }

    @Test
    default void inputsOfAnotherProblemAreRefusedAndNothingIsWritten() {
        AttentionInputs inputs = Qkv.of("q1x2x5x8 kv2x5 f32").with(AttentionOptions.DEFAULT);
        AttentionInputs other = Qkv.of("q1x2x5x8 kv2x5 f32").with(AttentionOptions.DEFAULT.causal());
        assumeSupported(inputs.problem());
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        result.output().fill(SENTINEL);
        try (AttentionPlan plan = subject().plan(inputs.problem())) {
            assertRefused(inputs.problem(), () -> plan.forward(other, result));
        }
        assertAll(SENTINEL, result.output());
    }

    @Test
    default void aRefusedCallWritesNothing() {
        AttentionInputs inputs = Qkv.of("q1x2x5x8 kv2x5 f32")
                .with(AttentionOptions.DEFAULT.withLse().withWeights());
        assumeSupported(inputs.problem());
        AttentionResult good = forward(inputs);
        AttentionResult whole = AttentionResult.allocate(inputs.problem());
        whole.tensors().forEach(LifecycleContract::fillWithSentinel);
        var withoutLse = AttentionResult.into(whole.output()).withWeights(whole.weights());
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        gradients.tensors().forEach(LifecycleContract::fillWithSentinel);
        Tensor misfit = Tensor.zeros(DType.F32, 1, 2, 5, 7);
        try (AttentionPlan plan = subject().plan(inputs.problem())) {
            assertRefused(inputs.problem(), () -> plan.forward(inputs, withoutLse));
            assertRefused(inputs.problem(), () -> plan.backward(inputs, good, misfit, null, gradients));
        }
        assertAll(SENTINEL, whole.output());
        assertAll(SENTINEL, whole.weights());
        assertAll(SENTINEL, gradients.query());
        assertAll(SENTINEL, gradients.key());
        assertAll(SENTINEL, gradients.value());
    }

    private static void fillWithNan(@Nullable Tensor tensor) {
        if (tensor != null) {
            tensor.fill(Double.NaN);
        }
    }

    private static void fillWithSentinel(@Nullable Tensor tensor) {
        if (tensor != null) {
            tensor.fill(SENTINEL);
        }
    }
}
