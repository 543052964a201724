package dev.heed.onnx;

import dev.heed.tensor.InvalidInputException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An ONNX model ({@code ModelProto}): one graph of nodes, its stored tensors, and the operator sets of its nodes.
 * Subgraphs are not read.
 *
 * @param opsets the version of each operator set, by its domain; the empty domain is ONNX's own
 * @param inputs the names of the graph's inputs; models from before 2019 list their initializers here too
 * @param outputs the names of the graph's outputs
 * @param nodes the operators, in the order of the file
 * @param initializers the tensors of the file by name, in the order of the file
 */
public record OnnxModel(
        Map<String, Long> opsets,
        List<String> inputs,
        List<String> outputs,
        List<OnnxNode> nodes,
        Map<String, OnnxTensor> initializers) {

    /** Copies the collections. */
    public OnnxModel {
        opsets = Collections.unmodifiableMap(new LinkedHashMap<>(opsets));
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        nodes = List.copyOf(nodes);
        initializers = Collections.unmodifiableMap(new LinkedHashMap<>(initializers));
    }

    /**
     * {@return the model in a file} The file is mapped and must not change while tensors of the model are in use.
     *
     * @throws InvalidInputException if the file cannot be read or holds no model
     */
    public static OnnxModel read(Path file) {
        return ModelReader.model(WireReader.map(file));
    }

    /**
     * {@return the model in the remaining bytes of a stream} The stream is not closed.
     *
     * @param name the name of the stream in error messages
     * @throws InvalidInputException if the stream cannot be read, holds no model, or is longer than 2 GiB
     */
    public static OnnxModel read(InputStream stream, String name) {
        return ModelReader.model(WireReader.drain(stream, name));
    }

    /**
     * {@return the model in an array, which is not copied}
     *
     * @param name the name of the array in error messages
     * @throws InvalidInputException if the array holds no model
     */
    public static OnnxModel read(byte[] bytes, String name) {
        return ModelReader.model(WireReader.of(bytes, name));
    }

    /** {@return the version of the operator set that a node belongs to; 0 if the model does not state it} */
    public long opset(OnnxNode node) {
        return opsets.getOrDefault(node.domain(), 0L);
    }

    /**
     * {@return the initializer of the given name}
     *
     * @throws InvalidInputException if the model has no initializer of this name
     */
    public OnnxTensor initializer(String name) {
        OnnxTensor tensor = initializers.get(name);
        if (tensor == null) {
            throw new InvalidInputException(
                    "The model has no such tensor",
                    "one of " + initializers.size() + " names, such as "
                            + initializers.keySet().stream().limit(3).toList(),
                    name,
                    "print model.initializers().keySet()");
        }
        return tensor;
    }
}
