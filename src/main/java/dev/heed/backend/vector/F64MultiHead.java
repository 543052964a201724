package dev.heed.backend.vector;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.MultiHeadWeights;
import dev.heed.backend.vector.f64.F64Gemm;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The plan of multi-head attention in f64. */
final class F64MultiHead extends MultiHeadPlan {
    private final Workers workers;
    private final InnerAttention innerAttention;

    F64MultiHead(MultiHeadProblem problem, Workers workers, Function<AttentionProblem, AttentionPlan> attention) {
        super(problem);
        this.workers = workers;
        this.innerAttention = new InnerAttention(attention);
    }

    @Override
    public String describe() {
        return Lanes.BACKEND + " f64 multi-head attention, " + workers.describe();
    }

    @Override
    public void close() {
        super.close();
        innerAttention.close();
    }

    @Override
    protected void runForward(MultiHeadInputs inputs, AttentionResult result) {
        AttentionInputs heads = heads(inputs);
        AttentionResult inner = attended(heads, result);
        MultiHeadWeights w = inputs.weights();
        Tensor projected = project(joined(inner.output()), w.output(), w.outputBias());
        result.output().copyFrom(projected);
    }

    @Override
    protected void runBackward(MultiHeadInputs inputs, Tensor outputGradient, MultiHeadGradients gradients) {
        AttentionInputs heads = heads(inputs);
        AttentionResult inner = AttentionResult.allocate(heads.problem());
        innerAttention.forward(heads, inner, workers);
        MultiHeadWeights w = inputs.weights();
        MultiHeadWeights dw = gradients.weights();
        Tensor dJoined =
                projectBackward(joined(inner.output()), w.output(), outputGradient, dw.output(), dw.outputBias());
        AttentionShape s = heads.problem().shape();
        AttentionGradients dInner = AttentionGradients.into(
                        zeros(heads.query()), zeros(heads.key()), zeros(heads.value()))
                .withBias(gradients.bias())
                .withSink(gradients.sink())
                .withScore(gradients.score());
        Tensor dHeads = Layout.packed(dJoined, s.numHeads());
        innerAttention.backward(heads, inner, dHeads, dInner, workers);
        gradients
                .query()
                .copyFrom(
                        projectBackward(inputs.query(), w.query(), joined(dInner.query()), dw.query(), dw.queryBias()));
        gradients.key().copyFrom(projectBackward(inputs.key(), w.key(), joined(dInner.key()), dw.key(), dw.keyBias()));
        gradients
                .value()
                .copyFrom(
                        projectBackward(inputs.value(), w.value(), joined(dInner.value()), dw.value(), dw.valueBias()));
    }

    private AttentionInputs heads(MultiHeadInputs in) {
        AttentionShape s = problem().attention().shape();
        MultiHeadWeights w = in.weights();
        return AttentionInputs.of(
                Layout.packed(project(in.query(), w.query(), w.queryBias()), s.numHeads()),
                Layout.packed(project(in.key(), w.key(), w.keyBias()), s.numKvHeads()),
                Layout.packed(project(in.value(), w.value(), w.valueBias()), s.numKvHeads()),
                in.options());
    }

    /**
     * Computes the inner attention. Its output is written to a new tensor, all other results are written directly to the
     * caller's tensors.
     */
    private AttentionResult attended(AttentionInputs heads, AttentionResult into) {
        AttentionProblem p = heads.problem();
        AttentionShape s = p.shape();
        Tensor output = Layout.packed(
                Tensor.zeros(p.type(), s.batch(), s.seqLenQ(), s.numHeads() * s.valueHeadDim()), s.numHeads());
        AttentionResult inner = into.withOutput(output);
        innerAttention.forward(heads, inner, workers);
        return inner;
    }

    private static Tensor zeros(Tensor like) {
        return Layout.BSHD.toBhsd(Tensor.zeros(like.type(), like.size(0), like.size(2), like.size(1), like.size(3)));
    }

    /** Joins the heads: {@code [batch, heads, sequence, headDim]} becomes {@code [batch, sequence, heads * headDim]}. */
    private static Tensor joined(Tensor heads) {
        return heads.transpose(1, 2).reshape(heads.size(0), heads.size(2), heads.size(1) * heads.size(3));
    }

    private Tensor project(Tensor x, Tensor w, @Nullable Tensor bias) {
        return F64Gemm.project(x, w, bias, workers);
    }

    private Tensor projectBackward(Tensor x, Tensor w, Tensor dy, Tensor dw, @Nullable Tensor db) {
        return F64Gemm.projectBackward(x, w, dy, dw, db, workers);
    }
}
