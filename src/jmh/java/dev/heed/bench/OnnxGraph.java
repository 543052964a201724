package dev.heed.bench;

import dev.heed.onnx.ProtoWriter;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** A builder of small ONNX models in their binary format. */
final class OnnxGraph {
    static final String CONTRIB = "com.microsoft";
    private static final int IR_VERSION = 10;
    private static final int OPSET = 23;

    private final ProtoWriter graph = new ProtoWriter().text(2, "benchmark");

    /**
     * Adds a node with an operator of ONNX ({@code domain} is empty) or of ONNX Runtime ({@link #CONTRIB}); attributes
     * are integers.
     */
    OnnxGraph node(String domain, String operator, List<String> inputs, String output, Map<String, Long> attributes) {
        var node = new ProtoWriter();
        inputs.forEach(input -> node.text(1, input));
        node.text(2, output).text(4, operator);
        attributes.forEach((name, value) ->
                node.message(5, new ProtoWriter().text(1, name).varint(3, value).varint(20, 2)));
        graph.message(1, node.text(7, domain));
        return this;
    }

    /** Adds a constant. */
    OnnxGraph constant(String name, Tensor tensor) {
        graph.bytes(5, ProtoWriter.tensor(name, tensor));
        return this;
    }

    OnnxGraph input(String name) {
        graph.message(11, value(name));
        return this;
    }

    /** {@return the bytes of the model, with one output} */
    byte[] model(String output) {
        graph.message(12, value(output));
        return new ProtoWriter()
                .varint(1, IR_VERSION)
                .message(7, graph)
                .message(8, new ProtoWriter().text(1, "").varint(2, OPSET))
                .message(8, new ProtoWriter().text(1, CONTRIB).varint(2, 1))
                .toBytes();
    }

    private static ProtoWriter value(String name) {
        var type = new ProtoWriter().varint(1, ProtoWriter.typeCode(DType.F32));
        return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, type));
    }
}
