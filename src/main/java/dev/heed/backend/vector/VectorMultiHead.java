package dev.heed.backend.vector;

import dev.heed.Activation;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionOutputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.MultiHeadWeights;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.Bf16Matrix;
import dev.heed.backend.vector.storage.Gemm;
import dev.heed.backend.vector.storage.Matrix;
import dev.heed.backend.vector.storage.MatrixBuffer;
import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The plan of multi-head attention computed in f32: the projections of query, key and value in one parallel step, the
 * inner attention, and the output projection. Intermediate buffers are kept for the next call.
 */
final class VectorMultiHead extends MultiHeadPlan {
    private final Workers workers;
    private final InnerAttention innerAttention;
    private final AttentionShape shape;
    private final MatrixBuffer query = new MatrixBuffer();
    private final MatrixBuffer key = new MatrixBuffer();
    private final MatrixBuffer value = new MatrixBuffer();
    private final MatrixBuffer joined = new MatrixBuffer();
    private final MatrixBuffer output = new MatrixBuffer();

    VectorMultiHead(MultiHeadProblem problem, Workers workers, Function<AttentionProblem, AttentionPlan> attention) {
        super(problem);
        this.workers = workers;
        this.innerAttention = new InnerAttention(attention);
        this.shape = problem.attention().shape();
    }

    @Override
    public String describe() {
        return Lanes.BACKEND + " multi-head attention, " + workers.describe();
    }

    @Override
    public void close() {
        super.close();
        innerAttention.close();
    }

    @Override
    protected void runForward(MultiHeadInputs inputs, AttentionResult result) {
        Matrix together = attended(heads(inputs, inputs.options()), result);
        MultiHeadWeights w = inputs.weights();
        Tensor into = result.output();
        if (Bf16Matrix.serve(w.output(), into)) {
            Bf16Matrix x =
                    joined.rounded(together, workers); // rounded, like the output of the attention of a bf16 problem
            VectorLinear.forward(x, w.output(), w.outputBias(), Activation.IDENTITY, into, output, workers);
            return;
        }
        Matrix to = output.place(into);
        Gemm.run(product(together, w.output(), w.outputBias(), to), workers);
        output.deliver(to, into);
    }

    /** Projects query, key and value; returns the inputs of the inner attention. */
    private AttentionInputs heads(MultiHeadInputs in, AttentionOptions options) {
        MultiHeadWeights w = in.weights();
        Matrix q = query.place(rows(in.query()), w.query().size(1));
        Matrix k = key.place(rows(in.key()), w.key().size(1));
        Matrix v = value.place(rows(in.value()), w.value().size(1));
        boolean bf16 = Bf16Matrix.serve(in.query(), in.key(), in.value(), w.query(), w.key(), w.value());
        Gemm.run(bf16 ? bf16Products(in, q, k, v) : products(in, q, k, v), workers);
        return AttentionInputs.of(
                split(q, shape.seqLenQ(), shape.numHeads()),
                split(k, shape.seqLenKv(), shape.numKvHeads()),
                split(v, shape.seqLenKv(), shape.numKvHeads()),
                options);
    }

    private List<Gemm.Product> products(MultiHeadInputs in, Matrix q, Matrix k, Matrix v) {
        MultiHeadWeights w = in.weights();
        Matrix x = query.read(in.query());
        Matrix xk = in.key() == in.query() ? x : key.read(in.key());
        Matrix xv = in.value() == in.key() ? xk : value.read(in.value());
        return List.of(
                product(x, w.query(), w.queryBias(), q),
                product(xk, w.key(), w.keyBias(), k),
                product(xv, w.value(), w.valueBias(), v));
    }

    private List<Gemm.Product> bf16Products(MultiHeadInputs in, Matrix q, Matrix k, Matrix v) {
        MultiHeadWeights w = in.weights();
        return List.of(
                product(Bf16Matrix.of(in.query()), w.query(), w.queryBias(), q),
                product(Bf16Matrix.of(in.key()), w.key(), w.keyBias(), k),
                product(Bf16Matrix.of(in.value()), w.value(), w.valueBias(), v));
    }

    private Gemm.Product product(Matrix x, Tensor weight, @Nullable Tensor bias, Matrix to) {
        return VectorLinear.product(x, weight, bias, Activation.IDENTITY, to, workers);
    }

    private Gemm.Product product(Bf16Matrix x, Tensor weight, @Nullable Tensor bias, Matrix to) {
        return VectorLinear.product(x, weight, bias, Activation.IDENTITY, to, workers);
    }

    private static int rows(Tensor x) {
        return Math.toIntExact(x.elementCount() / x.size(-1));
    }

    private Tensor split(Matrix rows, long length, long heads) {
        return Layout.packed(rows.tensor(shape.batch(), length, rows.columns()), heads);
    }

    /**
     * Computes the inner attention and returns its output with joined heads. The output is written to a buffer, all other
     * results are written directly to the caller's tensors.
     */
    private Matrix attended(AttentionInputs heads, @Nullable AttentionResult into) {
        int rows = Math.toIntExact(shape.batch() * shape.seqLenQ());
        Matrix together = joined.place(rows, shape.numHeads() * shape.valueHeadDim());
        Tensor output = split(together, shape.seqLenQ(), shape.numHeads());
        AttentionResult inner = into == null ? AttentionResult.into(output) : into.withOutput(output);
        innerAttention.forward(heads, inner, workers);
        return together;
    }

    @Override
    protected void runBackward(MultiHeadInputs inputs, Tensor outputGradient, MultiHeadGradients gradients) {
        AttentionInputs heads = heads(inputs, inputs.options().withOutputs(AttentionOutputs.NONE));
        Matrix together = attended(heads, null);
        MultiHeadWeights w = inputs.weights();
        MultiHeadWeights dw = gradients.weights();
        Matrix dy = output.read(outputGradient);
        Matrix dTogether = output.place(together.rows(), together.columns());
        VectorLinear.gradients(together, dy, w.output(), dw.output(), dw.outputBias(), dTogether, workers);
        Tensor dHeads = split(dTogether, shape.seqLenQ(), shape.numHeads());
        AttentionGradients dInner = AttentionGradients.into(
                        zeros(heads.query()), zeros(heads.key()), zeros(heads.value()))
                .withBias(gradients.bias())
                .withSink(gradients.sink())
                .withScore(gradients.score());
        Tensor attended = split(together, shape.seqLenQ(), shape.numHeads());
        var inner = AttentionResult.into(attended);
        innerAttention.backward(heads, inner, dHeads, dInner, workers);
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
