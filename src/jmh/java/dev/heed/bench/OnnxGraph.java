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
        return node(domain, operator, inputs, List.of(output), attributes);
    }

    /** Adds a node with several outputs; an empty name stands for an input that is left out. */
    OnnxGraph node(
            String domain, String operator, List<String> inputs, List<String> outputs, Map<String, Long> attributes) {
        var node = new ProtoWriter();
        inputs.forEach(input -> node.text(1, input));
        outputs.forEach(output -> node.text(2, output));
        node.text(4, operator);
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
        return input(name, DType.F32);
    }

    OnnxGraph input(String name, DType type) {
        graph.message(11, value(name, type));
        return this;
    }

    /** {@return the bytes of the model, with these outputs} */
    byte[] model(String... outputs) {
        for (String output : outputs) {
            graph.message(12, value(output, DType.F32));
        }
        return new ProtoWriter()
                .varint(1, IR_VERSION)
                .message(7, graph)
                .message(8, new ProtoWriter().text(1, "").varint(2, OPSET))
                .message(8, new ProtoWriter().text(1, CONTRIB).varint(2, 1))
                .toBytes();
    }

    private static ProtoWriter value(String name, DType element) {
        var type = new ProtoWriter().varint(1, ProtoWriter.typeCode(element));
        return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, type));
    }
}
