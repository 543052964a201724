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
import java.util.Arrays;
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
                .copyFrom(product(
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
        Tensor dHeads = backward(joined(inner.output()), w.output(), outputGradient, dw.output(), dw.outputBias());
        AttentionGradients dInner = new AttentionGradients(
                zeros(heads.query()), zeros(heads.key()), zeros(heads.value()), gradients.bias(), gradients.sink());
        try (var plan = new NaiveAttention(heads.problem())) {
            plan.backward(
                    heads, inner, Layout.packed(dHeads, heads.problem().shape().numHeads()), null, dInner);
        }
        gradients
                .query()
                .copyFrom(backward(inputs.query(), w.query(), joined(dInner.query()), dw.query(), dw.queryBias()));
        gradients.key().copyFrom(backward(inputs.key(), w.key(), joined(dInner.key()), dw.key(), dw.keyBias()));
        gradients
                .value()
                .copyFrom(backward(inputs.value(), w.value(), joined(dInner.value()), dw.value(), dw.valueBias()));
    }

    private AttentionInputs heads(MultiHeadInputs in) {
        AttentionShape s = problem().attention().shape();
        MultiHeadWeights w = in.weights();
        return AttentionInputs.of(
                Layout.packed(product(in.query(), w.query(), w.queryBias()), s.numHeads()),
                Layout.packed(product(in.key(), w.key(), w.keyBias()), s.numKvHeads()),
                Layout.packed(product(in.value(), w.value(), w.valueBias()), s.numKvHeads()),
                in.options());
    }

    /** The attention between the projections; everything but the output goes straight to the caller's tensors. */
    private static AttentionResult attend(AttentionInputs heads, AttentionResult into) {
        AttentionResult inner = AttentionResult.allocate(heads.problem());
        try (var plan = new NaiveAttention(heads.problem())) {
            plan.forward(heads, inner);
        }
        copy(inner.lse(), into.lse());
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

    /** {@code x W + b} for {@code x [batch, rows, in]}. */
    private static Tensor product(Tensor x, Tensor w, @Nullable Tensor bias) {
        int in = (int) w.size(0);
        int out = (int) w.size(1);
        float[] cells = x.toFloatArray();
        float[] matrix = w.toFloatArray();
        float[] y = new float[cells.length / in * out];
        for (int r = 0; r < cells.length / in; r++) {
            for (int c = 0; c < out; c++) {
                float sum = 0;
                for (int k = 0; k < in; k++) {
                    sum += cells[r * in + k] * matrix[k * out + c];
                }
                y[r * out + c] = bias == null ? sum : sum + (float) bias.get(c);
            }
        }
        return Tensor.of(y, x.size(0), x.size(1), out);
    }

    /** The gradients of {@link #product}: returns {@code dx}, writes {@code dW} and {@code db}. */
    private static Tensor backward(Tensor x, Tensor w, Tensor dy, Tensor dw, @Nullable Tensor db) {
        Tensor rows = x.reshape(1, x.size(0) * x.size(1), x.size(2));
        Tensor dRows = dy.reshape(1, dy.size(0) * dy.size(1), dy.size(2));
        dw.copyFrom(product(rows.transpose(1, 2), dRows.select(0, 0), null).select(0, 0));
        if (db != null) {
            float[] ones = new float[(int) dRows.size(1)];
            Arrays.fill(ones, 1);
            Tensor sums = product(Tensor.of(ones, 1, 1, ones.length), dRows.select(0, 0), null);
            db.copyFrom(sums.select(0, 0).select(0, 0));
        }
        return product(dy, w.transpose(0, 1), null);
    }
}
