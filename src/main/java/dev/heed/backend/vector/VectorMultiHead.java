package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.PANEL;

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

/** Multi-head attention: packed projections around the fused attention; between them f64 for f64, else f32. */
final class VectorMultiHead extends MultiHeadPlan {
    private final Workers workers;

    VectorMultiHead(MultiHeadProblem problem, Workers workers) {
        super(problem);
        this.workers = workers;
    }

    @Override
    public String describe() {
        return "vector multi-head attention, " + workers.threads() + " threads";
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
        attend(heads, inner);
        MultiHeadWeights w = inputs.weights();
        MultiHeadWeights dw = gradients.weights();
        Tensor dJoined =
                projectBackward(joined(inner.output()), w.output(), outputGradient, dw.output(), dw.outputBias());
        AttentionShape s = heads.problem().shape();
        AttentionGradients dInner = new AttentionGradients(
                zeros(heads.query()), zeros(heads.key()), zeros(heads.value()), gradients.bias(), gradients.sink());
        Tensor dHeads = Layout.packed(dJoined, s.numHeads());
        if (wide()) {
            WideBackward.run(heads, dHeads, null, dInner, workers);
        } else {
            Backward.run(heads, dHeads, null, dInner, workers);
        }
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

    private boolean wide() {
        return problem().attention().type() == DType.F64;
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

    /** The attention between the projections; all but its output goes straight to the caller's tensors. */
    private AttentionResult attended(AttentionInputs heads, AttentionResult into) {
        AttentionProblem p = heads.problem();
        AttentionShape s = p.shape();
        Tensor output = Layout.packed(
                Tensor.zeros(p.type(), s.batch(), s.seqLenQ(), s.numHeads() * s.valueHeadDim()), s.numHeads());
        AttentionResult inner = new AttentionResult(
                output,
                into.lse(),
                into.weights(),
                into.rowWeights(),
                into.topKWeights(),
                into.topKIndices(),
                into.scores());
        attend(heads, inner);
        return inner;
    }

    private void attend(AttentionInputs heads, AttentionResult into) {
        if (wide()) {
            WideAttention.run(heads, into, workers);
        } else {
            Prefill.run(heads, into, workers);
        }
    }

    private static Tensor zeros(Tensor like) {
        return Layout.BSHD.toBhsd(Tensor.zeros(like.type(), like.size(0), like.size(2), like.size(1), like.size(3)));
    }

    /** The heads side by side again: {@code [batch, heads, sequence, width]} as {@code [batch, sequence, heads * width]}. */
    private static Tensor joined(Tensor heads) {
        return heads.transpose(1, 2).reshape(heads.size(0), heads.size(2), heads.size(1) * heads.size(3));
    }

    private static float[] floats(Tensor tensor) {
        return tensor.type() == DType.F32
                        && tensor.isContiguous()
                        && tensor.offset() == 0
                        && tensor.segment().heapBase().orElse(null) instanceof float[] array
                        && tensor.segment().address() == 0
                ? array
                : tensor.toFloatArray();
    }

    /** {@code x W + b} as {@code [batch, sequence, out]}. */
    private Tensor project(Tensor x, Tensor w, @Nullable Tensor bias) {
        if (wide()) {
            return WideGemm.project(x, w, bias, workers);
        }
        int in = (int) w.size(0);
        int out = (int) w.size(1);
        int rows = Math.toIntExact(x.elementCount() / in);
        Gemm.Packed packed = Gemm.pack(floats(w), 0, out, 1, in, out, workers);
        float[] y = Gemm.multiply(floats(x), 0, in, 1, rows, packed, workers);
        int step = packed.panels() * PANEL;
        if (bias != null) {
            Gemm.addRow(y, rows, step, bias.toFloatArray());
        }
        return Tensor.of(y, x.size(0), x.size(1), step).slice(2, 0, out);
    }

    /** The gradients of {@link #project}: returns {@code dx = dy W'}, writes {@code dW = x' dy} and {@code db}. */
    private Tensor projectBackward(Tensor x, Tensor w, Tensor dy, Tensor dw, @Nullable Tensor db) {
        if (wide()) {
            return WideGemm.projectBackward(x, w, dy, dw, db, workers);
        }
        int in = (int) w.size(0);
        int out = (int) w.size(1);
        int rows = Math.toIntExact(x.elementCount() / in);
        float[] gradient = floats(dy);
        Gemm.Packed packed = Gemm.pack(gradient, 0, out, 1, rows, out, workers);
        float[] weights = Gemm.multiply(floats(x), 0, 1, in, in, packed, workers);
        dw.copyFrom(Tensor.of(weights, in, packed.panels() * PANEL).slice(1, 0, out));
        if (db != null) {
            db.copyFrom(Tensor.of(Gemm.columnSums(gradient, 0, rows, out, out), out));
        }
        Gemm.Packed turned = Gemm.pack(floats(w), 0, 1, out, out, in, workers);
        float[] dx = Gemm.multiply(gradient, 0, out, 1, rows, turned, workers);
        return Tensor.of(dx, x.size(0), x.size(1), turned.panels() * PANEL).slice(2, 0, in);
    }
}
