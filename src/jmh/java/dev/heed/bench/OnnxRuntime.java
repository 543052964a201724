package dev.heed.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime with its fused {@code MultiHeadAttention}, which uses the flash path if there is no mask and otherwise
 * stores all scores. Inputs and output are direct buffers that ONNX Runtime neither copies nor allocates.
 */
final class OnnxRuntime implements Contestant {
    private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

    static OrtSession.SessionOptions options(int threads) throws OrtException {
        var options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        return options;
    }

    static OrtSession session(byte[] model, int threads) throws OrtException {
        try (var options = options(threads)) {
            return ENVIRONMENT.createSession(model, options);
        }
    }

    @Override
    public boolean isHeed() {
        return false;
    }

    @Override
    public Entry enter(Workload workload, int threads) throws OrtException {
        return switch (workload) {
            case Workload.Attend a -> attend(a, threads);
            case Workload.Soften s -> {
                byte[] model = new OnnxGraph()
                        .input("x")
                        .node("", "Softmax", List.of("x"), "y", Map.of("axis", -1L))
                        .model("y");
                long[] shape = s.problem().sizes();
                yield new Session(model, threads, Map.of("x", s.input()), shape, 0);
            }
            case Workload.MultiHead m -> multiHead(m.inputs(), threads);
        };
    }

    private static Entry attend(Workload.Attend a, int threads) throws OrtException {
        AttentionShape s = a.shape();
        if (a.outputGradient() != null || s.groupSize() > 1) {
            throw new UnsupportedOperationException(
                    "ONNX Runtime's MultiHeadAttention computes forward without groups");
        }
        byte[] model = new OnnxGraph()
                .input("q")
                .input("k")
                .input("v")
                .node(
                        OnnxGraph.CONTRIB,
                        "MultiHeadAttention",
                        List.of("q", "k", "v"),
                        "y",
                        attributes(s.numHeads(), a.causal()))
                .model("y");
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("q", packed(a.inputs().query()));
        inputs.put("k", packed(a.inputs().key()));
        inputs.put("v", packed(a.inputs().value()));
        long[] shape = {s.batch(), s.seqLenQ(), s.numHeads() * s.valueHeadDim()};
        return new Session(model, threads, inputs, shape, s.numHeads());
    }

    private static Map<String, Long> attributes(long heads, boolean causal) {
        return Map.of("num_heads", heads, "unidirectional", causal ? 1L : 0L);
    }

    /** {@return a tensor in the layout of the operator, {@code [batch, sequence, heads * headDim]}} */
    static Tensor packed(Tensor heads) {
        return heads.transpose(1, 2).copy().reshape(heads.size(0), heads.size(2), heads.size(1) * heads.size(3));
    }

    /** {@return a copy of a tensor in direct memory} */
    static OnnxTensor copy(Tensor tensor) throws OrtException {
        float[] values = tensor.toFloatArray();
        return OnnxTensor.createTensor(
                ENVIRONMENT, direct(values.length).put(values).flip(), tensor.shape());
    }

    static FloatBuffer direct(int floats) {
        return ByteBuffer.allocateDirect(Math.multiplyExact(floats, Float.BYTES))
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    private static Entry multiHead(MultiHeadInputs in, int threads) throws OrtException {
        AttentionShape s = in.problem().attention().shape();
        MultiHeadWeights w = in.weights();
        var graph = new OnnxGraph().input("x");
        project(graph, "q", "x", w.query(), w.queryBias());
        project(graph, "k", "x", w.key(), w.keyBias());
        project(graph, "v", "x", w.value(), w.valueBias());
        boolean causal = in.options().mask().pattern().startsWith("causal");
        graph.node(
                OnnxGraph.CONTRIB,
                "MultiHeadAttention",
                List.of("q", "k", "v"),
                "joined",
                attributes(s.numHeads(), causal));
        project(graph, "y", "joined", w.output(), w.outputBias());
        return new Session(
                graph.model("y"), threads, Map.of("x", in.query()), in.problem().outputShape(), 0);
    }

    private static void project(OnnxGraph graph, String to, String from, Tensor weights, Tensor bias) {
        graph.constant("W" + to, weights)
                .constant("b" + to, bias)
                .node("", "MatMul", List.of(from, "W" + to), to + "0", Map.of())
                .node("", "Add", List.of(to + "0", "b" + to), to, Map.of());
    }

    private static final class Session implements Entry {
        private final OrtSession session;
        private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        private final FloatBuffer output;
        private final Map<String, OnnxTensor> outputs;
        private final long[] shape;
        private final long heads;

        /** Creates a session; if {@code heads} is above 0, the last axis of the output contains that many heads. */
        Session(byte[] model, int threads, Map<String, Tensor> inputs, long[] shape, long heads) throws OrtException {
            this.session = session(model, threads);
            for (var input : inputs.entrySet()) {
                this.inputs.put(input.getKey(), copy(input.getValue()));
            }
            long count = 1;
            for (long size : shape) {
                count *= size;
            }
            this.output = direct(Math.toIntExact(count));
            this.outputs = Map.of("y", OnnxTensor.createTensor(ENVIRONMENT, output, shape));
            this.shape = shape;
            this.heads = heads;
        }

        @Override
        public void run() throws OrtException {
            session.run(inputs, outputs).close();
        }

        @Override
        public List<Tensor> answer() throws OrtException {
            run();
            float[] values = new float[output.capacity()];
            output.get(0, values);
            Tensor answer = Tensor.of(values, shape);
            return List.of(heads == 0 ? answer : Layout.packed(answer, heads));
        }

        @Override
        public void close() throws OrtException {
            session.close();
        }
    }
}
