package dev.heed;

import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/**
 * Tests that invalid calls of the backward pass and invalid merges of two results are rejected with a message that has the
 * expected and the given value and a hint.
 */
class BadResultInputTest {
    private static final String CASE = "q2x4x3x8 kv2x5 dv6 f32";
    private static final AttentionOptions PLAIN = AttentionOptions.DEFAULT;

    private static Tensor f32(long... shape) {
        return Tensor.zeros(DType.F32, shape);
    }

    /** A tensor whose arena is closed. */
    private static Tensor closed(DType type, long... shape) {
        try (Arena arena = Arena.ofConfined()) {
            return Tensor.allocate(arena, type, shape);
        }
    }

    private static DynamicTest refused(String name, Executable call) {
        return dynamicTest(name, () -> assertRefused(null, call));
    }

    @TestFactory
    Stream<DynamicTest> backwardArgumentsThatDoNotFit() {
        AttentionInputs in = Qkv.of(CASE)
                .with(PLAIN.withLse()
                        .withWeights()
                        .withTopK(2)
                        .withBias(new RandomTensors(1).normal(DType.F32, 4, 3, 5)));
        AttentionResult forward = Attention.scaledDotProduct(in.query(), in.key(), in.value(), in.options());
        var lseless = AttentionResult.into(forward.output())
                .withWeights(forward.weights())
                .withTopK(forward.topKWeights(), forward.topKIndices());
        Tensor dOut = f32(2, 4, 3, 6);
        AttentionGradients g = AttentionGradients.allocate(in);
        return Stream.of(
                backward("output gradient of another shape", in, forward, f32(2, 4, 3, 8), null, g),
                backward("output gradient of another type", in, forward, dOut.to(DType.F64), null, g),
                backward("output gradient of a closed arena", in, forward, closed(DType.F32, 2, 4, 3, 6), null, g),
                backward("LSE gradient of another shape", in, forward, dOut, f32(2, 4, 3, 1), g),
                backward("LSE gradient of truths", in, forward, dOut, Tensor.zeros(DType.BOOL, 2, 4, 3), g),
                backward("forward result without its LSE", in, lseless, dOut, null, g),
                backward(
                        "query gradient of another shape",
                        in,
                        forward,
                        dOut,
                        null,
                        AttentionGradients.into(f32(2, 4, 3, 6), g.key(), g.value())
                                .withBias(g.bias())),
                backward(
                        "key gradient over the key",
                        in,
                        forward,
                        dOut,
                        null,
                        AttentionGradients.into(g.query(), in.key(), g.value()).withBias(g.bias())),
                backward(
                        "value gradient over the output gradient",
                        in,
                        forward,
                        dOut,
                        null,
                        AttentionGradients.into(
                                        g.query(),
                                        g.key(),
                                        dOut.reshape(144).slice(0, 0, 120).reshape(2, 2, 5, 6))
                                .withBias(g.bias())),
                backward(
                        "two gradients in one place",
                        in,
                        forward,
                        dOut,
                        null,
                        AttentionGradients.into(g.query(), g.key(), g.key().slice(3, 0, 6))
                                .withBias(g.bias())),
                backward(
                        "read-only gradient",
                        in,
                        forward,
                        dOut,
                        null,
                        AttentionGradients.into(g.query().asReadOnly(), g.key(), g.value())
                                .withBias(g.bias())),
                backward(
                        "expanded gradient",
                        in,
                        forward,
                        dOut,
                        null,
                        AttentionGradients.into(g.query(), f32(1, 1, 5, 8).expand(2, 2, 5, 8), g.value())
                                .withBias(g.bias())),
                backward(
                        "bias gradient as broadcast",
                        in,
                        forward,
                        dOut,
                        null,
                        AttentionGradients.into(g.query(), g.key(), g.value()).withBias(f32(2, 4, 3, 5))),
                backward(
                        "gradient of a closed arena",
                        in,
                        forward,
                        dOut,
                        null,
                        AttentionGradients.into(g.query(), g.key(), closed(DType.F32, 2, 2, 5, 6))
                                .withBias(g.bias())));
    }

    private static DynamicTest backward(
            String name,
            AttentionInputs inputs,
            AttentionResult forward,
            Tensor dOutput,
            @Nullable Tensor dLse,
            AttentionGradients gradients) {
        return dynamicTest(name, () -> {
            try (var backend = new ReferenceBackend();
                    AttentionPlan plan = backend.plan(inputs.problem())) {
                assertRefused(
                        "case      " + inputs.problem(),
                        () -> plan.backward(inputs, forward, dOutput, dLse, gradients));
            }
        });
    }

    @Test
    void aReadOnlyForwardResultIsGoodEnoughForBackward() {
        AttentionInputs in = Qkv.of(CASE).with(PLAIN);
        Tensor output =
                Attention.scaledDotProduct(in.query(), in.key(), in.value()).asReadOnly();
        var forward = AttentionResult.into(output);
        assertEquals(8, Attention.backward(in, forward, f32(2, 4, 3, 6)).query().size(3));
    }

    @TestFactory
    Stream<DynamicTest> partsThatDoNotMerge() {
        AttentionResult good = forward("q1x2x3x4 kv2x5 f32");
        AttentionResult noLse = AttentionResult.into(good.output());
        AttentionResult flat = AttentionResult.into(f32(1, 3, 8)).withLse(good.lse());
        return Stream.of(
                refused("first without LSE", () -> Attention.merge(noLse, good)),
                refused("second without LSE", () -> Attention.merge(good, noLse)),
                refused("other queries", () -> Attention.merge(good, forward("q1x2x4x4 kv2x5 f32"))),
                refused("other heads", () -> Attention.merge(good, forward("q1x4x3x4 kv2x5 f32"))),
                refused("other types", () -> Attention.merge(good, forward("q1x2x3x4 kv2x5 f64"))),
                refused("outputs of multi-head attention", () -> Attention.merge(flat, flat)));
    }

    private static AttentionResult forward(String caseString) {
        Qkv qkv = Qkv.of(caseString);
        return Attention.scaledDotProduct(qkv.query(), qkv.key(), qkv.value(), PLAIN.withLse());
    }
}
