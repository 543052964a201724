package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.RotaryInputs;
import dev.heed.RotaryPlan;
import dev.heed.onnx.OnnxNode;
import dev.heed.onnx.OnnxTensor;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The ONNX operator {@code RotaryEmbedding} of opset 23 and later, with inputs of four axes as in Heed, or of three
 * axes with packed heads.
 */
record RotaryNode() implements NodeOperator {
    @Override
    public List<@Nullable Computed> compute(
            OnnxNode node, long opset, List<@Nullable OnnxTensor> inputs, AttentionBackend backend) {
        NodeOperator.requireKnown(node, Set.of("interleaved", "num_heads", "rotary_embedding_dim"));
        Tensor x = NodeOperator.required(inputs, 0, "X");
        boolean packed = x.rank() == 3;
        Tensor heads = packed ? Layout.packed(x, node.whole("num_heads", 0)) : x;
        Tensor cos = NodeOperator.required(inputs, 1, "cos_cache");
        Tensor sin = NodeOperator.required(inputs, 2, "sin_cache");
        Tensor positions = NodeOperator.optional(inputs, 3);
        var rotary = RotaryInputs.of(heads, cos, sin, positions, node.whole("interleaved", 0) != 0);
        long asked = node.whole("rotary_embedding_dim", 0);
        long wanted = asked == 0 ? heads.size(3) : asked;
        if (rotary.problem().rotaryDim() != wanted) {
            throw new InvalidInputException(
                    "The caches do not have half the rotated width",
                    "[..., " + wanted / 2 + "]",
                    cos.toString(),
                    "rotary_embedding_dim is twice the width of the caches");
        }
        NotCoveredException.requireSupported(backend, rotary.problem());
        Tensor output = Tensor.zeros(x.type(), x.shape());
        try (RotaryPlan plan = backend.plan(rotary.problem())) {
            plan.forward(rotary, packed ? Layout.packed(output, heads.size(1)) : output);
        }
        return List.of(new Computed(output, false));
    }
}
