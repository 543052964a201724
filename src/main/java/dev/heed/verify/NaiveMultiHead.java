package dev.heed.verify;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.MultiHeadWeights;
import dev.heed.tensor.DType;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Multi-head attention in f32: four plain matrix products around {@link NaiveAttention}. */
final class NaiveMultiHead extends MultiHeadPlan {
    NaiveMultiHead(MultiHeadProblem problem) {
        super(problem);
    }

    @Override
    public String describe() {
        return "naive multi-head attention, f32";
    }

    @Override
    protected void runForward(MultiHeadInputs inputs, AttentionResult result) {
        AttentionInputs heads = heads(inputs);
        AttentionResult inner = attend(heads, result);
        Tensor joined = joined(inner.output());
        result.output()
                .copyFrom(NaiveLinear.product(
                        joined, inputs.weights().output(), inputs.weights().outputBias()));
    }

    @Override
    protected void runBackward(MultiHeadInputs inputs, Tensor outputGradient, MultiHeadGradients gradients) {
        AttentionInputs heads = heads(inputs);
        AttentionResult inner = AttentionResult.allocate(heads.problem());
        try (var plan = new NaiveAttention(heads.problem())) {
            plan.forward(heads, inner);
        }
        MultiHeadWeights w = inputs.weights();
        MultiHeadWeights dw = gradients.weights();
        Tensor dHeads =
                NaiveLinear.backward(joined(inner.output()), w.output(), outputGradient, dw.output(), dw.outputBias());
        AttentionGradients dInner = AttentionGradients.into(
                        zeros(heads.query()), zeros(heads.key()), zeros(heads.value()))
                .withBias(gradients.bias())
                .withSink(gradients.sink())
                .withScore(gradients.score());
        try (var plan = new NaiveAttention(heads.problem())) {
            plan.backward(
                    heads, inner, Layout.packed(dHeads, heads.problem().shape().numHeads()), null, dInner);
        }
        gradients
                .query()
                .copyFrom(NaiveLinear.backward(
                        inputs.query(), w.query(), joined(dInner.query()), dw.query(), dw.queryBias()));
        gradients
                .key()
                .copyFrom(NaiveLinear.backward(inputs.key(), w.key(), joined(dInner.key()), dw.key(), dw.keyBias()));
        gradients
                .value()
                .copyFrom(NaiveLinear.backward(
                        inputs.value(), w.value(), joined(dInner.value()), dw.value(), dw.valueBias()));
    }

    private AttentionInputs heads(MultiHeadInputs in) {
        AttentionShape s = problem().attention().shape();
        MultiHeadWeights w = in.weights();
        return AttentionInputs.of(
                Layout.packed(NaiveLinear.product(in.query(), w.query(), w.queryBias()), s.numHeads()),
                Layout.packed(NaiveLinear.product(in.key(), w.key(), w.keyBias()), s.numKvHeads()),
                Layout.packed(NaiveLinear.product(in.value(), w.value(), w.valueBias()), s.numKvHeads()),
                in.options());
    }

    /**
     * {@return the result of the inner attention} The optional outputs of the inner attention are also copied to the
     * caller's tensors.
     */
    private static AttentionResult attend(AttentionInputs heads, AttentionResult into) {
        AttentionResult inner = AttentionResult.allocate(heads.problem());
        try (var plan = new NaiveAttention(heads.problem())) {
            plan.forward(heads, inner);
        }
        copy(inner.lse(), into.lse());
        copy(inner.rowMax(), into.rowMax());
        copy(inner.rowSum(), into.rowSum());
        copy(inner.weights(), into.weights());
        copy(inner.rowWeights(), into.rowWeights());
        copy(inner.topKWeights(), into.topKWeights());
        copy(inner.topKIndices(), into.topKIndices());
        copy(inner.scores(), into.scores());
        return inner;
    }

    private static void copy(@Nullable Tensor from, @Nullable Tensor to) {
        if (from != null && to != null) {
            to.copyFrom(from);
        }
    }

    private static Tensor zeros(Tensor like) {
        return Tensor.zeros(DType.F32, like.shape());
    }

    private static Tensor joined(Tensor heads) {
        return heads.transpose(1, 2).reshape(heads.size(0), heads.size(2), heads.size(1) * heads.size(3));
    }
}
