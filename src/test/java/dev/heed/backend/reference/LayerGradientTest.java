package dev.heed.backend.reference;

import static dev.heed.backend.reference.CentralDifference.assertDirectionalDerivative;
import static dev.heed.backend.reference.CentralDifference.assertGradient;
import static dev.heed.backend.reference.CentralDifference.weighed;

import dev.heed.Activation;
import dev.heed.Attention;
import dev.heed.AttentionOptions;
import dev.heed.LinearPlan;
import dev.heed.LinearWeights;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.RandomTensors;
import dev.heed.RotaryInputs;
import dev.heed.RotaryPlan;
import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests the reference backend's gradients of softmax, linear layers, multi-head attention and rotary embeddings against
 * central differences of the backend's forward passes.
 */
class LayerGradientTest {
    private static final AttentionOptions REFERENCE = AttentionOptions.DEFAULT.withBackend("reference");

    @ParameterizedTest
    @CsvSource({"0, false", "1, false", "2, false", "-1, true", "0, true", "1, true"})
    void softmaxAlongEveryAxis(int axis, boolean log) {
        Tensor input = new RandomTensors(1).normal(DType.F64, 3, 4, 5);
        Tensor dOutput = new RandomTensors(2).normal(DType.F64, 3, 4, 5);
        SoftmaxProblem problem = SoftmaxProblem.of(input.shape(), axis, DType.F64, log);
        Tensor output = Tensor.zeros(DType.F64, 3, 4, 5);
        Tensor gradient = Tensor.zeros(DType.F64, 3, 4, 5);
        try (var backend = new ReferenceBackend();
                SoftmaxPlan plan = backend.plan(problem)) {
            DoubleSupplier loss = () -> {
                plan.forward(input, output);
                return weighed(output, dOutput);
            };
            loss.getAsDouble();
            plan.backward(output, dOutput, gradient);
            assertGradient("input", input, gradient, loss);
        }
    }

    @ParameterizedTest
    @EnumSource
    void linearWithEveryActivation(Activation activation) {
        var random = new RandomTensors(1);
        Tensor input = random.normal(DType.F64, 3, 4);
        Tensor dOutput = random.normal(DType.F64, 3, 5);
        LinearWeights weights = new LinearWeights(random.normal(DType.F64, 4, 5), random.normal(DType.F64, 5));
        Tensor output = Tensor.zeros(DType.F64, 3, 5);
        Tensor gradient = Tensor.zeros(DType.F64, 3, 4);
        LinearWeights gradients = weights.zerosLike();
        try (var backend = new ReferenceBackend();
                LinearPlan plan = backend.plan(weights.problem(3, activation))) {
            DoubleSupplier loss = () -> {
                plan.forward(input, weights, output);
                return weighed(output, dOutput);
            };
            plan.backward(input, weights, dOutput, gradient, gradients);
            assertGradient("input", input, gradient, loss);
            assertGradient("weight", weights.weight(), gradients.weight(), loss);
            assertGradient(
                    "bias", Objects.requireNonNull(weights.bias()), Objects.requireNonNull(gradients.bias()), loss);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rotaryOfBothStyles(boolean interleaved) {
        Tensor input = new RandomTensors(1).normal(DType.F64, 2, 2, 3, 6);
        Tensor dOutput = new RandomTensors(2).normal(DType.F64, 2, 2, 3, 6);
        Tensor cos = new RandomTensors(3).normal(DType.F64, 5, 2);
        Tensor sin = new RandomTensors(4).normal(DType.F64, 5, 2);
        Tensor positions = Tensor.of(new long[] {0, 4, 2, 1, 1, 3}, 2, 3);
        RotaryInputs inputs = RotaryInputs.of(input, cos, sin, positions, interleaved);
        Tensor output = Tensor.zeros(DType.F64, input.shape());
        Tensor gradient = Tensor.zeros(DType.F64, input.shape());
        try (var backend = new ReferenceBackend();
                RotaryPlan plan = backend.plan(inputs.problem())) {
            plan.backward(inputs, dOutput, gradient);
            assertGradient("input", input, gradient, () -> {
                plan.forward(inputs, output);
                return weighed(output, dOutput);
            });
        }
    }

    @Test
    void multiHeadWithEverything() {
        var random = new RandomTensors(5);
        Tensor bias = random.normal(DType.F64, 1, 4, 1, 4);
        Tensor sink = random.normal(DType.F64, 4);
        MultiHeadInputs inputs = inputs(
                2,
                3,
                4,
                4,
                2,
                REFERENCE
                        .causal()
                        .withSoftcap(2.0)
                        .withBias(bias)
                        .withSink(sink)
                        .withDropout(0.2, 3));
        check(inputs, bias, sink);
    }

    @Test
    void multiHeadWithoutBiases() {
        MultiHeadInputs all = inputs(1, 3, 4, 2, 2, REFERENCE);
        MultiHeadWeights w = all.weights();
        check(
                MultiHeadInputs.of(
                        all.query(),
                        all.key(),
                        all.value(),
                        MultiHeadWeights.of(w.query(), w.key(), w.value(), w.output()),
                        2,
                        2,
                        REFERENCE),
                null,
                null);
    }

    @Test
    void multiHeadSlopeAlongARandomDirection() {
        MultiHeadInputs inputs = inputs(2, 19, 23, 6, 3, REFERENCE.causal());
        Tensor dOutput = new RandomTensors(6).normal(DType.F64, inputs.problem().outputShape());
        MultiHeadGradients gradients = Attention.backward(inputs, dOutput);
        assertDirectionalDerivative(
                tensors(inputs.query(), inputs.key(), inputs.value(), inputs.weights()),
                tensors(gradients.query(), gradients.key(), gradients.value(), gradients.weights()),
                () -> weighed(Attention.multiHead(inputs).output(), dOutput));
    }

    private static void check(MultiHeadInputs inputs, @Nullable Tensor bias, @Nullable Tensor sink) {
        Tensor dOutput = new RandomTensors(6).normal(DType.F64, inputs.problem().outputShape());
        DoubleSupplier loss = () -> weighed(Attention.multiHead(inputs).output(), dOutput);
        MultiHeadGradients gradients = Attention.backward(inputs, dOutput);
        Tensor[] read = tensors(inputs.query(), inputs.key(), inputs.value(), inputs.weights());
        Tensor[] slopes = tensors(gradients.query(), gradients.key(), gradients.value(), gradients.weights());
        for (int n = 0; n < read.length; n++) {
            assertGradient("tensor " + n, read[n], slopes[n], loss);
        }
        if (bias != null && sink != null) {
            assertGradient("bias", bias, Objects.requireNonNull(gradients.bias()), loss);
            assertGradient("sink", sink, Objects.requireNonNull(gradients.sink()), loss);
        }
    }

    /** {@return inputs with embedding sizes 5, 6 and 4, headDim 3, valueHeadDim 2, output embedding size 7, and all biases} */
    private static MultiHeadInputs inputs(
            int batch, int seqLenQ, int seqLenKv, int heads, int kvHeads, AttentionOptions options) {
        var random = new RandomTensors(7);
        return MultiHeadInputs.of(
                random.normal(DType.F64, batch, seqLenQ, 5),
                random.normal(DType.F64, batch, seqLenKv, 6),
                random.normal(DType.F64, batch, seqLenKv, 4),
                MultiHeadWeights.of(
                                random.normal(DType.F64, 5, heads * 3),
                                random.normal(DType.F64, 6, kvHeads * 3),
                                random.normal(DType.F64, 4, kvHeads * 2),
                                random.normal(DType.F64, heads * 2, 7))
                        .withBiases(
                                random.normal(DType.F64, heads * 3),
                                random.normal(DType.F64, kvHeads * 3),
                                random.normal(DType.F64, kvHeads * 2),
                                random.normal(DType.F64, 7)),
                heads,
                kvHeads,
                options);
    }

    private static Tensor[] tensors(Tensor query, Tensor key, Tensor value, MultiHeadWeights w) {
        List<Tensor> tensors = new ArrayList<>(List.of(query, key, value, w.query(), w.key(), w.value(), w.output()));
        for (Tensor bias : new Tensor[] {w.queryBias(), w.keyBias(), w.valueBias(), w.outputBias()}) {
            if (bias != null) {
                tensors.add(bias);
            }
        }
        return tensors.toArray(Tensor[]::new);
    }
}
