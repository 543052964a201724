package dev.heed.backend.reference;

import static dev.heed.backend.reference.CentralDifference.assertDirectionalDerivative;
import static dev.heed.backend.reference.CentralDifference.assertGradient;
import static dev.heed.backend.reference.CentralDifference.weighed;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tests the reference backend's gradients of attention against central differences of its forward pass, for all inputs and
 * score parameters, with each of {@link #options}.
 */
class GradientTest {
    private static final String SMALL = "q2x4x3x3 kv2x5 dv2 f64";

    static Stream<Arguments> options() {
        AttentionOptions plain = AttentionOptions.DEFAULT;
        var random = new RandomTensors(1);
        return Stream.of(
                Arguments.of("plain", plain),
                Arguments.of("lse", plain.withLse()),
                Arguments.of("dot", plain.withScore(ScoreFunction.dot())),
                Arguments.of(
                        "cosine", plain.withScore(ScoreFunction.cosine(2.5)).withLse()),
                Arguments.of(
                        "cosine of every row",
                        plain.withScore(ScoreFunction.cosine(random.normal(DType.F64, 2, 4, 3)))
                                .withLse()),
                Arguments.of("cosine of heads", plain.withScore(ScoreFunction.cosine(random.normal(DType.F64, 4, 1)))),
                Arguments.of(
                        "general",
                        plain.withScore(ScoreFunction.general(random.normal(DType.F64, 3, 3)))
                                .withLse()),
                Arguments.of(
                        "general of heads",
                        plain.withScore(ScoreFunction.general(random.normal(DType.F64, 4, 3, 3)))
                                .withSoftcap(1.5)),
                Arguments.of(
                        "location",
                        plain.withScore(ScoreFunction.location(random.normal(DType.F64, 3, 5)))
                                .withLse()),
                Arguments.of(
                        "location, longer than the keys",
                        plain.withScore(ScoreFunction.location(random.normal(DType.F64, 4, 3, 7)))
                                .causal()),
                Arguments.of(
                        "additive without projections",
                        plain.withScore(ScoreFunction.additive(random.normal(DType.F64, 3)))
                                .withLse()),
                Arguments.of(
                        "additive",
                        plain.withScore(ScoreFunction.additive(
                                        random.normal(DType.F64, 3, 4),
                                        random.normal(DType.F64, 3, 4),
                                        random.normal(DType.F64, 4),
                                        random.normal(DType.F64, 4)))
                                .withLse()),
                Arguments.of(
                        "additive of heads",
                        plain.withScore(ScoreFunction.additive(
                                        random.normal(DType.F64, 4, 3, 2),
                                        random.normal(DType.F64, 4, 3, 2),
                                        random.normal(DType.F64, 4, 2),
                                        random.normal(DType.F64, 4, 2)))
                                .withSoftcap(0.9)
                                .causal()),
                Arguments.of(
                        "concat",
                        plain.withScore(ScoreFunction.concat(
                                        random.normal(DType.F64, 6, 4), random.normal(DType.F64, 4)))
                                .withLse()),
                Arguments.of(
                        "concat of heads",
                        plain.withScore(ScoreFunction.concat(
                                random.normal(DType.F64, 4, 6, 2), random.normal(DType.F64, 4, 2)))),
                Arguments.of(
                        "gaussian", plain.withScore(ScoreFunction.gaussian(0.6)).withLse()),
                Arguments.of(
                        "gaussian of a learned width",
                        plain.withScore(ScoreFunction.gaussian(random.normal(DType.F64, 1)))
                                .withLse()),
                Arguments.of(
                        "gaussian of heads",
                        plain.withScore(ScoreFunction.gaussian(random.normal(DType.F64, 4)))
                                .withSoftcap(2.0)),
                Arguments.of("custom", plain.withScore(wave()).withLse()),
                Arguments.of("scale", plain.withScale(-0.7).withLse()),
                Arguments.of("softcap", plain.withSoftcap(0.8).withLse()),
                Arguments.of("causal", plain.causal()),
                Arguments.of(
                        "causal with empty rows",
                        plain.causal(CausalAlignment.offset(-1)).withLse()),
                Arguments.of("window", plain.withMask(Mask.window(1, 1))),
                Arguments.of(
                        "key lengths, one zero",
                        plain.withMask(Mask.keyLengths(0, 3)).withLse()),
                Arguments.of("dense", plain.withMask(Mask.dense(random.truths(0.5, 2, 4, 3, 5)))),
                Arguments.of("or", plain.withMask(Mask.window(0, 0).or(Mask.keyLengths(2, 1)))),
                Arguments.of("alibi", plain.withAlibi(random.normal(DType.F64, 4))),
                Arguments.of("sink", plain.withSink(random.normal(DType.F64, 4)).withLse()),
                Arguments.of(
                        "sink and empty rows",
                        plain.withSink(random.normal(DType.F64, 4)).withMask(Mask.keyLengths(5, 0))),
                Arguments.of("bias of every cell", plain.withBias(random.normal(DType.F64, 2, 4, 3, 5))),
                Arguments.of("bias shared by batches", plain.withBias(random.normal(DType.F64, 4, 3, 5))),
                Arguments.of("bias shared by heads", plain.withBias(random.normal(DType.F64, 2, 1, 3, 5))),
                Arguments.of(
                        "bias of rows",
                        plain.withBias(random.normal(DType.F64, 1, 4, 3, 1)).withLse()),
                Arguments.of(
                        "bias of keys",
                        plain.withBias(random.normal(DType.F64, 5)).withLse()),
                Arguments.of(
                        "bias of one element",
                        plain.withBias(random.normal(DType.F64, 1)).withLse()),
                Arguments.of(
                        "bias with minus infinity",
                        plain.withBias(withMinusInfinity()).withLse()),
                Arguments.of("dropout", plain.withDropout(0.4, 5).withLse()),
                Arguments.of(
                        "everything",
                        plain.withScale(0.9)
                                .withSoftcap(1.5)
                                .withBias(random.normal(DType.F64, 4, 3, 5))
                                .withAlibi(random.normal(DType.F64, 4))
                                .withSink(random.normal(DType.F64, 4))
                                .withDropout(0.2, 6)
                                .causal()
                                .withLse()));
    }

    /** {@return a custom score function, {@code sin(s_0 h_0) + s_1 h_2}} */
    private static ScoreFunction wave() {
        return ScoreFunction.custom("wave", (s, h) -> Math.sin(s[0] * h[0]) + s[1] * h[2], (s, h, upstream, ds, dh) -> {
            ds[0] += upstream * h[0] * Math.cos(s[0] * h[0]);
            dh[0] += upstream * s[0] * Math.cos(s[0] * h[0]);
            ds[1] += upstream * h[2];
            dh[2] += upstream * s[1];
        });
    }

    private static Tensor withMinusInfinity() {
        Tensor bias = new RandomTensors(2).normal(DType.F64, 3, 5);
        bias.select(0, 1).fill(Double.NEGATIVE_INFINITY);
        bias.set(Double.NEGATIVE_INFINITY, 2, 4);
        return bias;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("options")
    void gradientsAreTheSlopesOfTheForwardPass(String name, AttentionOptions options) {
        var trial = new Trial(Qkv.of(SMALL).with(options));
        AttentionGradients gradients = trial.gradients();
        assertGradient("query", trial.inputs.query(), gradients.query(), trial);
        assertGradient("key", trial.inputs.key(), gradients.key(), trial);
        assertGradient("value", trial.inputs.value(), gradients.value(), trial);
        Tensor bias = options.bias();
        if (bias != null && gradients.bias() != null && !name.contains("infinity")) {
            assertGradient("bias", bias, gradients.bias(), trial);
        }
        ScoreFunction score = gradients.score();
        if (score != null) {
            score.parameters()
                    .forEach((parameter, gradient) -> assertGradient(
                            parameter,
                            Objects.requireNonNull(options.score().parameters().get(parameter)),
                            gradient,
                            trial));
        }
        Tensor sink = options.sink();
        if (sink != null && gradients.sink() != null) {
            assertGradient("sink", sink, gradients.sink(), trial);
        }
    }

    @Test
    void slopeAlongARandomDirectionFitsOnALargerShape() {
        var random = new RandomTensors(3);
        Tensor bias = random.normal(DType.F64, 8, 1, 47);
        Tensor sink = random.normal(DType.F64, 8);
        var trial = new Trial(Qkv.of("q2x8x33x24 kv2x47 dv20 f64")
                .with(AttentionOptions.DEFAULT
                        .causal()
                        .withSoftcap(8.0)
                        .withBias(bias)
                        .withSink(sink)
                        .withDropout(0.1, 9)
                        .withLse()));
        AttentionInputs in = trial.inputs;
        AttentionGradients gradients = trial.gradients();
        assertDirectionalDerivative(
                new Tensor[] {in.query(), in.key(), in.value(), bias, sink},
                new Tensor[] {
                    gradients.query(),
                    gradients.key(),
                    gradients.value(),
                    Objects.requireNonNull(gradients.bias()),
                    Objects.requireNonNull(gradients.sink())
                },
                trial);
    }

    /**
     * The inputs of an attention problem and a loss: the inner product of the output with a fixed random tensor, plus the
     * same for the LSE if requested.
     */
    private static final class Trial implements DoubleSupplier {
        private final AttentionInputs inputs;
        private final Tensor dOutput;
        private final Tensor dLse;

        Trial(AttentionInputs inputs) {
            this.inputs = inputs;
            AttentionShape s = inputs.problem().shape();
            var random = new RandomTensors(77);
            dOutput = random.normal(DType.F64, s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim());
            dLse = random.normal(DType.F64, s.batch(), s.numHeads(), s.seqLenQ());
        }

        private AttentionResult forward() {
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            try (var backend = new ReferenceBackend();
                    AttentionPlan plan = backend.plan(inputs.problem())) {
                plan.forward(inputs, result);
            }
            return result;
        }

        /** {@return the loss} LSEs of minus infinity are left out, because they are constant. */
        @Override
        public double getAsDouble() {
            AttentionResult result = forward();
            double loss = weighed(result.output(), dOutput);
            double[] lse = result.lse() == null ? new double[0] : result.lse().toDoubleArray();
            for (int i = 0; i < lse.length; i++) {
                loss += lse[i] == Double.NEGATIVE_INFINITY ? 0 : lse[i] * dLse.toDoubleArray()[i];
            }
            return loss;
        }

        AttentionGradients gradients() {
            AttentionResult result = forward();
            AttentionGradients gradients = AttentionGradients.allocate(inputs);
            try (var backend = new ReferenceBackend();
                    AttentionPlan plan = backend.plan(inputs.problem())) {
                plan.backward(inputs, result, dOutput, result.lse() == null ? null : dLse, gradients);
            }
            return gradients;
        }
    }
}
