package dev.heed.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.heed.AttentionShape;
import dev.heed.tensor.DType;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime's {@code GroupQueryAttention}: causal attention by its flash path, with grouped heads, windows and a cache of keys
 * and values. Its time includes writing the keys and values of the call to the cache: all of them for a prompt, one for decode.
 */
final class OnnxGroupQuery implements Contestant {
    private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

    @Override
    public boolean isHeed() {
        return false;
    }

    @Override
    public Entry enter(Workload workload, int threads) throws OrtException {
        if (workload instanceof Workload.Attend a && suits(a)) {
            return new Session(a, threads);
        }
        throw new UnsupportedOperationException("GroupQueryAttention computes causal attention forward");
    }

    private static boolean suits(Workload.Attend a) {
        AttentionShape s = a.shape();
        boolean causal = a.causal() || a.window() > 0 || s.seqLenQ() == 1;
        return a.outputGradient() == null && causal && (s.seqLenQ() == 1 || s.seqLenQ() == s.seqLenKv());
    }

    /** A model with one node. Past and present are the same memory, so a call writes only its own keys and values. */
    private static final class Session implements Entry {
        private final OrtSession session;
        private final Map<String, OnnxTensor> inputs = new HashMap<>();
        private final Map<String, OnnxTensor> outputs = new HashMap<>();
        private final FloatBuffer output;
        private final AttentionShape shape;

        Session(Workload.Attend a, int threads) throws OrtException {
            this.shape = a.shape();
            boolean decode = shape.seqLenQ() == 1;
            List<String> names =
                    List.of("q", "k", "v", decode ? "pastK" : "", decode ? "pastV" : "", "lengths", "total");
            var graph = new OnnxGraph().input("q").input("k").input("v");
            if (decode) {
                graph.input("pastK").input("pastV");
            }
            graph.input("lengths", DType.I32).input("total", DType.I32);
            Map<String, Long> attributes =
                    new HashMap<>(Map.of("num_heads", shape.numHeads(), "kv_num_heads", shape.numKvHeads()));
            if (a.window() > 0) {
                attributes.put("local_window_size", a.window());
            }
            graph.node(
                    OnnxGraph.CONTRIB, "GroupQueryAttention", names, List.of("y", "presentK", "presentV"), attributes);
            this.session = OnnxRuntime.session(graph.model("y", "presentK", "presentV"), threads);
            long own = shape.seqLenQ();
            Tensor key = a.inputs().key();
            Tensor value = a.inputs().value();
            inputs.put("q", OnnxRuntime.copy(OnnxRuntime.packed(a.inputs().query())));
            inputs.put("k", OnnxRuntime.copy(OnnxRuntime.packed(key.slice(2, key.size(2) - own, key.size(2)))));
            inputs.put("v", OnnxRuntime.copy(OnnxRuntime.packed(value.slice(2, value.size(2) - own, value.size(2)))));
            outputs.put("presentK", OnnxRuntime.copy(key));
            outputs.put("presentV", OnnxRuntime.copy(value));
            if (decode) {
                inputs.put("pastK", outputs.get("presentK"));
                inputs.put("pastV", outputs.get("presentV"));
            }
            int[] lengths = new int[(int) shape.batch()];
            Arrays.fill(lengths, (int) shape.seqLenKv() - 1);
            inputs.put("lengths", integers(lengths, shape.batch()));
            inputs.put("total", integers(new int[] {(int) shape.seqLenKv()}, 1));
            long[] rows = {shape.batch(), own, shape.numHeads() * shape.valueHeadDim()};
            this.output = OnnxRuntime.direct(Math.toIntExact(rows[0] * rows[1] * rows[2]));
            outputs.put("y", OnnxTensor.createTensor(ENVIRONMENT, output, rows));
        }

        private static OnnxTensor integers(int[] values, long... shape) throws OrtException {
            IntBuffer buffer = ByteBuffer.allocateDirect(Integer.BYTES * values.length)
                    .order(ByteOrder.nativeOrder())
                    .asIntBuffer();
            return OnnxTensor.createTensor(ENVIRONMENT, buffer.put(values).flip(), shape);
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
            long width = shape.numHeads() * shape.valueHeadDim();
            return List.of(Layout.packed(Tensor.of(values, shape.batch(), shape.seqLenQ(), width), shape.numHeads()));
        }

        @Override
        public void close() throws OrtException {
            session.close();
        }
    }
}
