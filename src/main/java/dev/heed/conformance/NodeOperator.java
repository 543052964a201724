package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.onnx.OnnxNode;
import dev.heed.onnx.OnnxTensor;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** An ONNX operator, computed by a backend. */
interface NodeOperator {
    /**
     * A computed output.
     *
     * @param tensor the output, in the type and shape that ONNX defines
     * @param exact whether the output is a copy, which must equal the expected output
     */
    record Computed(Tensor tensor, boolean exact) {}

    /**
     * {@return the outputs in the operator's order; null for an output that was not computed because the node does not
     * request it}
     *
     * @param node the node
     * @param opset the version of ONNX's operator set, because some operators differ between versions
     * @param inputs the tensors in the operator's order; null for an omitted input
     * @param backend the backend that computes
     * @throws NotCoveredException if the version, an attribute or a type is not covered, or the backend does not
     *     support the problem
     * @throws InvalidInputException if the inputs are invalid for the operator
     */
    List<@Nullable Computed> compute(
            OnnxNode node, long opset, List<@Nullable OnnxTensor> inputs, AttentionBackend backend);

    /** {@return the operator of a node, or null if Heed has none} */
    static @Nullable NodeOperator of(OnnxNode node) {
        if (!node.domain().isEmpty()) {
            return null;
        }
        return switch (node.opType()) {
            case "Attention" -> new AttentionNode();
            case "Softmax" -> new SoftmaxNode(false);
            case "LogSoftmax" -> new SoftmaxNode(true);
            case "RotaryEmbedding" -> new RotaryNode();
            default -> null;
        };
    }

    /** Throws {@link NotCoveredException}, which skips the case, if a node has an unknown attribute. */
    static void requireKnown(OnnxNode node, Set<String> attributes) {
        for (String attribute : node.attributes().keySet()) {
            if (!attributes.contains(attribute)) {
                throw new NotCoveredException("attribute " + attribute + " of operator " + node.opType());
            }
        }
    }

    /** {@return an optional input, or null if it is omitted} */
    static @Nullable Tensor optional(List<@Nullable OnnxTensor> inputs, int index) {
        OnnxTensor input = index < inputs.size() ? inputs.get(index) : null;
        if (input == null) {
            return null;
        }
        if (input.type() == null) {
            throw new NotCoveredException("element type " + input.typeName());
        }
        for (long size : input.shape()) {
            if (size == 0) {
                throw new NotCoveredException("no elements in " + input);
            }
        }
        return input.tensor();
    }

    /** {@return a required input} */
    static Tensor required(List<@Nullable OnnxTensor> inputs, int index, String name) {
        Tensor input = optional(inputs, index);
        if (input == null) {
            throw new InvalidInputException("Input " + name + " is missing", "a tensor", "none", "name it in the node");
        }
        return input;
    }

    /** {@return whether the node requests an output} */
    static boolean wants(OnnxNode node, int output) {
        return output < node.outputs().size() && !node.outputs().get(output).isEmpty();
    }
}
