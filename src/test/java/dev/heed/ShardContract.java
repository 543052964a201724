package dev.heed;

import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests of the backward pass over some of the keys, with the forward result over all keys (semantics 13): the terms of the
 * query's gradient add up to the whole gradient, and keys, values and bias get their slice of it.
 */
interface ShardContract extends ContractChapter {
    static Stream<String> cases() {
        return Stream.of("f64", "f32", "f16", "bf16")
                .flatMap(type -> Stream.of("plain", "bias", "sink", "mask", "softcap", "gaussian", "additive", "large")
                        .map(name -> type + " " + name));
    }

    private static AttentionOptions options(String name, DType type) {
        var random = new RandomTensors(3);
        DType numbers = type.accumulator();
        AttentionOptions plain = AttentionOptions.DEFAULT.withLse();
        return switch (name) {
            case "bias" -> plain.withBias(random.normal(numbers, 2, 4, 19, 21));
            case "sink" -> plain.withSink(random.normal(numbers, 4)).withSoftcap(2.0);
            // rows without keys in some shards, and rows without any keys
            case "mask" -> plain.withMask(Mask.dense(random.truths(0.08, 2, 4, 19, 21)));
            case "softcap" -> plain.withSoftcap(1.5);
            case "gaussian" -> plain.withScore(ScoreFunction.gaussian(0.7));
            case "additive" -> plain.withScore(ScoreFunction.additive(random.normal(numbers, 8)));
            case "large" -> plain.withScale(64);
            default -> plain;
        };
    }

    private static AttentionInputs shard(AttentionInputs in, long from, long to) {
        AttentionOptions o = in.options();
        Tensor bias = o.bias();
        AttentionOptions own = bias == null ? o : o.withBias(bias.slice(3, from, to));
        if (o.mask() instanceof Mask.Dense dense) {
            own = own.withMask(Mask.dense(dense.takesPart().slice(3, from, to)));
        }
        return AttentionInputs.of(
                in.query(), in.key().slice(2, from, to), in.value().slice(2, from, to), own);
    }

    @ParameterizedTest
    @MethodSource("dev.heed.ShardContract#cases")
    default void gradientsOfShardsAddUpToTheWhole(String name) {
        DType type = DType.valueOf(name.split(" ")[0].toUpperCase(Locale.ROOT));
        var random = new RandomTensors(5);
        AttentionInputs inputs = AttentionInputs.of(
                random.normal(type, 2, 4, 19, 8),
                random.normal(type, 2, 2, 21, 8),
                random.normal(type, 2, 2, 21, 12),
                options(name.split(" ")[1], type));
        Tensor dOutput = random.normal(type, 2, 4, 19, 12);
        Tensor dLse = random.normal(type.accumulator(), 2, 4, 19);
        AttentionResult forward = forward(inputs);
        Map<String, double[]> whole = flat(gradients(inputs, forward, dOutput, dLse));
        // the scores of "large" are in the hundreds, so their rounding errors are magnified as much
        double tolerance = (name.endsWith("large") ? 400 : 50) * Qkv.unit(type);
        for (int shards : new int[] {2, 7}) {
            assertSums(whole, inputs, shards, forward, dOutput, dLse, tolerance, name);
            if (!name.endsWith("large")) { // an LSE alone has too few digits
                assertSums(whole, inputs, shards, onlyLse(forward), dOutput, dLse, tolerance, name);
            }
            if (inputs.options().sink() == null) { // each shard would count it
                assertSums(whole, inputs, shards, merged(inputs, shards), dOutput, dLse, tolerance, name);
            }
        }
    }

    /** A padded row, whose bias is -1e9, does not change the gradients of other rows. */
    @Test
    default void aRowOfLargeBiasLeavesTheOtherRowsAlone() {
        var random = new RandomTensors(5);
        Tensor bias = random.normal(DType.F32, 1, 1, 4, 6);
        Tensor padded = bias.copy();
        padded.select(2, 3).fill(-1e9);
        Tensor query = random.normal(DType.F32, 1, 1, 4, 8);
        Tensor key = random.normal(DType.F32, 1, 1, 6, 8);
        Tensor value = random.normal(DType.F32, 1, 1, 6, 8);
        Tensor dOutput = random.normal(DType.F32, 1, 1, 4, 8);
        Tensor[] terms = new Tensor[2];
        for (int n = 0; n < 2; n++) {
            AttentionInputs inputs = AttentionInputs.of(
                    query, key, value, AttentionOptions.DEFAULT.withLse().withBias(n == 0 ? bias : padded));
            AttentionResult all = forward(inputs);
            terms[n] = gradients(shard(inputs, 0, 3), all, dOutput, null).query();
        }
        TensorAssertions.assertClose(terms[0].slice(2, 0, 3), terms[1].slice(2, 0, 3), 1e-6);
    }

    @Test
    default void aSinkAboveAllScoresKeepsTheDigitsOfThePair() {
        var random = new RandomTensors(5);
        for (long queries : new long[] {1, 32}) {
            for (double sink : new double[] {100.7, 1e6, 3e7}) {
                AttentionInputs inputs = AttentionInputs.of(
                        random.normal(DType.F32, 1, 1, queries, 8),
                        random.normal(DType.F32, 1, 1, 6, 8),
                        random.normal(DType.F32, 1, 1, 6, 8),
                        AttentionOptions.DEFAULT
                                .withLse()
                                .withScale(0.3)
                                .withSink(Tensor.of(new float[] {(float) sink}, 1)));
                AttentionResult result = forward(inputs);
                double max = Objects.requireNonNull(result.rowMax()).get(0, 0, queries - 1);
                double sum = Objects.requireNonNull(result.rowSum()).get(0, 0, queries - 1);
                assertEquals((float) sink, max + Math.log(sum), 4e-7, "sink " + sink + ", " + queries + " queries");
            }
        }
    }

    @Test
    default void dropoutWithAResultOfMoreKeysIsRefused() {
        Qkv qkv = Qkv.of("q1x2x3x8 kv2x5 f32");
        AttentionInputs inputs = qkv.with(AttentionOptions.DEFAULT.withLse().withDropout(0.5, 1));
        AttentionResult all = forward(inputs).asMerged();
        assertThrows(InvalidInputException.class, () -> gradients(inputs, all, all.output(), null));
    }

    @Test
    default void aResultOfMoreKeysNeedsItsStatistics() {
        Qkv qkv = Qkv.of("q1x2x3x8 kv2x5 f32");
        AttentionInputs inputs = qkv.with(AttentionOptions.DEFAULT);
        AttentionResult all = forward(inputs);
        var thrown = assertThrows(
                InvalidInputException.class, () -> gradients(shard(inputs, 0, 2), all, all.output(), null));
        assertTrue(thrown.getMessage().contains("options.withLse()"), thrown.getMessage());
    }

    /** {@return the output and the LSE of a result, as a caller who has no more puts them together} */
    private static AttentionResult onlyLse(AttentionResult result) {
        return AttentionResult.into(result.output()).withLse(result.lse()).asMerged();
    }

    private AttentionResult merged(AttentionInputs inputs, int shards) {
        var results = new ArrayList<AttentionResult>();
        for (int n = 0; n < shards; n++) {
            AttentionInputs some = shard(inputs, 21L * n / shards, 21L * (n + 1) / shards);
            assumeSupported(some.problem());
            results.add(forward(some));
        }
        return Attention.merge(results);
    }

    private void assertSums(
            Map<String, double[]> whole,
            AttentionInputs inputs,
            int shards,
            AttentionResult forward,
            Tensor dOutput,
            Tensor dLse,
            double tolerance,
            String name) {
        Map<String, double[]> sum = new TreeMap<>();
        for (int n = 0; n < shards; n++) {
            long from = 21L * n / shards;
            long to = 21L * (n + 1) / shards;
            AttentionInputs some = shard(inputs, from, to);
            assumeSupported(some.problem());
            AttentionGradients own = gradients(some, forward, dOutput, dLse);
            flat(placed(inputs, own, from, to)).forEach((key, numbers) -> {
                double[] into = sum.computeIfAbsent(key, any -> new double[numbers.length]);
                for (int i = 0; i < numbers.length; i++) { // every shard gives the whole gradient of the sink
                    into[i] = key.equals("sink") ? numbers[i] : into[i] + numbers[i];
                }
            });
        }
        whole.forEach((key, expected) -> {
            double largest =
                    Math.max(1, Arrays.stream(expected).map(Math::abs).max().orElseThrow());
            for (int i = 0; i < expected.length; i++) {
                assertEquals(
                        expected[i],
                        sum.get(key)[i],
                        tolerance * largest,
                        name + " " + key + " " + i + " of " + shards + " shards");
            }
        });
    }

    /** {@return the gradients of a shard in tensors for all keys; zeros for the keys of other shards} */
    private static AttentionGradients placed(AttentionInputs inputs, AttentionGradients own, long from, long to) {
        AttentionGradients all = AttentionGradients.allocate(inputs);
        all.query().copyFrom(own.query());
        all.key().slice(2, from, to).copyFrom(own.key());
        all.value().slice(2, from, to).copyFrom(own.value());
        if (all.bias() != null) {
            all.bias().slice(3, from, to).copyFrom(Objects.requireNonNull(own.bias()));
        }
        if (all.sink() != null) {
            all.sink().copyFrom(Objects.requireNonNull(own.sink()));
        }
        if (all.score() != null) {
            ScoreFunction parameters = Objects.requireNonNull(own.score());
            all.score()
                    .parameters()
                    .forEach((key, tensor) -> tensor.copyFrom(
                            Objects.requireNonNull(parameters.parameters().get(key))));
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("dev.heed.ShardContract#cases")
    default void backwardTwiceGivesTheSameBits(String name) {
        DType type = DType.valueOf(name.split(" ")[0].toUpperCase(Locale.ROOT));
        var random = new RandomTensors(5);
        AttentionInputs inputs = AttentionInputs.of(
                random.normal(type, 2, 4, 19, 8),
                random.normal(type, 2, 2, 21, 8),
                random.normal(type, 2, 2, 21, 12),
                options(name.split(" ")[1], type));
        Tensor dOutput = random.normal(type, 2, 4, 19, 12);
        AttentionResult forward = forward(inputs);
        AttentionGradients first = AttentionGradients.allocate(inputs);
        AttentionGradients second = AttentionGradients.allocate(inputs);
        try (AttentionPlan plan = subject().plan(inputs.problem())) {
            plan.backward(inputs, forward, dOutput, null, first);
            plan.backward(inputs, forward, dOutput, null, second);
        }
        assertSameBits(first.query(), second.query());
        assertSameBits(first.key(), second.key());
        assertSameBits(first.value(), second.value());
    }

    private static Map<String, double[]> flat(AttentionGradients gradients) {
        Map<String, double[]> flat = new TreeMap<>();
        flat.put("query", gradients.query().toDoubleArray());
        flat.put("key", gradients.key().toDoubleArray());
        flat.put("value", gradients.value().toDoubleArray());
        if (gradients.bias() != null) {
            flat.put("bias", gradients.bias().toDoubleArray());
        }
        if (gradients.sink() != null) {
            flat.put("sink", gradients.sink().toDoubleArray());
        }
        if (gradients.score() != null) {
            gradients.score().parameters().forEach((name, tensor) -> flat.put(name, tensor.toDoubleArray()));
        }
        return flat;
    }
}
