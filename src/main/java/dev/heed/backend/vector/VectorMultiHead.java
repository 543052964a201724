package dev.heed.backend.vector;

import dev.heed.Activation;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.MultiHeadWeights;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Multi-head attention in f32: the projections of query, key and value side by side in one parallel step, the fused attention
 * on their results, and the output projection. What lies between the steps is kept for the next call.
 */
final class VectorMultiHead extends MultiHeadPlan {
    private final Workers workers;
    private final AttentionShape shape;
    private final MatrixBuffer query = new MatrixBuffer();
    private final MatrixBuffer key = new MatrixBuffer();
    private final MatrixBuffer value = new MatrixBuffer();
    private final MatrixBuffer joined = new MatrixBuffer();
    private final MatrixBuffer output = new MatrixBuffer();
    private final Decode.States states = new Decode.States();

    VectorMultiHead(MultiHeadProblem problem, Workers workers) {
        super(problem);
        this.workers = workers;
        this.shape = problem.attention().shape();
    }

    @Override
    public String describe() {
        return Lanes.BACKEND + " multi-head attention, " + workers.threads() + " threads";
    }

    @Override
    protected void runForward(MultiHeadInputs inputs, AttentionResult result) {
        Matrix together = attended(heads(inputs), result);
        MultiHeadWeights w = inputs.weights();
        Matrix to = output.place(result.output());
        Gemm.run(product(together, w.output(), w.outputBias(), to), workers);
        output.deliver(to, result.output());
    }

    private Gemm.Product product(Matrix x, Tensor weight, @Nullable Tensor bias, Matrix to) {
        return VectorLinear.product(x, weight, bias, Activation.IDENTITY, to, workers);
    }

    /** The heads: inputs of the attention between the projections. */
    private AttentionInputs heads(MultiHeadInputs in) {
        MultiHeadWeights w = in.weights();
        Matrix x = query.read(in.query());
        Matrix xk = in.key() == in.query() ? x : key.read(in.key());
        Matrix xv = in.value() == in.key() ? xk : value.read(in.value());
        Matrix q = query.place(x.rows(), w.query().size(1));
        Matrix k = key.place(xk.rows(), w.key().size(1));
        Matrix v = value.place(xv.rows(), w.value().size(1));
        Gemm.run(
                List.of(
                        product(x, w.query(), w.queryBias(), q),
                        product(xk, w.key(), w.keyBias(), k),
                        product(xv, w.value(), w.valueBias(), v)),
                workers);
        return AttentionInputs.of(
                split(q, shape.seqLenQ(), shape.numHeads()),
                split(k, shape.seqLenKv(), shape.numKvHeads()),
                split(v, shape.seqLenKv(), shape.numKvHeads()),
                in.options());
    }

    private Tensor split(Matrix rows, long length, long heads) {
        return Layout.packed(rows.tensor(shape.batch(), length, rows.columns()), heads);
    }

    /** The attention between the projections; all but its output goes straight to the caller's tensors. */
    private Matrix attended(AttentionInputs heads, @Nullable AttentionResult into) {
        int rows = Math.toIntExact(shape.batch() * shape.seqLenQ());
        Matrix together = joined.place(rows, shape.numHeads() * shape.valueHeadDim());
        Tensor output = split(together, shape.seqLenQ(), shape.numHeads());
        AttentionResult inner = into == null
                ? new AttentionResult(output, null, null, null, null, null, null)
                : new AttentionResult(
                        output,
                        into.lse(),
                        into.weights(),
                        into.rowWeights(),
                        into.topKWeights(),
                        into.topKIndices(),
                        into.scores());
        VectorAttention.forward(heads, inner, states, workers);
        return together;
    }

    @Override
    protected void runBackward(MultiHeadInputs inputs, Tensor outputGradient, MultiHeadGradients gradients) {
        AttentionInputs heads = heads(inputs);
        Matrix together = attended(heads, null);
        MultiHeadWeights w = inputs.weights();
        MultiHeadWeights dw = gradients.weights();
        Matrix dy = output.read(outputGradient);
        Matrix dTogether = output.place(together.rows(), together.columns());
        VectorLinear.gradients(together, dy, w.output(), dw.output(), dw.outputBias(), dTogether, workers);
        Tensor dHeads = split(dTogether, shape.seqLenQ(), shape.numHeads());
        AttentionGradients dInner = new AttentionGradients(
                zeros(heads.query()), zeros(heads.key()), zeros(heads.value()), gradients.bias(), gradients.sink());
        Backward.run(heads, dHeads, null, dInner, workers);
        backward(query.read(inputs.query()), dInner.query(), w.query(), dw.query(), dw.queryBias(), gradients.query());
        backward(key.read(inputs.key()), dInner.key(), w.key(), dw.key(), dw.keyBias(), gradients.key());
        backward(value.read(inputs.value()), dInner.value(), w.value(), dw.value(), dw.valueBias(), gradients.value());
    }

    private void backward(Matrix x, Tensor dHeads, Tensor w, Tensor dw, @Nullable Tensor db, Tensor dx) {
        Tensor dJoined =
                dHeads.transpose(1, 2).reshape(dHeads.size(0), dHeads.size(2), dHeads.size(1) * dHeads.size(3));
        Matrix to = output.place(dx);
        VectorLinear.gradients(x, output.read(dJoined), w, dw, db, to, workers);
        output.deliver(to, dx);
    }

    private static Tensor zeros(Tensor like) {
        return Layout.BSHD.toBhsd(Tensor.zeros(like.type(), like.size(0), like.size(2), like.size(1), like.size(3)));
    }
}
