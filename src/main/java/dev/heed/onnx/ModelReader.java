package dev.heed.onnx;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A reader of the protobuf messages of an ONNX model: model, graph, node and attribute. The field numbers are defined
 * in {@code onnx.proto}.
 */
final class ModelReader {
    private final Map<String, Long> opsets = new LinkedHashMap<>();
    private final List<String> inputs = new ArrayList<>();
    private final List<String> outputs = new ArrayList<>();
    private final List<OnnxNode> nodes = new ArrayList<>();
    private final Map<String, OnnxTensor> initializers = new LinkedHashMap<>();
    private boolean graphSeen;

    private ModelReader() {}

    static OnnxModel model(WireReader message) {
        var reader = new ModelReader();
        while (message.next()) {
            switch (message.field()) {
                case 7 -> reader.graph(message.message());
                case 8 -> reader.opset(message.message());
                default -> message.skip();
            }
        }
        if (!reader.graphSeen) {
            throw message.damaged("a model with a graph", "no graph");
        }
        return new OnnxModel(reader.opsets, reader.inputs, reader.outputs, reader.nodes, reader.initializers);
    }

    private void opset(WireReader message) {
        String domain = "";
        long version = 0;
        while (message.next()) {
            switch (message.field()) {
                case 1 -> domain = domain(message.text());
                case 2 -> version = message.integer();
                default -> message.skip();
            }
        }
        opsets.put(domain, version);
    }

    private void graph(WireReader message) {
        graphSeen = true;
        while (message.next()) {
            switch (message.field()) {
                case 1 -> nodes.add(node(message.message()));
                case 5 -> {
                    OnnxTensor tensor = OnnxTensor.parse(message.message());
                    initializers.put(tensor.name(), tensor);
                }
                case 11 -> inputs.add(valueName(message.message()));
                case 12 -> outputs.add(valueName(message.message()));
                default -> message.skip();
            }
        }
    }

    private static String valueName(WireReader message) {
        String name = "";
        while (message.next()) {
            if (message.field() == 1) {
                name = message.text();
            } else {
                message.skip();
            }
        }
        return name;
    }

    private static OnnxNode node(WireReader message) {
        String opType = "";
        String domain = "";
        String name = "";
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        Map<String, OnnxAttribute> attributes = new LinkedHashMap<>();
        while (message.next()) {
            switch (message.field()) {
                case 1 -> inputs.add(message.text());
                case 2 -> outputs.add(message.text());
                case 3 -> name = message.text();
                case 4 -> opType = message.text();
                case 5 -> attribute(message.message(), attributes);
                case 7 -> domain = domain(message.text());
                default -> message.skip();
            }
        }
        if (opType.isEmpty()) {
            throw message.damaged("a node with an operator", "none");
        }
        return new OnnxNode(opType, domain, name, inputs, outputs, attributes);
    }

    /** {@return the domain; both spellings of ONNX's own domain become the empty text} */
    private static String domain(String domain) {
        return domain.equals("ai.onnx") ? "" : domain;
    }

    private static void attribute(WireReader message, Map<String, OnnxAttribute> attributes) {
        String name = "";
        long kind = 0;
        float number = 0;
        long whole = 0;
        String text = "";
        OnnxTensor data = null;
        List<Float> numbers = new ArrayList<>();
        List<Long> wholes = new ArrayList<>();
        int lastValue = 0;
        while (message.next()) {
            int field = message.field();
            switch (field) {
                case 1 -> name = message.text();
                case 2 -> number = message.float32();
                case 3 -> whole = message.integer();
                case 4 -> text = message.text();
                case 5 -> data = OnnxTensor.parse(message.message());
                case 7 -> numbers(message, numbers);
                case 8 -> wholes(message, wholes);
                case 20 -> kind = message.integer();
                default -> message.skip();
            }
            lastValue = field >= 2 && field <= 8 ? field : lastValue;
        }
        // Some writers omit the kind of an attribute, others omit a value of zero. A value of kind k is in field k + 1.
        int valueKind = kind == 0 ? lastValue - 1 : Math.clamp(kind, -1, 99);
        attributes.put(
                name,
                switch (valueKind) {
                    case 1 -> new OnnxAttribute.Number(number);
                    case 2 -> new OnnxAttribute.Whole(whole);
                    case 3 -> new OnnxAttribute.Text(text);
                    case 4 -> new OnnxAttribute.Data(present(message, data));
                    case 5 -> new OnnxAttribute.Other("graph");
                    case 6 -> new OnnxAttribute.Numbers(List.copyOf(numbers));
                    case 7 -> new OnnxAttribute.Wholes(List.copyOf(wholes));
                    default -> new OnnxAttribute.Other("kind " + valueKind);
                });
    }

    private static OnnxTensor present(WireReader message, @Nullable OnnxTensor data) {
        if (data == null) {
            throw message.damaged("the tensor of an attribute", "none");
        }
        return data;
    }

    private static void numbers(WireReader message, List<Float> numbers) {
        if (message.wireType() != WireReader.BYTES) {
            numbers.add(message.float32());
            return;
        }
        WireReader packed = message.message();
        while (!packed.atEnd()) {
            numbers.add(Float.intBitsToFloat(packed.fixed32()));
        }
    }

    private static void wholes(WireReader message, List<Long> wholes) {
        if (message.wireType() != WireReader.BYTES) {
            wholes.add(message.integer());
            return;
        }
        WireReader packed = message.message();
        while (!packed.atEnd()) {
            wholes.add(packed.varint());
        }
    }
}
