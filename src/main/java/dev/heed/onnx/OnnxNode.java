package dev.heed.onnx;

import dev.heed.tensor.InvalidInputException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One operator of a graph ({@code NodeProto}).
 *
 * @param opType the operator, such as {@code Attention}
 * @param domain the operator set that defines the operator; empty for ONNX's own
 * @param name the name of the node, often empty
 * @param inputs the names of the input values, in the order that the operator defines; an omitted input has an empty
 *     name
 * @param outputs the names of the output values; an omitted output has an empty name
 * @param attributes the attributes by name, in the order of the file
 */
public record OnnxNode(
        String opType,
        String domain,
        String name,
        List<String> inputs,
        List<String> outputs,
        Map<String, OnnxAttribute> attributes) {

    /** Copies the collections. */
    public OnnxNode {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
    }

    /**
     * {@return the value of an integer attribute}
     *
     * @param otherwise the result if the attribute is omitted: the operator's default
     * @throws InvalidInputException if the attribute is of another kind
     */
    public long whole(String attribute, long otherwise) {
        OnnxAttribute value = attributes.get(attribute);
        return switch (value) {
            case null -> otherwise;
            case OnnxAttribute.Whole(long whole) -> whole;
            default -> throw otherKind(attribute, "a whole number", value);
        };
    }

    /**
     * {@return the value of a floating-point attribute}
     *
     * @param otherwise the result if the attribute is omitted: the operator's default, or null
     * @throws InvalidInputException if the attribute is of another kind
     */
    public @Nullable Float number(String attribute, @Nullable Float otherwise) {
        OnnxAttribute value = attributes.get(attribute);
        return switch (value) {
            case null -> otherwise;
            case OnnxAttribute.Number(float number) -> number;
            default -> throw otherKind(attribute, "a floating-point number", value);
        };
    }

    private InvalidInputException otherKind(String attribute, String expected, OnnxAttribute value) {
        return new InvalidInputException(
                "Attribute " + attribute + " of " + opType + " is of the wrong kind",
                expected,
                value.toString(),
                "write the model again with onnx.helper.make_node, and check it with onnx.checker.check_model");
    }
}
