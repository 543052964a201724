package dev.heed.bench;

import dev.heed.AttentionShape;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * PyTorch's CPU kernels: {@code scaled_dot_product_attention} (its flash kernel), projections, softmax and additive
 * attention.
 */
final class Libtorch implements Contestant {

    @Override
    public boolean isHeed() {
        return false;
    }

    @Override
    public Entry enter(Workload workload, int threads) {
        torch.set_num_threads(threads);
        if (torch.get_num_threads() != threads) {
            throw new IllegalStateException("libtorch runs on " + torch.get_num_threads() + " threads");
        }
        // The flash kernel calls the BLAS from its own threads, so further threads of the BLAS would compete with them.
        // A projection is a single call.
        openblas_nolapack.blas_set_num_threads(workload instanceof Workload.MultiHead ? threads : 1);
        return switch (workload) {
            case Workload.Attend a -> a.outputGradient() == null ? forward(a) : backward(a, a.outputGradient());
            case Workload.Soften s -> {
                Tensor input = tensor(s.input());
                Tensor output = tensor(s.input());
                yield entry(() -> new Tensor[] {torch.softmax_out(output, input, -1)});
            }
            case Workload.MultiHead m -> multiHead(m.inputs());
        };
    }

    private static Entry forward(Workload.Attend a) {
        Tensor q = tensor(a.inputs().query());
        Tensor k = tensor(a.inputs().key());
        Tensor v = tensor(a.inputs().value());
        boolean grouped = a.shape().groupSize() > 1;
        boolean causal = a.causal();
        return a.inputs().options().score() instanceof ScoreFunction.Additive f
                ? additiveEntry(q, k, v, Additive.of(f))
                : entry(() -> new Tensor[] {attention(q, k, v, causal, grouped)});
    }

    /** The parameters of an additive score; the matrices may be null. */
    private record Additive(
            @Nullable Tensor queryWeight, @Nullable Tensor keyWeight, Tensor vector) {
        static Additive of(ScoreFunction.Additive f) {
            return new Additive(
                    f.queryWeight() == null ? null : tensor(f.queryWeight()),
                    f.keyWeight() == null ? null : tensor(f.keyWeight()),
                    tensor(f.vector()));
        }
    }

    private static Entry additiveEntry(Tensor q, Tensor k, Tensor v, Additive p) {
        return entry(() -> new Tensor[] {additive(q, k, v, p)});
    }

    /** Additive attention as it is written in eager mode, with a tensor {@code [batch, heads, queries, keys, hidden]}. */
    private static Tensor additive(Tensor q, Tensor k, Tensor v, Additive p) {
        Tensor s = p.queryWeight() == null ? q : torch.matmul(q, p.queryWeight());
        Tensor h = p.keyWeight() == null ? k : torch.matmul(k, p.keyWeight());
        Tensor hidden = s.unsqueeze(3).add(h.unsqueeze(2)).tanh();
        return torch.matmul(torch.softmax(torch.matmul(hidden, p.vector()), -1), v);
    }

    private static Tensor attention(Tensor q, Tensor k, Tensor v, boolean causal, boolean grouped) {
        return torch.scaled_dot_product_attention(
                q, k, v, new TensorOptional(), 0, causal, new DoubleOptional(), grouped);
    }

    private static Entry backward(Workload.Attend a, dev.heed.tensor.Tensor gradient) {
        Tensor q = tensor(a.inputs().query()).set_requires_grad(true);
        Tensor k = tensor(a.inputs().key()).set_requires_grad(true);
        Tensor v = tensor(a.inputs().value()).set_requires_grad(true);
        Tensor output = a.inputs().options().score() instanceof ScoreFunction.Additive f
                ? additive(q, k, v, Additive.of(f))
                : attention(q, k, v, a.causal(), a.shape().groupSize() > 1);
        var outputs = new TensorVector(output);
        var gradients = new TensorVector(tensor(gradient));
        var inputs = new TensorVector(q, k, v);
        return entry(() -> {
            var retainGraph = new BoolOptional(true);
            return torch.grad(outputs, inputs, gradients, retainGraph, false, false)
                    .get();
        });
    }

    private static Entry multiHead(MultiHeadInputs in) {
        AttentionShape s = in.problem().attention().shape();
        MultiHeadWeights w = in.weights();
        Tensor x = tensor(in.query());
        Tensor[] weights = {turned(w.query()), turned(w.key()), turned(w.value()), turned(w.output())};
        TensorOptional[] biases = new TensorOptional[4];
        dev.heed.tensor.Tensor[] stored = {w.queryBias(), w.keyBias(), w.valueBias(), w.outputBias()};
        for (int i = 0; i < biases.length; i++) {
            biases[i] = new TensorOptional(tensor(stored[i]));
        }
        boolean causal = in.options().mask().pattern().startsWith("causal");
        long[] heads = {s.batch(), s.seqLenQ(), s.numHeads(), s.headDim()};
        long[] rows = {s.batch(), s.seqLenQ(), s.numHeads() * s.valueHeadDim()};
        return entry(() -> {
            Tensor[] qkv = new Tensor[3];
            for (int i = 0; i < qkv.length; i++) {
                qkv[i] = torch.linear(x, weights[i], biases[i]).view(heads).transpose(1, 2);
            }
            Tensor joined = attention(qkv[0], qkv[1], qkv[2], causal, false)
                    .transpose(1, 2)
                    .reshape(rows);
            return new Tensor[] {torch.linear(joined, weights[3], biases[3])};
        });
    }

    private static Tensor tensor(dev.heed.tensor.Tensor tensor) {
        Tensor f64 = torch.from_blob(new FloatPointer(tensor.toFloatArray()), tensor.shape())
                .clone();
        return tensor.type() == DType.BF16 ? f64.to(torch.ScalarType.BFloat16) : f64;
    }

    /** PyTorch stores a projection as {@code [out, in]}. */
    private static Tensor turned(dev.heed.tensor.Tensor matrix) {
        return tensor(matrix.transpose(0, 1));
    }

    private static Entry entry(Supplier<Tensor[]> work) {
        return new Entry() {
            @Override
            public void run() {
                try (var _ = new PointerScope()) {
                    work.get();
                }
            }

            @Override
            public List<dev.heed.tensor.Tensor> answer() {
                try (var _ = new PointerScope()) {
                    List<dev.heed.tensor.Tensor> answer = new ArrayList<>();
                    for (Tensor tensor : work.get()) {
                        FloatBuffer values =
                                tensor.to(torch.ScalarType.Float).contiguous().createBuffer();
                        float[] copy = new float[values.remaining()];
                        values.get(copy);
                        answer.add(dev.heed.tensor.Tensor.of(
                                copy, tensor.sizes().vec().get()));
                    }
                    return answer;
                }
            }

            @Override
            public void close() {}
        };
    }
}
