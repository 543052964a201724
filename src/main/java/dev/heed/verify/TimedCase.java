package dev.heed.verify;

import dev.heed.AttentionBackend;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadProblem;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A case computed repeatedly on one backend, without a reference.
 *
 * @param seconds the shortest time of a run: the forward pass, and the backward pass if the case has one
 * @param bits a hash of the bits of the output, the LSE and the gradients; equal results have equal hashes
 */
public record TimedCase(double seconds, long bits) {
    private static final int MOST_WINDOWS = 20;
    private static final int CALM_WINDOWS = 3;

    /** The factor by which a window must shorten the shortest time to count as an improvement. */
    private static final double IMPROVED = 0.97;

    /**
     * Times an attention, multi-head or linear case.
     *
     * @param windowNanos the time of one window; a case takes at least four and at most twenty
     */
    public static TimedCase of(AttentionBackend backend, Case timed, long windowNanos) {
        try (Arena arena = Arena.ofShared()) {
            var data = new CaseData(timed, arena);
            return switch (timed.problem()) {
                case AttentionProblem p -> attention(backend, timed, p, data, windowNanos);
                case MultiHeadProblem p -> multiHead(backend, timed, p, data, windowNanos);
                case LinearProblem p -> linear(backend, timed, p, data, windowNanos);
                default -> throw new IllegalArgumentException("not an attention, mha or linear case: " + timed);
            };
        }
    }

    private static TimedCase attention(
            AttentionBackend backend, Case timed, AttentionProblem p, CaseData data, long windowNanos) {
        AttentionInputs inputs = data.attention(p);
        AttentionShape s = p.shape();
        AttentionResult result = AttentionResult.allocate(p, data::place);
        Tensor dOutput = data.random(p.outputType(), s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim());
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        try (var plan = backend.plan(p)) {
            double seconds = seconds(windowNanos, () -> {
                plan.forward(inputs, result);
                if (timed.backward()) {
                    plan.backward(inputs, result, dOutput, null, gradients);
                }
            });
            return new TimedCase(
                    seconds,
                    bits(result.output(), result.lse(), gradients.query(), gradients.key(), gradients.value()));
        }
    }

    private static TimedCase multiHead(
            AttentionBackend backend, Case timed, MultiHeadProblem p, CaseData data, long windowNanos) {
        MultiHeadInputs inputs = data.multiHead(p);
        AttentionResult result = AttentionResult.allocate(p, data::place);
        Tensor dOutput = data.random(p.attention().type(), p.outputShape());
        MultiHeadGradients gradients = MultiHeadGradients.allocate(inputs);
        try (var plan = backend.plan(p)) {
            double seconds = seconds(windowNanos, () -> {
                plan.forward(inputs, result);
                if (timed.backward()) {
                    plan.backward(inputs, dOutput, gradients);
                }
            });
            return new TimedCase(
                    seconds,
                    bits(
                            result.output(),
                            gradients.query(),
                            gradients.key(),
                            gradients.value(),
                            gradients.weights().query(),
                            gradients.weights().output()));
        }
    }

    private static TimedCase linear(
            AttentionBackend backend, Case timed, LinearProblem p, CaseData data, long windowNanos) {
        Tensor input = data.random(p.type(), p.rows(), p.in());
        LinearWeights weights = data.linear(p);
        Tensor output = data.place(p.type(), p.rows(), p.out());
        Tensor dOutput = data.random(p.type(), p.rows(), p.out());
        Tensor dInput = data.place(p.type(), p.rows(), p.in());
        LinearWeights dWeights = weights.zerosLike();
        try (var plan = backend.plan(p)) {
            double seconds = seconds(windowNanos, () -> {
                plan.forward(input, weights, output);
                if (timed.backward()) {
                    plan.backward(input, weights, dOutput, dInput, dWeights);
                }
            });
            return new TimedCase(seconds, bits(output, dInput, dWeights.weight(), dWeights.bias()));
        }
    }

    /**
     * {@return the shortest time} The runs end when the shortest time has hardly improved in several windows of time, because the JIT
     * then has compiled the loops. On a busy machine that takes many times as long as on a quiet one.
     */
    private static double seconds(long windowNanos, Runnable run) {
        double least = Double.POSITIVE_INFINITY;
        int calm = 0;
        for (int window = 0; window < MOST_WINDOWS && calm < CALM_WINDOWS; window++) {
            double before = least;
            long start = System.nanoTime();
            do {
                long from = System.nanoTime();
                run.run();
                least = Math.min(least, System.nanoTime() - from);
            } while (System.nanoTime() - start < windowNanos);
            calm = least > IMPROVED * before ? calm + 1 : 0;
        }
        return least * 1e-9;
    }

    private static long bits(@Nullable Tensor... tensors) {
        return Stream.of(tensors)
                .filter(Objects::nonNull)
                .mapToLong(tensor -> Arrays.hashCode(tensor.to(DType.F64).toDoubleArray()))
                .reduce(1, (hash, next) -> hash * 1_000_003 + next);
    }
}
