package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.onnx.OnnxNode;
import dev.heed.onnx.OnnxTensor;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The ONNX operators {@code Softmax} and {@code LogSoftmax} of opset 13 and later.
 *
 * @param log whether the operator is {@code LogSoftmax}
 */
record SoftmaxNode(boolean log) implements NodeOperator {
    @Override
    public List<@Nullable Computed> compute(
            OnnxNode node, long opset, List<@Nullable OnnxTensor> inputs, AttentionBackend backend) {
        if (opset < 13) {
            throw new NotCoveredException(
                    node.opType() + " of opset " + opset + ", which flattens the axes from the attribute axis on");
        }
        NodeOperator.requireKnown(node, Set.of("axis"));
        Tensor input = NodeOperator.required(inputs, 0, "input");
        int axis = Math.clamp(node.whole("axis", -1), -1000, 1000);
        SoftmaxProblem problem = SoftmaxProblem.of(input.shape(), axis, input.type(), log);
        NotCoveredException.requireSupported(backend, problem);
        Tensor output = Tensor.zeros(input.type(), input.shape());
        try (SoftmaxPlan plan = backend.plan(problem)) {
            plan.forward(input, output);
        }
        return List.of(new Computed(output, false));
    }
}
