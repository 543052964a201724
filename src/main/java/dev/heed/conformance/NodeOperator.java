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
     * An output.
     *
     * @param tensor what was computed, in the type and shape that ONNX gives it
     * @param exact whether it is copied, so that nothing but equality will do
     */
    record Computed(Tensor tensor, boolean exact) {}

    /**
     * {@return the outputs in the operator's order; null for one that the node does not name}
     *
     * @param node the node
     * @param opset the version of ONNX's operator set, for operators that changed their meaning
     * @param inputs the tensors in the operator's order; null for one left out
     * @param backend what computes
     * @throws NotCoveredException if this version, attribute, type or the backend is not covered
     * @throws InvalidInputException if the inputs make no sense to the operator
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

    /** Skips a node with an attribute that may mean anything. */
    static void requireKnown(OnnxNode node, Set<String> attributes) {
        for (String attribute : node.attributes().keySet()) {
            if (!attributes.contains(attribute)) {
                throw new NotCoveredException("attribute " + attribute + " of operator " + node.opType());
            }
        }
    }

    /** {@return an input that may be left out, or null} */
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

    /** {@return an input that must be there} */
    static Tensor required(List<@Nullable OnnxTensor> inputs, int index, String name) {
        Tensor input = optional(inputs, index);
        if (input == null) {
            throw new InvalidInputException("Input " + name + " is missing", "a tensor", "none", "name it in the node");
        }
        return input;
    }

    /** {@return whether the node asks for an output} */
    static boolean wants(OnnxNode node, int output) {
        return output < node.outputs().size() && !node.outputs().get(output).isEmpty();
    }
}
