package dev.heed.bert;

import dev.heed.LinearWeights;
import dev.heed.MultiHeadWeights;
import dev.heed.layer.RowNorm;
import dev.heed.onnx.OnnxAttribute;
import dev.heed.onnx.OnnxModel;
import dev.heed.onnx.OnnxNode;
import dev.heed.onnx.OnnxTensor;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A reader that finds the parameters of a BERT in its ONNX graph. Exporters name the nodes after the modules of the
 * model, such as {@code /encoder/layer.0/attention/self/query/MatMul}, but leave most weights without a name. A weight
 * is therefore found as the constant input of a named node. Graphs whose activation is not GELU, or whose positions do
 * not count from 0, are rejected.
 */
final class BertGraph {
    private static final String EMBEDDINGS = "/embeddings/";

    private final OnnxModel model;
    private final Map<String, OnnxNode> nodesByName = new HashMap<>();
    private final Map<String, OnnxNode> nodesByOutput = new HashMap<>();

    BertGraph(OnnxModel model) {
        this.model = model;
        for (OnnxNode node : model.nodes()) {
            nodesByName.put(node.name(), node);
            node.outputs().forEach(output -> nodesByOutput.put(output, node));
        }
    }

    BertModel model() {
        Tensor words = table("word_embeddings");
        long width = words.size(1);
        Tensor positions = table("position_embeddings");
        Tensor segments = table("token_type_embeddings");
        requireWidth("position embeddings", positions, width);
        requireWidth("token type embeddings", segments, width);
        requireCountedPositions();
        RowNorm norm = layerNorm(EMBEDDINGS + "LayerNorm", width);
        List<BertLayer> layers = new ArrayList<>();
        while (layers.isEmpty() || nodesByName.containsKey(query(layers.size()) + "/MatMul")) {
            layers.add(layer("/encoder/layer." + layers.size(), width));
        }
        long heads = heads();
        if (heads < 1 || width % heads != 0) {
            throw foreign("a number of heads that divides the width " + width, heads + " heads");
        }
        return new BertModel(floats(words), floats(positions), floats(segments), norm, layers, heads);
    }

    private static String query(int layer) {
        return "/encoder/layer." + layer + "/attention/self/query";
    }

    private BertLayer layer(String at, long width) {
        String activation = at + "/intermediate/intermediate_act_fn/Erf";
        if (!node(activation).opType().equals("Erf")) {
            throw foreign(
                    "the activation by the error function, " + activation,
                    node(activation).opType());
        }
        LinearWeights intermediate = linear(at + "/intermediate/dense", width, -1);
        return new BertLayer(
                MultiHeadWeights.of(
                                weight(at + "/attention/self/query", width, width),
                                weight(at + "/attention/self/key", width, width),
                                weight(at + "/attention/self/value", width, width),
                                weight(at + "/attention/output/dense", width, width))
                        .withBiases(
                                bias(at + "/attention/self/query", width),
                                bias(at + "/attention/self/key", width),
                                bias(at + "/attention/self/value", width),
                                bias(at + "/attention/output/dense", width)),
                layerNorm(at + "/attention/output/LayerNorm", width),
                intermediate,
                linear(at + "/output/dense", intermediate.weight().size(1), width),
                layerNorm(at + "/output/LayerNorm", width));
    }

    private LinearWeights linear(String at, long in, long out) {
        Tensor weight = weight(at, in, out);
        return new LinearWeights(weight, bias(at, weight.size(1)));
    }

    private Tensor weight(String at, long in, long out) {
        return parameter(at + "/MatMul", in, out);
    }

    private Tensor bias(String at, long width) {
        return parameter(at + "/Add", width);
    }

    private RowNorm layerNorm(String at, long width) {
        return new RowNorm(
                floats(parameter(at + "/Mul", width)),
                floats(parameter(at + "/Add_1", width)),
                parameter(at + "/Add").get());
    }

    private Tensor table(String name) {
        return parameter(EMBEDDINGS + name + "/Gather", -1, -1);
    }

    /** {@return the number of heads, from the reshape of the projected query to [batch, tokens, heads, headDim]} */
    private long heads() {
        String projected = name(node(query(0) + "/Add").outputs(), 0);
        for (OnnxNode reshape : model.nodes()) {
            if (reshape.opType().equals("Reshape") && name(reshape.inputs(), 0).equals(projected)) {
                OnnxNode sizes = nodesByOutput.get(name(reshape.inputs(), 1));
                OnnxTensor heads = sizes == null ? null : constant(name(sizes.inputs(), 2));
                if (heads != null && Arrays.equals(heads.shape(), new long[] {1})) {
                    return (long) heads.tensor().get(0);
                }
            }
        }
        throw foreign(
                "a reshape of " + projected + " to [batch, tokens, heads, width]",
                "none with a constant number of heads");
    }

    private void requireCountedPositions() {
        String position = name(node(EMBEDDINGS + "position_embeddings/Gather").inputs(), 1);
        OnnxNode source = nodesByOutput.get(position);
        if (source == null || !source.opType().equals("Slice")) {
            throw foreign(
                    "positions 0, 1, 2 ... as a slice of a table",
                    source == null ? "an input of the model" : "positions made by " + source.opType());
        }
    }

    private void requireWidth(String name, Tensor table, long width) {
        if (table.size(1) != width) {
            throw foreign(name + " as wide as the word embeddings, " + width, table.toString());
        }
    }

    // ---------------------------------------------------------------- nodes and constants

    private OnnxNode node(String name) {
        OnnxNode node = nodesByName.get(name);
        if (node == null) {
            throw foreign("a node " + name, "none among " + model.nodes().size() + " nodes");
        }
        return node;
    }

    /** {@return the name at an index, or an empty text if a damaged graph has too few names} */
    private static String name(List<String> names, int index) {
        return index < names.size() ? names.get(index) : "";
    }

    /** {@return a copy of the constant input of a node, after checking its sizes; -1 allows any size} */
    private Tensor parameter(String nodeName, long... shape) {
        OnnxTensor found = null;
        for (String input : node(nodeName).inputs()) {
            OnnxTensor constant = constant(input);
            found = constant == null ? found : constant;
        }
        if (found == null) {
            throw foreign("a constant among the inputs of " + nodeName, "none");
        }
        long[] sizes = found.shape();
        boolean fits = sizes.length == shape.length;
        for (int axis = 0; fits && axis < shape.length; axis++) {
            fits = shape[axis] == -1 || shape[axis] == sizes[axis];
        }
        if (!fits || !found.typeName().equals("float")) {
            throw foreign(
                    "float " + Arrays.toString(shape).replace("-1", "any") + " as the constant of " + nodeName,
                    found.toString());
        }
        // A copy, so that the arrays are aligned and the bytes of the file can be freed.
        return found.tensor().copy();
    }

    private @Nullable OnnxTensor constant(String value) {
        OnnxTensor initializer = model.initializers().get(value);
        if (initializer != null) {
            return initializer;
        }
        OnnxNode node = nodesByOutput.get(value);
        OnnxAttribute content = node == null ? null : node.attributes().get("value");
        return content instanceof OnnxAttribute.Data(OnnxTensor data) ? data : null;
    }

    /** {@return the array of a tensor that {@link #parameter} copied} */
    private static float[] floats(Tensor tensor) {
        return (float[]) tensor.segment().heapBase().orElseThrow();
    }

    private static InvalidInputException foreign(String expected, String got) {
        return new InvalidInputException(
                "The model is not a BERT that Heed can run",
                expected,
                got,
                "export the f32 model with torch.onnx.export, or use MiniLm.model()");
    }
}
