package dev.heed;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.layer.LayerNorm;
import dev.heed.layer.RowNorm;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.mechanism.Choice;
import dev.heed.mechanism.DoublyStochastic;
import dev.heed.mechanism.GumbelSoftmax;
import dev.heed.mechanism.HardAttention;
import dev.heed.mechanism.LocalAttention;
import dev.heed.mechanism.MonotonicAttention;
import dev.heed.mechanism.ScoreFunctionGradient;
import dev.heed.pooling.KernelPooling;
import dev.heed.pooling.QueryPooling;
import dev.heed.pooling.SmoothingKernel;
import dev.heed.pooling.WidthTraining;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.training.Loss;
import java.lang.foreign.Arena;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/**
 * Tests that invalid calls of attention are rejected with one message and that nothing is written. The message has the
 * expected and the actual input, a hint and, once there is a problem, the case string.
 */
class BadInputTest {
    private static final String CASE = "q2x4x3x8 kv2x5 dv6 f32";
    private static final AttentionOptions PLAIN = AttentionOptions.DEFAULT;
    private static final double SENTINEL = -7;

    private static Tensor f32(long... shape) {
        return Tensor.zeros(DType.F32, shape);
    }

    /** A tensor whose arena is closed. */
    private static Tensor closed(DType type, long... shape) {
        try (Arena arena = Arena.ofConfined()) {
            return Tensor.allocate(arena, type, shape);
        }
    }

    /** A tensor in an arena that is confined to another thread. */
    private static Tensor confinedElsewhere(DType type, long... shape) {
        return CompletableFuture.supplyAsync(() -> Tensor.allocate(Arena.ofConfined(), type, shape))
                .join();
    }

    private static DynamicTest refused(String name, Executable call) {
        return dynamicTest(name, () -> assertRefused(null, call));
    }

    @TestFactory
    Stream<DynamicTest> tensorsThatDoNotFitEachOther() {
        Tensor q = f32(2, 4, 3, 8);
        Tensor k = f32(2, 2, 5, 8);
        Tensor v = f32(2, 2, 5, 6);
        return Stream.of(
                misfit("query of rank 3", f32(4, 3, 8), k, v),
                misfit("key of rank 5", q, f32(1, 2, 2, 5, 8), v),
                misfit("value without axes", q, k, Tensor.of(new float[1])),
                misfit("batches differ", q, f32(1, 2, 5, 8), v),
                misfit("value batch differs", q, k, f32(3, 2, 5, 6)),
                misfit("key and value heads differ", q, k, f32(2, 1, 5, 6)),
                misfit("lengths differ", q, k, f32(2, 2, 4, 6)),
                misfit("widths differ", q, f32(2, 2, 5, 7), v),
                misfit("heads do not divide", q, f32(2, 3, 5, 8), f32(2, 3, 5, 6)),
                misfit("more key heads than query heads", f32(2, 1, 3, 8), k, v),
                misfit("key of another type", q, k.to(DType.F64), v),
                misfit("value of another type", q, k, v.to(DType.BF16)),
                misfit("integers", q.to(DType.I32), k.to(DType.I32), v.to(DType.I32)),
                misfit("truth values", q.to(DType.BOOL), k.to(DType.BOOL), v.to(DType.BOOL)),
                misfit("query of a closed arena", closed(DType.F32, 2, 4, 3, 8), k, v),
                misfit("key of a closed arena", q, closed(DType.F32, 2, 2, 5, 8), v),
                misfit("value of a closed arena", q, k, closed(DType.F32, 2, 2, 5, 6)),
                misfit("key of another thread's arena", q, confinedElsewhere(DType.F32, 2, 2, 5, 8), v));
    }

    private static DynamicTest misfit(String name, Tensor q, Tensor k, Tensor v) {
        return refused(name, () -> Attention.scaledDotProduct(q, k, v));
    }

    @TestFactory
    Stream<DynamicTest> optionsThatCannotBe() {
        return Stream.of(
                refused("scale NaN", () -> PLAIN.withScale(Double.NaN)),
                refused("scale infinite", () -> PLAIN.withScale(Double.POSITIVE_INFINITY)),
                refused("softcap 0", () -> PLAIN.withSoftcap(0.0)),
                refused("softcap negative", () -> PLAIN.withSoftcap(-2.0)),
                refused("softcap NaN", () -> PLAIN.withSoftcap(Double.NaN)),
                refused("softcap infinite", () -> PLAIN.withSoftcap(Double.POSITIVE_INFINITY)),
                refused("dropout 1", () -> PLAIN.withDropout(1, 0)),
                refused("dropout negative", () -> PLAIN.withDropout(-0.1, 0)),
                refused("dropout NaN", () -> PLAIN.withDropout(Double.NaN, 0)),
                refused("top-k negative", () -> PLAIN.withTopK(-1)),
                refused("window negative", () -> PLAIN.withMask(Mask.window(-1, 0))),
                refused("window of no length", () -> PLAIN.withMask(Mask.windowOfLength(0))),
                refused("window of the least length", () -> PLAIN.withMask(Mask.windowOfLength(Long.MIN_VALUE))),
                refused("mask of numbers", () -> PLAIN.withMask(Mask.dense(f32(3, 5)))),
                refused("bias of truths", () -> PLAIN.withBias(Tensor.zeros(DType.BOOL, 3, 5))),
                refused("bias of integers", () -> PLAIN.withBias(Tensor.zeros(DType.I64, 3, 5))),
                refused("slopes of integers", () -> PLAIN.withAlibi(Tensor.zeros(DType.I32, 4))),
                refused("sink of truths", () -> PLAIN.withSink(Tensor.zeros(DType.BOOL, 4))));
    }

    /** Numbers of options that have no finite value in f32 are refused for f32, f16 and bf16, and accepted for f64. */
    @TestFactory
    Stream<DynamicTest> numbersThatF32CannotHold() {
        return Stream.of(
                        PLAIN.withSoftcap(Double.MAX_VALUE),
                        PLAIN.withSoftcap(1e39),
                        PLAIN.withSoftcap(1e-46),
                        PLAIN.withSoftcap(1e-38),
                        PLAIN.withScale(1e300),
                        PLAIN.withScale(-1e39),
                        PLAIN.withScore(ScoreFunction.cosine(1e39)),
                        PLAIN.withScore(ScoreFunction.cosine(f64(1e39))),
                        PLAIN.withScore(ScoreFunction.gaussian(1e20)),
                        PLAIN.withScore(ScoreFunction.gaussian(f64(-1e20))),
                        PLAIN.withScore(ScoreFunction.location(f64(1e39).expand(8, 5))),
                        PLAIN.withScore(ScoreFunction.general(f64(1e39).expand(8, 8))),
                        PLAIN.withScore(ScoreFunction.additive(f64(1e39).expand(8))),
                        PLAIN.withAlibi(f64(1e39).expand(4)),
                        PLAIN.withSink(f64(-1e39).expand(4)),
                        PLAIN.withBias(f64(-Double.MAX_VALUE).expand(3, 5)),
                        PLAIN.withBias(f64(1e39)))
                .flatMap(options -> Stream.of("f32", "f16", "bf16", "f64", "partial")
                        .map(type -> {
                            boolean partial = type.equals("partial") && options.sink() == null;
                            String text = CASE.replace("f32", type.equals("partial") ? "f32" : type);
                            Executable call =
                                    () -> Qkv.of(text).with(partial ? options.withPartial(DType.F64) : options);
                            return partial || type.equals("f64")
                                    ? dynamicTest("accepted in f64: " + options, call)
                                    : refused(type + " " + options, call);
                        }));
    }

    /** Numbers by which problems in f64 would divide by 0, or whose squares are infinite. */
    @TestFactory
    Stream<DynamicTest> numbersThatF64CannotHold() {
        return Stream.of(
                        PLAIN.withSoftcap(1e-320),
                        PLAIN.withScore(ScoreFunction.gaussian(1e160)),
                        PLAIN.withScore(ScoreFunction.gaussian(f64(1e160))))
                .flatMap(options -> Stream.of("f32", "f64")
                        .map(type -> refused(
                                type + " " + options,
                                () -> Qkv.of(CASE.replace("f32", type)).with(options))));
    }

    /** Numbers of mechanisms and layers that would give infinite parameters, values or factors. */
    @TestFactory
    Stream<DynamicTest> numbersOfMechanismsThatF32CannotHold() {
        AttentionInputs f32 = Qkv.of(CASE).with(PLAIN);
        AttentionInputs f16 = Qkv.of(CASE.replace("f32", "f16")).with(PLAIN);
        AttentionInputs f64 = Qkv.of(CASE.replace("f32", "f64")).with(PLAIN);
        Choice choice = HardAttention.argmax().choose(f32);
        Tensor point = f32(3, 2);
        return Stream.of(
                refused("temperature", () -> new GumbelSoftmax(1e-38, 1)),
                refused("large temperature", () -> new GumbelSoftmax(1e39, 1)),
                refused("penalty", () -> DoublyStochastic.of(f32, 1e38)),
                refused("penalty in f16", () -> DoublyStochastic.of(f16, 2e4)),
                dynamicTest("penalty in f64", () -> DoublyStochastic.of(f64, 1e39)),
                refused("reward", () -> new ScoreFunctionGradient(1e39, 0).gradients(choice, f32(1).fill(1))),
                refused(
                        "weighted reward",
                        () -> new ScoreFunctionGradient(1e20, 0).gradients(choice, f32(1).fill(1e20))),
                refused("entropy", () -> new ScoreFunctionGradient(1, 1e39).gradients(choice, f32(1))),
                refused("epsilon 0", () -> new LayerNorm(f32(3), f32(3), 0)),
                refused("epsilon NaN", () -> new RowNorm(new float[3], new float[3], Double.NaN)),
                refused("tiny epsilon", () -> new RowNorm(new float[3], new float[3], 1e-80)),
                refused("divisor", () -> Loss.crossEntropy(f32(1, 2), new int[1], null, 1e-300)),
                refused("bandwidth", () -> SmoothingKernel.epanechikov(1e-200)),
                refused("large bandwidth", () -> SmoothingKernel.boxcar(1e300)),
                refused(
                        "bandwidth in f32",
                        () -> new KernelPooling(SmoothingKernel.gaussian(1e-30))
                                .forward(point, point, point, Mask.NONE)),
                refused(
                        "width in f32",
                        () -> new WidthTraining(point, point, 1e30, 1, AttentionEngine.AUTOMATIC).loss()));
    }

    /** Every argument of a builder's method that is not documented as nullable is refused by name. */
    @TestFactory
    Stream<DynamicTest> nullsOfBuilders() {
        AttentionInputs inputs = Qkv.of(CASE).with(PLAIN);
        Tensor w = f32(4, 4);
        return Stream.of(
                        PLAIN,
                        AttentionRules.DEFAULT,
                        AttentionOutputs.NONE,
                        inputs,
                        AttentionResult.into(w),
                        AttentionGradients.allocate(inputs),
                        MultiHeadWeights.of(w, w, w, w),
                        MultiHeadGradients.into(w, w, w, MultiHeadWeights.of(w, w, w, w)),
                        new GumbelSoftmax(1, 1),
                        HardAttention.argmax(),
                        new LocalAttention(w, f32(4), 2),
                        new MonotonicAttention(),
                        new QueryPooling(w, PLAIN),
                        new KernelPooling(SmoothingKernel.constant()))
                .flatMap(builder -> Stream.of(builder.getClass().getMethods())
                        .filter(method -> method.getName().matches("with[A-Z].*|on|causal"))
                        .filter(method ->
                                Stream.of(method.getAnnotatedParameterTypes()).anyMatch(BadInputTest::mustBePresent))
                        .map(method -> refused(method.toString(), () -> callWithNulls(method, builder))));
    }

    private static boolean mustBePresent(AnnotatedType type) {
        return !(type.getType() instanceof Class<?> c && c.isPrimitive()) && !type.isAnnotationPresent(Nullable.class);
    }

    private static void callWithNulls(Method method, Object builder) throws Throwable {
        Object[] nulls = new Object[method.getParameterCount()];
        try {
            method.invoke(builder, nulls);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Test
    void missingTensorsOfResultsAreNamed() {
        Tensor w = f32(4, 4);
        assertNamed("output", () -> AttentionResult.into(null));
        assertNamed("gradient of the key", () -> AttentionGradients.into(w, null, w));
        assertNamed(
                "gradient of the value", () -> MultiHeadGradients.into(w, w, null, MultiHeadWeights.of(w, w, w, w)));
        assertNamed("gradients of the weights", () -> MultiHeadGradients.into(w, w, w, null));
        assertNamed("output weight", () -> MultiHeadWeights.of(w, w, w, null));
        assertNamed("weight", () -> new LinearWeights(null, null));
        assertNamed("attention", () -> MultiHeadProblem.of(4, 4, 4, 4, null));
    }

    private static Tensor f64(double x) {
        return Tensor.of(new double[] {x}, 1);
    }

    @Test
    void caseStringsRefuseThemToo() {
        for (String words : List.of("softcap=1e39", "softcap=1e-46", "score=scaled-dot:1e300", "score=gaussian:1e20")) {
            assertThrows(InvalidInputException.class, () -> Problem.parse(CASE + " " + words));
            Problem.parse(CASE.replace("f32", "f64") + " " + words);
        }
        var refusal = assertThrows(InvalidInputException.class, () -> Problem.parse(CASE + " softcap=1e39"));
        assertTrue(refusal.getMessage().contains("leave the softcap out for none"), refusal::getMessage);
    }

    @TestFactory
    Stream<DynamicTest> optionsThatDoNotFit() {
        return Stream.of(
                refused("bias that does not broadcast", () -> Qkv.of(CASE).with(PLAIN.withBias(f32(3, 4)))),
                refused("bias of rank 5", () -> Qkv.of(CASE).with(PLAIN.withBias(f32(1, 2, 4, 3, 5)))),
                unfit("bias of a closed arena", () -> PLAIN.withBias(closed(DType.F32, 3, 5))),
                unfit("bias of another thread's arena", () -> PLAIN.withBias(confinedElsewhere(DType.F32, 3, 5))),
                unfit("too few slopes", () -> PLAIN.withAlibi(f32(3))),
                unfit("slopes of rank 2", () -> PLAIN.withAlibi(f32(1, 4))),
                unfit("slopes of a closed arena", () -> PLAIN.withAlibi(closed(DType.F32, 4))),
                unfit("a sink for each key head", () -> PLAIN.withSink(f32(2))),
                unfit("a sink of a closed arena", () -> PLAIN.withSink(closed(DType.F32, 4))),
                unfit("too few key lengths", () -> PLAIN.withMask(Mask.keyLengths(5))),
                unfit("too many key lengths", () -> PLAIN.withMask(Mask.keyLengths(5, 5, 5))),
                unfit("key length beyond the keys", () -> PLAIN.withMask(Mask.keyLengths(5, 6))),
                unfit("negative key length", () -> PLAIN.withMask(Mask.keyLengths(5, -1))),
                unfit("offsets of another batch", () -> PLAIN.causal(CausalAlignment.offset(new long[] {1, 2, 3}))),
                unfit("dense mask that does not broadcast", () -> dense(Tensor.zeros(DType.BOOL, 5, 3))),
                unfit("dense mask of a closed arena", () -> dense(closed(DType.BOOL, 3, 5))),
                unfit("dense mask of another thread's arena", () -> dense(confinedElsewhere(DType.BOOL, 3, 5))),
                unfit(
                        "misfit deep inside",
                        () -> PLAIN.withMask(Mask.NONE.or(Mask.causal().and(Mask.keyLengths(9, 9))))),
                unfit("row beyond the last", () -> PLAIN.withRows(0, 3)),
                unfit("row before the first", () -> PLAIN.withRows(-1)),
                refused("top-k beyond the keys", () -> Qkv.of(CASE).with(PLAIN.withTopK(6))));
    }

    private static AttentionOptions dense(Tensor truths) {
        return PLAIN.withMask(Mask.dense(truths));
    }

    private static DynamicTest unfit(String name, Supplier<AttentionOptions> options) {
        return dynamicTest(
                name,
                () -> assertRefused("case      " + CASE, () -> Qkv.of(CASE).with(options.get())));
    }

    @TestFactory
    Stream<DynamicTest> resultsThatCannotBeWrittenTo() {
        AttentionInputs in = Qkv.of(CASE).with(everything());
        Tensor bias = in.options().bias();
        return Stream.of(
                unwritable("output of another shape", in, f32(2, 4, 3, 8), null),
                unwritable("output of another type", in, Tensor.zeros(DType.F64, 2, 4, 3, 6), null),
                unwritable("output of a closed arena", in, closed(DType.F32, 2, 4, 3, 6), null),
                unwritable("output of another thread's arena", in, confinedElsewhere(DType.F32, 2, 4, 3, 6), null),
                unwritable("read-only output", in, f32(2, 4, 3, 6).asReadOnly(), null),
                unwritable("expanded output", in, f32(1, 1, 1, 6).expand(2, 4, 3, 6), null),
                unwritable("output over the query", in, in.query().slice(3, 0, 6), null),
                unwritable("LSE of another type", in, null, Tensor.zeros(DType.F64, 2, 4, 3)),
                unwritable("LSE of another shape", in, null, f32(2, 4, 3, 1)),
                unwritable(
                        "LSE over the bias",
                        in,
                        null,
                        bias == null ? f32(1) : bias.reshape(60).slice(0, 0, 24).reshape(2, 4, 3)),
                dynamicTest(
                        "no place for the LSE",
                        () -> refuseForward(
                                in,
                                r -> AttentionResult.into(r.output())
                                        .withWeights(r.weights())
                                        .withTopK(r.topKWeights(), r.topKIndices()))),
                dynamicTest(
                        "no place for the weights",
                        () -> refuseForward(
                                in,
                                r -> AttentionResult.into(r.output())
                                        .withLse(r.lse())
                                        .withTopK(r.topKWeights(), r.topKIndices()))),
                dynamicTest(
                        "indices of 32 bits",
                        () -> refuseForward(
                                in,
                                r -> AttentionResult.into(r.output())
                                        .withLse(r.lse())
                                        .withWeights(r.weights())
                                        .withTopK(r.topKWeights(), Tensor.zeros(DType.I32, 2, 4, 3, 2)))),
                dynamicTest(
                        "two outputs in one place",
                        () -> refuseForward(
                                in,
                                r -> AttentionResult.into(r.output())
                                        .withLse(r.lse())
                                        .withWeights(r.weights())
                                        .withTopK(r.weights().slice(3, 0, 2), r.topKIndices()))),
                dynamicTest(
                        "unasked scores of another shape",
                        () -> refuseForward(
                                in,
                                r -> AttentionResult.into(r.output())
                                        .withLse(r.lse())
                                        .withWeights(r.weights())
                                        .withTopK(r.topKWeights(), r.topKIndices())
                                        .withScores(f32(2, 4, 3, 6)))));
    }

    @Test
    void outputOverTheMaskIsRefused() {
        try (Arena arena = Arena.ofConfined()) {
            Tensor output = Tensor.allocate(arena, DType.F32, 2, 4, 3, 6);
            Tensor truths = Tensor.of(output.segment().asSlice(0, 15), DType.BOOL, 3, 5);
            AttentionInputs in = Qkv.of(CASE).with(dense(truths));
            output.fill(SENTINEL);
            assertRefused(in.problem(), () -> run(in, AttentionResult.into(output)));
            assertAll(SENTINEL, output);
        }
    }

    private static AttentionOptions everything() {
        return PLAIN.withLse().withWeights().withTopK(2).withBias(new RandomTensors(1).normal(DType.F32, 4, 3, 5));
    }

    private static DynamicTest unwritable(
            String name, AttentionInputs inputs, @Nullable Tensor output, @Nullable Tensor lse) {
        return dynamicTest(
                name,
                () -> refuseForward(
                        inputs,
                        r -> AttentionResult.into(output == null ? r.output() : output)
                                .withLse(lse == null ? r.lse() : lse)
                                .withWeights(r.weights())
                                .withTopK(r.topKWeights(), r.topKIndices())));
    }

    private interface Damage {
        AttentionResult to(AttentionResult good);
    }

    /** Asserts that the call is rejected and that it changes neither the query nor the valid tensors of the result. */
    private static void refuseForward(AttentionInputs inputs, Damage damage) {
        double[] query = inputs.query().toDoubleArray();
        AttentionResult good = AttentionResult.allocate(inputs.problem());
        good.tensors().forEach(BadInputTest::fillWithSentinel);
        AttentionResult damaged = damage.to(good);
        assertRefused("case      " + inputs.problem(), () -> run(inputs, damaged));
        for (Tensor tensor : good.tensors()) {
            if (tensor != null) {
                assertAll(SENTINEL, tensor);
            }
        }
        assertTrue(Arrays.equals(query, inputs.query().toDoubleArray()));
    }

    private static void run(AttentionInputs inputs, AttentionResult result) {
        try (var backend = new ReferenceBackend();
                AttentionPlan plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
    }

    private static void fillWithSentinel(@Nullable Tensor tensor) {
        if (tensor != null) {
            tensor.fill(SENTINEL);
        }
    }

    @Test
    void aClosedPlanSaysSo() {
        AttentionInputs in = Qkv.of(CASE).with(PLAIN);
        AttentionPlan plan = new ReferenceBackend().plan(in.problem());
        plan.close();
        var refusal = assertThrows(
                IllegalStateException.class, () -> plan.forward(in, AttentionResult.allocate(in.problem())));
        assertTrue(refusal.getMessage().contains(CASE) && refusal.getMessage().contains("HINT"), refusal::getMessage);
    }

    @Test
    void missingTensorsAreNamed() {
        Tensor q = f32(1, 1, 2, 4);
        assertNamed("query", () -> Attention.scaledDotProduct(null, q, q));
        assertNamed("value", () -> Attention.scaledDotProduct(q, q, null));
        assertNamed("options", () -> Attention.scaledDotProduct(q, q, q, null));
    }

    private static void assertNamed(String name, Executable call) {
        var refusal = assertThrows(InvalidInputException.class, call);
        assertTrue(refusal.getMessage().startsWith("The " + name + " is missing"), refusal::getMessage);
        assertTrue(refusal.getMessage().contains("HINT: "), refusal::getMessage);
    }

    /** Tests that a null is refused where it is given, with its name. */
    @Test
    void missingObjectsAreNamed() {
        Tensor w = f32(4, 4);
        assertNamed("mask", () -> PLAIN.withMask(null));
        assertNamed("mask", () -> AttentionRules.DEFAULT.withMask(null));
        assertNamed("score function", () -> PLAIN.withScore(null));
        assertNamed("score function", () -> AttentionRules.DEFAULT.withScore(null));
        assertNamed("rules", () -> PLAIN.withRules(null));
        assertNamed("optional outputs", () -> PLAIN.withOutputs(null));
        assertNamed("alignment", () -> PLAIN.causal(null));
        assertNamed("alignment", () -> Mask.causal(null));
        assertNamed("alignment", () -> new Mask.Window(1, 1, null));
        assertNamed("offset", () -> CausalAlignment.offset((long[]) null));
        assertNamed("key lengths", () -> Mask.keyLengths((long[]) null));
        assertNamed("mask", () -> Mask.dense(null));
        assertNamed("spans", () -> Mask.spans(null));
        assertNamed("block mask", () -> Mask.blocks((Tensor) null, 2, 2));
        assertNamed("other mask", () -> Mask.causal().and(null));
        assertNamed("other mask", () -> Mask.NONE.and(null));
        assertNamed("other mask", () -> Mask.causal().or(null));
        assertNamed("weight", () -> ScoreFunction.general(null));
        assertNamed("weight", () -> ScoreFunction.location(null));
        assertNamed("weight", () -> ScoreFunction.concat(null, f32(4)));
        assertNamed("vector", () -> ScoreFunction.concat(w, null));
        assertNamed("vector", () -> ScoreFunction.additive(null));
        assertNamed("vector", () -> ScoreFunction.additive(w, w, null));
        assertNamed("strength", () -> ScoreFunction.cosine(null));
        assertNamed("width", () -> ScoreFunction.gaussian(null));
        assertNamed("score", () -> ScoreFunction.custom("mine", null));
    }
}
