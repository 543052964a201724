package dev.heed.mechanism;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionBackend;
import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.Backends;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import dev.heed.verify.ErrorBudget;
import dev.heed.verify.Measure;
import dev.heed.verify.NaiveBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.provider.Arguments;

/**
 * Shared helpers for the tests of composed mechanisms: options, engines, and the comparison with the reference in
 * double.
 */
public final class Family {
    static final AttentionEngine REFERENCE = AttentionEngine.of(Backends.named("reference"));
    private static final AttentionEngine NAIVE = AttentionEngine.of(new NaiveBackend());

    private Family() {}

    /** Options for {@code q2x4x3x3 kv2x5}, by name: masks, modifiers and score functions; parameters are f64. */
    static Map<String, AttentionOptions> options() {
        AttentionOptions plain = AttentionOptions.DEFAULT;
        var random = new RandomTensors(7);
        return Map.ofEntries(
                Map.entry("plain", plain),
                Map.entry("causal", plain.causal()),
                Map.entry("key lengths, one zero", plain.withMask(Mask.keyLengths(0, 3))),
                Map.entry("dense", plain.withMask(Mask.dense(random.truths(0.6, 2, 1, 3, 5)))),
                Map.entry("blocks", plain.withMask(Mask.blocks(random.truths(0.6, 1, 4, 2, 3), 2, 2))),
                Map.entry("softcap", plain.withSoftcap(0.8)),
                Map.entry("bias", plain.withBias(random.normal(DType.F64, 4, 1, 5))),
                Map.entry("bias of keys", plain.withBias(random.normal(DType.F64, 5))),
                Map.entry(
                        "alibi and bias",
                        plain.withAlibi(random.normal(DType.F64, 4)).withBias(random.normal(DType.F64, 2, 4, 3, 5))),
                Map.entry("cosine", plain.withScore(ScoreFunction.cosine(random.normal(DType.F64, 2, 4, 3)))),
                Map.entry("general", plain.withScore(ScoreFunction.general(random.normal(DType.F64, 3, 3)))),
                Map.entry(
                        "location",
                        plain.withScore(ScoreFunction.location(random.normal(DType.F64, 4, 3, 7)))
                                .causal()),
                Map.entry(
                        "additive",
                        plain.withScore(ScoreFunction.additive(
                                random.normal(DType.F64, 3, 4),
                                random.normal(DType.F64, 3, 4),
                                random.normal(DType.F64, 4),
                                random.normal(DType.F64, 4)))),
                Map.entry(
                        "concat",
                        plain.withScore(
                                ScoreFunction.concat(random.normal(DType.F64, 6, 4), random.normal(DType.F64, 4)))),
                Map.entry("gaussian", plain.withScore(ScoreFunction.gaussian(random.normal(DType.F64, 4)))));
    }

    static Stream<String> optionNames() {
        return options().keySet().stream().sorted();
    }

    static AttentionInputs small(String name) {
        return Qkv.of("q2x4x3x3 kv2x5 dv2 f64").with(options().get(name));
    }

    /** All tensors that have a gradient, each with its gradient. */
    static Map<Tensor, Tensor> pairs(AttentionInputs inputs, AttentionGradients gradients) {
        var pairs = new LinkedHashMap<Tensor, Tensor>();
        pairs.put(inputs.query(), gradients.query());
        pairs.put(inputs.key(), gradients.key());
        pairs.put(inputs.value(), gradients.value());
        if (inputs.options().bias() != null) {
            pairs.put(inputs.options().bias(), gradients.bias());
        }
        inputs.options()
                .score()
                .parameters()
                .forEach((name, tensor) ->
                        pairs.put(tensor, gradients.score().parameters().get(name)));
        return pairs;
    }

    /** All gradients, concatenated. */
    static double[] flat(AttentionGradients gradients) {
        List<Tensor> tensors = new ArrayList<>(List.of(gradients.query(), gradients.key(), gradients.value()));
        if (gradients.bias() != null) {
            tensors.add(gradients.bias());
        }
        if (gradients.score() != null) {
            tensors.addAll(gradients.score().parameters().values());
        }
        return tensors.stream()
                .flatMapToDouble(tensor -> Arrays.stream(tensor.toDoubleArray()))
                .toArray();
    }

    /** The backends that are ready on this machine, except the reference. */
    static List<AttentionBackend> fast() {
        return Backends.all().stream()
                .filter(backend -> !backend.name().equals("reference"))
                .filter(backend -> backend.notReadyReasons().isEmpty())
                .toList();
    }

    /** Returns f32 inputs for the tests of a mechanism on each fast backend. */
    static Stream<AttentionInputs> fastInputs() {
        AttentionOptions plain = AttentionOptions.DEFAULT;
        var random = new RandomTensors(9);
        return Stream.of(
                Qkv.of("q2x4x18x16 kv2x37 f32").with(plain),
                Qkv.of("q1x2x40x20 kv1x67 dv9 f32").with(plain.causal()),
                Qkv.of("q2x2x33x8 kv1x30 f32")
                        .with(plain.withMask(Mask.window(9, 4).and(Mask.keyLengths(30, 20)))),
                Qkv.of("q1x2x14x8 kv2x19 f32")
                        .with(plain.withScore(ScoreFunction.additive(
                                random.normal(DType.F32, 8, 6),
                                random.normal(DType.F32, 8, 6),
                                random.normal(DType.F32, 6)))),
                Qkv.of("q2x2x14x8 kv1x19 f32").with(plain.withScore(ScoreFunction.cosine(2))),
                Qkv.of("q1x2x14x8 kv1x19 f32")
                        .with(plain.withScore(ScoreFunction.gaussian(0.4)).causal()),
                Qkv.of("q1x2x21x16 kv2x64 f32")
                        .with(plain.withSoftcap(3.0).withBias(random.normal(DType.F32, 1, 2, 1, 64))));
    }

    /** Each fast backend with each of the inputs that it supports. */
    static Stream<Arguments> fastCases() {
        return fast().stream()
                .flatMap(backend -> fastInputs()
                        .filter(inputs ->
                                backend.notSupportedReasons(inputs.problem()).isEmpty())
                        .map(inputs -> Arguments.of(
                                backend.name(), Named.of(inputs.problem().toString(), inputs))));
    }

    /** Checks that the results of a mechanism on a fast backend are within the error budget. */
    static void assertWithinBudget(
            String backend,
            AttentionInputs inputs,
            boolean gradient,
            BiFunction<AttentionEngine, AttentionInputs, double[]> mechanism) {
        AttentionInputs wide = AttentionInputs.of(
                inputs.query().to(DType.F64),
                inputs.key().to(DType.F64),
                inputs.value().to(DType.F64),
                inputs.options());
        double[] truth = mechanism.apply(REFERENCE, wide);
        double[] naive = mechanism.apply(NAIVE, inputs);
        double[] ours = mechanism.apply(AttentionEngine.of(Backends.named(backend)), inputs);
        ErrorBudget budget = gradient ? ErrorBudget.gradient(DType.F32) : ErrorBudget.forward(DType.F32);
        Measure measure = budget.measure(backend, ours, truth, naive, Double.POSITIVE_INFINITY);
        assertTrue(measure.passed(), measure + " in " + inputs.problem());
    }
}
