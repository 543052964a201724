package dev.heed.backend.reference;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionProblem;
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

/** Multi-head attention in double: four projections and {@link ReferenceAttention}; nothing is rounded between them. */
final class ReferenceMultiHead extends MultiHeadPlan {
    ReferenceMultiHead(MultiHeadProblem problem) {
        super(problem);
    }

    @Override
    public String describe() {
        return "reference multi-head attention, double";
    }

    @Override
    protected void runForward(MultiHeadInputs inputs, AttentionResult result) {
        AttentionInputs heads = heads(inputs);
        AttentionResult inner = attend(heads);
        DoubleMatrix joined = joined(inner.output());
        MultiHeadWeights w = inputs.weights();
        result.output().copyFrom(rows(joined.times(DoubleMatrix.of(w.output())).plus(w.outputBias()), result.output()));
        copy(inner.lse(), result.lse());
        copy(inner.rowMax(), result.rowMax());
        copy(inner.rowSum(), result.rowSum());
        copy(inner.weights(), result.weights());
        copy(inner.rowWeights(), result.rowWeights());
        copy(inner.topKWeights(), result.topKWeights());
        copy(inner.topKIndices(), result.topKIndices());
        copy(inner.scores(), result.scores());
    }

    @Override
    protected void runBackward(MultiHeadInputs inputs, Tensor outputGradient, MultiHeadGradients gradients) {
        AttentionInputs heads = heads(inputs);
        AttentionResult inner = attend(heads);
        MultiHeadWeights w = inputs.weights();
        MultiHeadWeights dw = gradients.weights();

        DoubleMatrix dOutput = DoubleMatrix.of(outputGradient);
        joined(inner.output()).transposed().times(dOutput).into(dw.output());
        dOutput.columnSums(dw.outputBias());

        AttentionShape s = problem().attention().shape();
        Tensor dHeads = Layout.packed(
                dOutput.times(DoubleMatrix.of(w.output()).transposed())
                        .tensor(s.batch(), s.seqLenQ(), s.numHeads() * s.valueHeadDim()),
                s.numHeads());
        AttentionGradients dInner = AttentionGradients.into(
                        packed(heads.query()), packed(heads.key()), packed(heads.value()))
                .withBias(gradients.bias())
                .withSink(gradients.sink())
                .withScore(gradients.score());
        try (var plan = new ReferenceAttention(heads.problem())) {
            plan.backward(heads, inner, dHeads, null, dInner);
        }
        project(inputs.query(), w.query(), joined(dInner.query()), gradients.query(), dw.query(), dw.queryBias());
        project(inputs.key(), w.key(), joined(dInner.key()), gradients.key(), dw.key(), dw.keyBias());
        project(inputs.value(), w.value(), joined(dInner.value()), gradients.value(), dw.value(), dw.valueBias());
    }

    /**
     * Computes the backward pass of {@code y = x W + b}: {@code dx = dy W'}, {@code dW = x' dy}, and {@code db}, if not
     * null, is the sum of the rows of {@code dy}.
     */
    private static void project(Tensor x, Tensor w, DoubleMatrix dy, Tensor dx, Tensor dw, @Nullable Tensor db) {
        dx.copyFrom(rows(dy.times(DoubleMatrix.of(w).transposed()), dx));
        DoubleMatrix.of(x).transposed().times(dy).into(dw);
        dy.columnSums(db);
    }

    private AttentionInputs heads(MultiHeadInputs inputs) {
        AttentionShape s = problem().attention().shape();
        MultiHeadWeights w = inputs.weights();
        return AttentionInputs.of(
                head(inputs.query(), w.query(), w.queryBias(), s.numHeads()),
                head(inputs.key(), w.key(), w.keyBias(), s.numKvHeads()),
                head(inputs.value(), w.value(), w.valueBias(), s.numKvHeads()),
                inputs.options());
    }

    private static Tensor head(Tensor x, Tensor w, @Nullable Tensor bias, long numHeads) {
        DoubleMatrix y = DoubleMatrix.of(x).times(DoubleMatrix.of(w)).plus(bias);
        return Layout.packed(y.tensor(x.size(0), x.size(1), w.size(1)), numHeads);
    }

    private static AttentionResult attend(AttentionInputs heads) {
        AttentionProblem problem = heads.problem();
        AttentionResult result = AttentionResult.allocate(problem);
        try (var plan = new ReferenceAttention(problem)) {
            plan.forward(heads, result);
        }
        return result;
    }

    /** {@return the concatenated heads: {@code [batch, heads, sequence, width]} as rows of {@code heads * width} elements} */
    private static DoubleMatrix joined(Tensor heads) {
        Tensor bshd = heads.transpose(1, 2);
        return DoubleMatrix.of(bshd.reshape(heads.size(0), heads.size(2), heads.size(1) * heads.size(3)));
    }

    private static Tensor packed(Tensor like) {
        return Tensor.zeros(DType.F64, like.shape());
    }

    private static Tensor rows(DoubleMatrix matrix, Tensor like) {
        return matrix.tensor(like.shape());
    }

    private static void copy(@Nullable Tensor from, @Nullable Tensor to) {
        if (from != null && to != null) {
            to.copyFrom(from);
        }
    }
}
