package dev.heed.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * PyTorch as packaged by DJL, with MKL. DJL has no call for {@code scaled_dot_product_attention}, so every workload is
 * a TorchScript module that runs the same kernels as Python. There is no backward pass: a module has no access to the
 * autograd tape.
 */
final class DjlTorch implements Contestant {

    @Override
    public boolean isHeed() {
        return false;
    }

    @Override
    public Entry enter(Workload workload, int threads) {
        Engine engine = Engine.getEngine("PyTorch");
        JniUtils.setNumThreads(threads);
        if (JniUtils.getNumThreads() != threads) {
            throw new IllegalStateException("DJL's libtorch runs on " + JniUtils.getNumThreads() + " threads");
        }
        NDManager manager = engine.newBaseManager();
        try {
            return switch (workload) {
                case Workload.Attend a -> {
                    if (a.outputGradient() != null) {
                        throw new IllegalStateException("DJL's libtorch has no backward pass here");
                    }
                    String[] names = {"q", "k", "v"};
                    String body = "return "
                            + attention("q", "k", "v", a.causal(), a.shape().groupSize() > 1);
                    yield new Module(
                            manager,
                            TorchScript.archive(names, body),
                            a.inputs().query(),
                            a.inputs().key(),
                            a.inputs().value());
                }
                case Workload.Soften s ->
                    new Module(
                            manager,
                            TorchScript.archive(
                                    new String[] {"x", "y"}, "return torch.softmax(x, -1, dtype=None, out=y)"),
                            s.input(),
                            s.input());
                case Workload.MultiHead m -> multiHead(manager, m.inputs());
            };
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String attention(String q, String k, String v, boolean causal, boolean grouped) {
        return "torch.scaled_dot_product_attention(" + q + ", " + k + ", " + v + ", None, 0., "
                + (causal ? "True" : "False") + ", scale=None, enable_gqa=" + (grouped ? "True" : "False") + ")";
    }

    private static Module multiHead(NDManager manager, MultiHeadInputs in) throws IOException {
        AttentionShape s = in.problem().attention().shape();
        MultiHeadWeights w = in.weights();
        boolean causal = in.options().mask().pattern().startsWith("causal");
        String heads = "[" + s.batch() + ", " + s.seqLenQ() + ", " + s.numHeads() + ", -1]";
        String rows = "[" + s.batch() + ", " + s.seqLenQ() + ", -1]";
        String[] names = {"x", "wq", "bq", "wk", "bk", "wv", "bv", "wo", "bo"};
        InputStream script = TorchScript.archive(
                names,
                "q = " + split("q", heads),
                "k = " + split("k", heads),
                "v = " + split("v", heads),
                "o = " + attention("q", "k", "v", causal, false),
                "return torch.linear(torch.reshape(torch.transpose(o, 1, 2), " + rows + "), wo, bo)");
        return new Module(
                manager,
                script,
                in.query(),
                w.query().transpose(0, 1), // PyTorch stores a projection as [out, in]
                bias(w.queryBias()),
                w.key().transpose(0, 1),
                bias(w.keyBias()),
                w.value().transpose(0, 1),
                bias(w.valueBias()),
                w.output().transpose(0, 1),
                bias(w.outputBias()));
    }

    private static String split(String name, String heads) {
        return "torch.transpose(torch.view(torch.linear(x, w" + name + ", b" + name + "), " + heads + "), 1, 2)";
    }

    private static Tensor bias(@Nullable Tensor bias) {
        if (bias == null) {
            throw new IllegalStateException("a workload's projections must have biases");
        }
        return bias;
    }

    /** A loaded module with its input tensors. */
    private record Module(NDManager manager, PtSymbolBlock block, NDList inputs) implements Entry {
        Module(NDManager manager, InputStream script, Tensor... tensors) throws IOException {
            this(manager, JniUtils.loadModule((PtNDManager) manager, script, false, false), new NDList());
            for (Tensor tensor : tensors) {
                try (NDArray given = manager.create(tensor.toFloatArray(), new Shape(tensor.shape()))) {
                    inputs.add(given.duplicate()); // a copy in libtorch's memory
                }
            }
        }

        @Override
        public void run() {
            IValueUtils.forward(block, inputs, false).close();
        }

        @Override
        public List<Tensor> answer() {
            try (NDList answer = IValueUtils.forward(block, inputs, false)) {
                NDArray output = answer.singletonOrThrow();
                return List.of(
                        Tensor.of(output.toFloatArray(), output.getShape().getShape()));
            }
        }

        @Override
        public void close() {
            manager.close();
        }
    }
}
