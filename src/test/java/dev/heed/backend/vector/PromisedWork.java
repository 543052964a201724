package dev.heed.backend.vector;

import dev.heed.Activation;
import dev.heed.AttentionBackend;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.Qkv;
import dev.heed.RandomTensors;
import dev.heed.RotaryInputs;
import dev.heed.ScoreStage;
import dev.heed.SoftmaxProblem;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A computation that returns all tensors that it writes, so that its results under different conditions can be compared
 * bit by bit.
 *
 * @param name description of the computation
 * @param run runs the computation and returns the written tensors
 */
record PromisedWork(String name, Function<AttentionBackend, List<Tensor>> run) {
    /** {@return computations of every kind in f32, f16 and bf16, most with a backward pass; attention also in f64} */
    static List<PromisedWork> everyKind() {
        List<PromisedWork> all = new ArrayList<>();
        for (DType type : List.of(DType.F32, DType.F16, DType.BF16)) {
            String t = type.label();
            all.add(attention("q2x4x70x24 kv2x150 dv20 " + t, everything(type)));
            all.add(attention("q1x2x33x16 kv1x65 " + t, AttentionOptions.DEFAULT.withDropout(0.3, 5)));
            all.add(forward("q2x8x1x64 kv2x3000 " + t, AttentionOptions.DEFAULT.withLse()));
            all.add(forward(
                    "q1x6x5x40 kv2x1500 dv72 " + t,
                    AttentionOptions.DEFAULT
                            .causal()
                            .withSoftcap(5.0)
                            .withAlibi(new RandomTensors(1).normal(DType.F32, 6))
                            .withSink(new RandomTensors(2).normal(DType.F32, 6))
                            .withLse()));
            scores(t, all);
            all.add(softmax(type, 1, 3, 70_001));
            all.add(softmax(type, 0, 257, 9));
            all.add(multiHead(type));
            all.add(linear(type));
            all.add(rotary(type));
        }
        all.add(attention("q2x4x70x24 kv2x150 dv20 f64", everything(DType.F64)));
        all.add(forward("q2x8x1x64 kv2x3000 f64", AttentionOptions.DEFAULT.withLse()));
        all.add(forward(
                "q1x6x5x40 kv2x1500 dv72 f64",
                AttentionOptions.DEFAULT
                        .causal()
                        .withSoftcap(5.0)
                        .withAlibi(new RandomTensors(1).normal(DType.F32, 6))
                        .withSink(new RandomTensors(2).normal(DType.F32, 6))
                        .withLse()));
        return all;
    }

    /** Adds computations with each of the {@link #scoreFunctions}, in prefill and in decode. */
    private static void scores(String type, List<PromisedWork> all) {
        for (ScoreFunction score : scoreFunctions()) {
            AttentionOptions options = AttentionOptions.DEFAULT.withScore(score).withLse();
            all.add(attention("q2x4x37x24 kv2x90 dv20 " + type, options.causal()));
            all.add(forward("q2x4x2x24 kv2x1100 " + type, options));
        }
    }

    /**
     * {@return seven score functions other than dot products, for four heads with headDim 24 and at most 2000 keys}
     */
    static List<ScoreFunction> scoreFunctions() {
        var random = new RandomTensors(8);
        DType f32 = DType.F32;
        return List.of(
                ScoreFunction.cosine(random.normal(f32, 4, 1)),
                ScoreFunction.general(random.normal(f32, 4, 24, 24)),
                ScoreFunction.location(random.normal(f32, 24, 2000)),
                ScoreFunction.additive(
                        random.normal(f32, 24, 19),
                        random.normal(f32, 24, 19),
                        random.normal(f32, 19),
                        random.normal(f32, 19)),
                ScoreFunction.additive(random.normal(f32, 4, 24)),
                ScoreFunction.gaussian(Tensor.of(new float[] {0.3f}, 1)),
                ScoreFunction.custom("products", (q, k) -> q[0] * k[1], (q, k, upstream, dq, dk) -> {
                    dq[0] += upstream * k[1];
                    dk[1] += upstream * q[0];
                }));
    }

    /** {@return computations that take a few milliseconds each} */
    static List<PromisedWork> small() {
        return List.of(
                forward("q1x2x1x64 kv1x300 f32", AttentionOptions.DEFAULT.withLse()),
                forward(
                        "q1x4x3x40 kv2x90 f16",
                        AttentionOptions.DEFAULT.causal().withSoftcap(5.0).withLse()),
                attention(
                        "q1x2x20x24 kv1x40 dv20 f32",
                        AttentionOptions.DEFAULT.causal().withLse()),
                softmax(DType.F32, 1, 2, 1000),
                softmax(DType.BF16, 1, 3, 37),
                multiHead(DType.F32),
                linear(DType.F32),
                rotary(DType.F32));
    }

    List<Tensor> on(AttentionBackend backend) {
        return run.apply(backend);
    }

    @Override
    public String toString() {
        return name;
    }

    /**
     * {@return options with optional outputs of every kind and all score modifiers} The decode drivers do not support these
     * outputs.
     */
    private static AttentionOptions everything(DType type) {
        var random = new RandomTensors(3);
        return AttentionOptions.DEFAULT
                .withMask(Mask.dense(random.truths(0.7, 2, 4, 70, 150)).and(Mask.window(100, 30)))
                .withSoftcap(5.0)
                .withBias(random.normal(type.accumulator(), 1, 1, 70, 150))
                .withAlibi(random.normal(DType.F32, 4))
                .withSink(random.normal(DType.F32, 4))
                .withLse()
                .withWeights()
                .withRows(0, 69)
                .withTopK(3)
                .withScores(ScoreStage.MODIFIED);
    }

    static PromisedWork forward(String caseString, AttentionOptions options) {
        AttentionInputs inputs = Qkv.of(caseString).with(options);
        return new PromisedWork("forward " + inputs.problem(), backend -> {
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            backend.plan(inputs.problem()).forward(inputs, result);
            return present(result.tensors());
        });
    }

    static PromisedWork attention(String caseString, AttentionOptions options) {
        AttentionInputs inputs = Qkv.of(caseString).with(options);
        return new PromisedWork("forward and backward " + inputs.problem(), backend -> attention(backend, inputs));
    }

    /**
     * Computes results and gradients. The gradient of the output, and of the LSE if the LSE is requested, is drawn from a
     * fixed seed.
     */
    static List<Tensor> attention(AttentionBackend backend, AttentionInputs inputs) {
        AttentionResult result = AttentionResult.allocate(inputs.problem());
        AttentionGradients gradients = AttentionGradients.allocate(inputs);
        var random = new RandomTensors(99);
        Tensor dOutput = random.normal(result.output().type(), result.output().shape());
        Tensor lse = result.lse();
        Tensor dLse = lse == null ? null : random.normal(lse.type(), lse.shape());
        var plan = backend.plan(inputs.problem());
        plan.forward(inputs, result);
        plan.backward(inputs, result, dOutput, dLse, gradients);
        return Stream.concat(present(result.tensors()).stream(), present(gradients.tensors()).stream())
                .toList();
    }

    static PromisedWork softmax(DType type, int axis, long... shape) {
        Tensor input = new RandomTensors(4).normal(type, shape);
        Tensor dOutput = new RandomTensors(5).normal(type, shape);
        SoftmaxProblem problem = SoftmaxProblem.of(shape, axis, type, false);
        SoftmaxProblem logarithm = SoftmaxProblem.of(shape, axis, type, true);
        return new PromisedWork(problem + " and its logarithm", backend -> {
            List<Tensor> written = new ArrayList<>();
            for (SoftmaxProblem p : List.of(problem, logarithm)) {
                Tensor output = Tensor.zeros(type, shape);
                Tensor gradient = Tensor.zeros(type, shape);
                var plan = backend.plan(p);
                plan.forward(input, output);
                plan.backward(output, dOutput, gradient);
                written.addAll(List.of(output, gradient));
            }
            return written;
        });
    }

    private static PromisedWork multiHead(DType type) {
        var random = new RandomTensors(6);
        MultiHeadWeights weights = MultiHeadWeights.of(
                        random.normal(type, 40, 32),
                        random.normal(type, 40, 16),
                        random.normal(type, 40, 24),
                        random.normal(type, 48, 300))
                .withBiases(
                        random.normal(type, 32),
                        random.normal(type, 16),
                        random.normal(type, 24),
                        random.normal(type, 300));
        Tensor x = random.normal(type, 2, 65, 40);
        MultiHeadInputs inputs = MultiHeadInputs.of(
                x, x, x, weights, 4, 2, AttentionOptions.DEFAULT.causal().withLse());
        Tensor dOutput = random.normal(type, inputs.problem().outputShape());
        return new PromisedWork("forward and backward " + inputs.problem(), backend -> {
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            MultiHeadGradients gradients = MultiHeadGradients.allocate(inputs);
            var plan = backend.plan(inputs.problem());
            plan.forward(inputs, result);
            plan.backward(inputs, dOutput, gradients);
            return Stream.concat(present(result.tensors()).stream(), present(gradients.tensors()).stream())
                    .toList();
        });
    }

    private static PromisedWork linear(DType type) {
        var random = new RandomTensors(8);
        LinearWeights weights = new LinearWeights(random.normal(type, 300, 130), random.normal(type, 130));
        Tensor x = random.normal(type, 203, 300);
        Tensor dOutput = random.normal(type, 203, 130);
        LinearProblem problem = weights.problem(203, Activation.GELU);
        return new PromisedWork("forward and backward " + problem, backend -> {
            Tensor output = Tensor.zeros(type, 203, 130);
            Tensor gradient = Tensor.zeros(type, 203, 300);
            LinearWeights gradients = weights.zerosLike();
            var plan = backend.plan(problem);
            plan.forward(x, weights, output);
            plan.backward(x, weights, dOutput, gradient, gradients);
            return Stream.concat(Stream.of(output, gradient), present(gradients.tensors()).stream())
                    .toList();
        });
    }

    private static PromisedWork rotary(DType type) {
        var random = new RandomTensors(7);
        RotaryInputs inputs = RotaryInputs.of(
                random.normal(type, 2, 5, 33, 24),
                random.normal(type.accumulator(), 2, 33, 8),
                random.normal(type.accumulator(), 2, 33, 8),
                null,
                false);
        Tensor dOutput = random.normal(type, inputs.input().shape());
        return new PromisedWork("forward and backward " + inputs.problem(), backend -> {
            Tensor output = Tensor.zeros(type, inputs.input().shape());
            Tensor gradient = Tensor.zeros(type, inputs.input().shape());
            var plan = backend.plan(inputs.problem());
            plan.forward(inputs, output);
            plan.backward(inputs, dOutput, gradient);
            return List.of(output, gradient);
        });
    }

    private static List<Tensor> present(List<? extends @Nullable Tensor> tensors) {
        List<Tensor> present = new ArrayList<>();
        for (Tensor tensor : tensors) {
            if (tensor != null) {
                present.add(tensor);
            }
        }
        return present;
    }

    /** Whether two lists of tensors have the same bits. For many comparisons, this is cheaper than an assertion. */
    static boolean sameBits(List<Tensor> expected, List<Tensor> actual) {
        boolean same = expected.size() == actual.size();
        for (int n = 0; same && n < expected.size(); n++) {
            Tensor e = expected.get(n);
            Tensor a = actual.get(n);
            same = e.isContiguous() && a.isContiguous()
                    ? e.segment().mismatch(a.segment()) == -1
                    : Arrays.equals(e.toDoubleArray(), a.toDoubleArray());
        }
        return same;
    }
}
