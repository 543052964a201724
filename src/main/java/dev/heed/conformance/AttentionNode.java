package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.ScoreStage;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.onnx.OnnxNode;
import dev.heed.onnx.OnnxTensor;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Layout;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The ONNX operator {@code Attention} of opsets 23 to 25, computed with Heed's options:
 *
 * <ul>
 *   <li>for {@code is_causal} and the window, the position of query 0 is the length of the past; without a past it is
 *       {@code nonpad_kv_seqlen[b] - seqLenQ}, and without both it is 0 (aligned at the top left);
 *   <li>a boolean mask is a mask, a float mask is a bias; their axes are aligned at the right. A mask with fewer keys
 *       masks the remaining keys, even if it has only one key;
 *   <li>{@code qk_matmul_output_mode} 0, 1 and 2 request the scores at one of three stages, 3 requests the weights;
 *   <li>{@code softmax_precision} is a lower bound on the precision of the softmax and is ignored.
 * </ul>
 */
record AttentionNode() implements NodeOperator {
    private static final Set<String> ATTRIBUTES = Set.of(
            "is_causal",
            "kv_num_heads",
            "left_window_size",
            "q_num_heads",
            "qk_matmul_output_mode",
            "right_window_size",
            "scale",
            "softcap",
            "softmax_precision");

    @Override
    public List<@Nullable Computed> compute(
            OnnxNode node, long opset, List<@Nullable OnnxTensor> inputs, AttentionBackend backend) {
        NodeOperator.requireKnown(node, ATTRIBUTES);
        Tensor q = NodeOperator.required(inputs, 0, "Q");
        Tensor k = NodeOperator.required(inputs, 1, "K");
        Tensor v = NodeOperator.required(inputs, 2, "V");
        boolean packed = q.rank() == 3;
        Tensor query = heads(q, packed, "Q", node.whole("q_num_heads", 0));
        Tensor pastKey = past(inputs, 4);
        Tensor pastValue = past(inputs, 5);
        if ((pastKey == null) != (pastValue == null)) {
            throw new InvalidInputException(
                    "The past is incomplete", "past_key and past_value", "one of them", "name both or none");
        }
        Tensor key = joined(pastKey, heads(k, packed, "K", node.whole("kv_num_heads", 0)));
        Tensor value = joined(pastValue, heads(v, packed, "V", node.whole("kv_num_heads", 0)));
        if (value.type() != query.type()) {
            throw new NotCoveredException("V of type " + value.type().label() + " with Q of type "
                    + q.type().label());
        }
        long past = pastKey == null ? 0 : pastKey.size(2);
        int mode = Math.clamp(node.whole("qk_matmul_output_mode", 0), -1, 4);
        boolean keepsScores = NodeOperator.wants(node, 3);
        var attention = AttentionInputs.of(
                query,
                key,
                value,
                keep(
                        mode,
                        keepsScores,
                        options(node, inputs, past, pastKey != null, query.size(2), key.size(2), query.size(0))));
        NotCoveredException.requireSupported(backend, attention.problem());
        AttentionResult result = AttentionResult.allocate(attention.problem());
        try (AttentionPlan plan = backend.plan(attention.problem())) {
            plan.forward(attention, result);
        }
        Tensor output = result.output();
        if (packed) {
            output = output.transpose(1, 2).reshape(q.size(0), q.size(1), output.size(1) * output.size(3));
        }
        Tensor scores = mode == 3 ? result.weights() : result.scores();
        return Arrays.asList(
                new Computed(output, false),
                new Computed(key, true),
                new Computed(value, true),
                scores == null ? null : new Computed(scores.to(q.type()), false));
    }

    // ---------------------------------------------------------------- tensors

    private static Tensor heads(Tensor tensor, boolean packed, String name, long numHeads) {
        if (tensor.rank() != (packed ? 3 : 4)) {
            throw new InvalidInputException(
                    "Q, K and V must have the same number of axes, 3 or 4",
                    packed ? "rank 3, as Q" : "rank 4",
                    name + " " + tensor,
                    "reshape it, or set q_num_heads and kv_num_heads");
        }
        return packed ? Layout.packed(tensor, numHeads) : tensor;
    }

    /** {@return the past, or null if it is omitted or has length 0, as in the first step of decoding} */
    private static @Nullable Tensor past(List<@Nullable OnnxTensor> inputs, int index) {
        OnnxTensor input = index < inputs.size() ? inputs.get(index) : null;
        boolean empty = input != null && input.shape().length == 4 && input.shape()[2] == 0;
        return empty ? null : NodeOperator.optional(inputs, index);
    }

    private static Tensor joined(@Nullable Tensor past, Tensor now) {
        if (past == null) {
            return now;
        }
        if (past.rank() != 4 || past.type() != now.type()) {
            throw new InvalidInputException(
                    "The past does not fit",
                    now.type().label() + " [batch, heads, past, width] before " + now,
                    past.toString(),
                    "past_key and past_value are present_key and present_value of the step before");
        }
        Tensor joined = Tensor.zeros(now.type(), now.size(0), now.size(1), past.size(2) + now.size(2), now.size(3));
        joined.slice(2, 0, past.size(2)).copyFrom(past);
        joined.slice(2, past.size(2), joined.size(2)).copyFrom(now);
        return joined;
    }

    // ---------------------------------------------------------------- options

    private static AttentionOptions keep(int mode, boolean wanted, AttentionOptions options) {
        if (!wanted) {
            return options;
        }
        return switch (mode) {
            case 0 -> options.withScores(ScoreStage.SCORE);
            case 1 -> options.withScores(ScoreStage.SOFTCAPPED);
            case 2 -> options.withScores(ScoreStage.MODIFIED);
            case 3 -> options.withWeights();
            default -> throw new NotCoveredException("qk_matmul_output_mode beyond 3");
        };
    }

    private static AttentionOptions options(
            OnnxNode node,
            List<@Nullable OnnxTensor> inputs,
            long past,
            boolean hasPast,
            long seqLenQ,
            long seqLenKv,
            long batch) {
        AttentionOptions options = AttentionOptions.DEFAULT;
        Float scale = node.number("scale", null);
        if (scale != null) {
            options = options.withScale(scale);
        }
        Float softcap = node.number("softcap", null);
        if (softcap != null && softcap > 0) {
            options = options.withSoftcap((double) softcap);
        }
        CausalAlignment alignment = hasPast ? CausalAlignment.offset(past) : CausalAlignment.TOP_LEFT;
        Tensor lengths = NodeOperator.optional(inputs, 6);
        if (lengths != null) {
            long[] valid = lengths(lengths, batch);
            options = options.withMask(Mask.keyLengths(valid));
            if (!hasPast) {
                alignment = CausalAlignment.offset(
                        Arrays.stream(valid).map(length -> length - seqLenQ).toArray());
            }
        }
        if (node.whole("is_causal", 0) != 0) {
            options = options.causal(alignment);
        }
        long left = bound(node, "left_window_size");
        long right = bound(node, "right_window_size");
        if (left != Mask.Window.UNBOUNDED || right != Mask.Window.UNBOUNDED) {
            options = options.withMask(options.mask().and(new Mask.Window(left, right, alignment)));
        }
        Tensor mask = NodeOperator.optional(inputs, 3);
        return mask == null ? options : masked(options, mask, batch, seqLenKv);
    }

    private static long[] lengths(Tensor lengths, long batch) {
        if (!lengths.type().isInteger() || lengths.rank() != 1 || lengths.size(0) != batch) {
            throw new InvalidInputException(
                    "nonpad_kv_seqlen does not fit",
                    "i64 [" + batch + "]",
                    lengths.toString(),
                    "one number of valid keys for each batch entry");
        }
        return Arrays.stream(lengths.toDoubleArray())
                .mapToLong(length -> (long) length)
                .toArray();
    }

    private static long bound(OnnxNode node, String attribute) {
        long keys = node.whole(attribute, -1);
        if (keys < -1) {
            throw new InvalidInputException(
                    "The bound of the window is out of range",
                    "-1 for none, or 0 and more",
                    attribute + " " + keys,
                    "write -1");
        }
        return keys == -1 ? Mask.Window.UNBOUNDED : keys;
    }

    private static AttentionOptions masked(AttentionOptions options, Tensor mask, long batch, long seqLenKv) {
        Tensor whole = mask;
        while (whole.rank() < 4) {
            whole = whole.unsqueeze(0);
        }
        long keys = whole.size(-1);
        if (keys < seqLenKv) {
            List<Long> ends = new ArrayList<>();
            for (long b = 0; b < batch; b++) {
                ends.add(keys);
            }
            options = options.withMask(options.mask().and(new Mask.KeyLengths(ends)));
            Tensor padded = Tensor.zeros(whole.type(), whole.size(0), whole.size(1), whole.size(2), seqLenKv);
            padded.slice(3, 0, keys).copyFrom(whole);
            whole = padded;
        }
        if (whole.type() == DType.BOOL) {
            return options.withMask(options.mask().and(Mask.dense(whole)));
        }
        return options.withBias(whole.type().isFloating() ? whole : whole.to(DType.F32));
    }
}
