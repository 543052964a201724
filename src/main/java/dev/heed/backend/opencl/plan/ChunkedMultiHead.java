package dev.heed.backend.opencl.plan;

import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadProblem;
import dev.heed.MultiHeadWeights;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.kernels.Operands;
import dev.heed.tensor.DType;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/**
 * A multi-head attention that does not fit the device: projections are computed block by block, the inner attention chunk by
 * chunk. Intermediate results are on the host and are not rounded to the storage type.
 */
final class ChunkedMultiHead {
    private final Engine engine;
    private final MultiHeadProblem problem;
    private final MultiHeadInputs in;
    private final AttentionShape shape;
    private final DType real;
    private final ChunkedProduct products;

    ChunkedMultiHead(Engine engine, MultiHeadProblem problem, MultiHeadInputs in) {
        this.engine = engine;
        this.problem = problem;
        this.in = in;
        this.shape = problem.attention().shape();
        this.real = problem.attention().type() == DType.F64 ? DType.F64 : DType.F32;
        this.products = new ChunkedProduct(engine, real == DType.F64);
    }

    /** The projected inputs and the output of the heads, {@code [batch, sequence, heads * headDim]}. */
    private final class Heads {
        final Tensor query;
        final Tensor key;
        final Tensor value;
        final Tensor headOutputs;
        final Operands operands;

        Heads(Arena host) {
            MultiHeadWeights w = in.weights();
            query = projected(host, in.query(), w.query(), w.queryBias());
            key = projected(host, in.key(), w.key(), w.keyBias());
            value = projected(host, in.value(), w.value(), w.valueBias());
            headOutputs = Tensor.allocate(
                    host, real, shape.batch(), shape.seqLenQ(), shape.numHeads() * shape.valueHeadDim());
            operands = Operands.of(
                    shape,
                    Layout.packed(query, shape.numHeads()),
                    Layout.packed(key, shape.numKvHeads()),
                    Layout.packed(value, shape.numKvHeads()),
                    in.options());
        }

        void attend(AttentionResult result, Results results) {
            new ChunkedForward(engine, problem.attention(), operands, result, results)
                    .run(Layout.packed(headOutputs, shape.numHeads()));
        }
    }

    void forward(AttentionResult result, Results results) {
        try (Arena host = Arena.ofConfined()) {
            var heads = new Heads(host);
            heads.attend(result, results);
            MultiHeadWeights w = in.weights();
            products.multiply(rows(heads.headOutputs), w.output(), w.outputBias(), rows(results.of(result.output())));
        }
    }

    void backward(Tensor outputGradient, MultiHeadGradients to, Results results) {
        try (Arena host = Arena.ofConfined()) {
            var heads = new Heads(host);
            heads.attend(outputOnly(heads.headOutputs), results);
            MultiHeadWeights w = in.weights();
            MultiHeadWeights dw = to.weights();
            Tensor dOutput = rows(outputGradient);
            parameters(rows(heads.headOutputs), dOutput, dw.output(), dw.outputBias(), results);
            Tensor dJoined = like(host, heads.headOutputs);
            products.multiply(dOutput, w.output().transpose(0, 1), null, rows(dJoined));
            Tensor dQuery = like(host, heads.query);
            Tensor dKey = like(host, heads.key);
            Tensor dValue = like(host, heads.value);
            var targets = new ChunkedBackward.Targets(
                    Layout.packed(dQuery, shape.numHeads()),
                    Layout.packed(dKey, shape.numKvHeads()),
                    Layout.packed(dValue, shape.numKvHeads()),
                    results.ofNullable(to.bias()),
                    results.ofNullable(to.sink()),
                    results.ofNullable(to.score()));
            new ChunkedBackward(engine, heads.operands, null, Layout.packed(dJoined, shape.numHeads()), null, targets)
                    .run();
            projectBackward(in.query(), w.query(), dQuery, to.query(), dw.query(), dw.queryBias(), results);
            projectBackward(in.key(), w.key(), dKey, to.key(), dw.key(), dw.keyBias(), results);
            projectBackward(in.value(), w.value(), dValue, to.value(), dw.value(), dw.valueBias(), results);
        }
    }

    private static AttentionResult outputOnly(Tensor output) {
        return AttentionResult.into(output);
    }

    private Tensor projected(Arena host, Tensor x, Tensor w, @Nullable Tensor bias) {
        Tensor y = Tensor.allocate(host, real, x.size(0), x.size(1), w.size(1));
        products.multiply(rows(x), w, bias, rows(y));
        return y;
    }

    /** Computes the backward pass of {@code y = x W + b}: {@code dx = dy W', dW = x' dy, db = sum dy} (' transposes). */
    private void projectBackward(
            Tensor x, Tensor w, Tensor dy, Tensor dx, Tensor dw, @Nullable Tensor db, Results results) {
        products.multiply(rows(dy), w.transpose(0, 1), null, rows(results.of(dx)));
        parameters(rows(x), rows(dy), dw, db, results);
    }

    private void parameters(Tensor x, Tensor dy, Tensor dw, @Nullable Tensor db, Results results) {
        products.multiply(x.transpose(0, 1), dy, null, results.of(dw));
        if (db != null) {
            products.columnSums(dy, results.of(db));
        }
    }

    private static Tensor like(Arena host, Tensor tensor) {
        return Tensor.allocate(host, tensor.type(), tensor.shape());
    }

    /** {@return {@code [batch, sequence, columns]} as a matrix whose rows are all positions of all batch entries} */
    private static Tensor rows(Tensor tensor) {
        Tensor packed = tensor.isContiguous() ? tensor : tensor.copy();
        return packed.reshape(tensor.size(0) * tensor.size(1), tensor.size(2));
    }
}
