package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.onnx.OnnxModel;
import dev.heed.onnx.OnnxNode;
import dev.heed.onnx.OnnxTensor;
import dev.heed.onnx.ProtoWriter;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * One random {@code Attention} node with its inputs. The seed determines the whole case, so the name is sufficient to
 * repeat it.
 *
 * @param seed the seed of the random numbers
 * @param attributes the node's attributes
 * @param inputs all inputs in the operator's order; null for an omitted input
 * @param outputs the number of requested outputs, 1 to 4
 */
record OnnxRuntimeCase(long seed, Map<String, Object> attributes, List<@Nullable Tensor> inputs, int outputs) {
    static final long OPSET = 24;
    private static final List<String> INPUTS =
            List.of("Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen");
    private static final List<String> OUTPUTS = List.of("Y", "present_key", "present_value", "qk_matmul_output");

    static OnnxRuntimeCase random(long seed) {
        var random = new Random(seed * 7919);
        Map<String, Object> attributes = new LinkedHashMap<>();
        int batch = 1 + random.nextInt(3);
        int kvHeads = 1 + random.nextInt(3);
        int heads = kvHeads * (1 + random.nextInt(3));
        int queries = 1 + random.nextInt(9);
        int keys = random.nextInt(3) == 0 ? queries : 1 + random.nextInt(17);
        int width = 1 + random.nextInt(21);
        int valueWidth = random.nextBoolean() ? width : 1 + random.nextInt(21);
        int past = random.nextInt(3) == 0 ? 1 + random.nextInt(7) : 0;
        boolean packed = random.nextBoolean();
        if (packed) {
            attributes.put("q_num_heads", (long) heads);
            attributes.put("kv_num_heads", (long) kvHeads);
        }
        if (random.nextInt(3) == 0) {
            attributes.put("is_causal", 1L);
        }
        if (random.nextInt(3) == 0) {
            attributes.put("scale", 0.05f + random.nextFloat());
        }
        if (random.nextInt(3) == 0) {
            attributes.put("softcap", 0.5f + 3 * random.nextFloat());
        }
        boolean scores = random.nextBoolean();
        if (scores) {
            attributes.put("qk_matmul_output_mode", (long) random.nextInt(4));
        }
        List<@Nullable Tensor> inputs = new ArrayList<>();
        inputs.add(rows(random, packed, batch, heads, queries, width));
        inputs.add(rows(random, packed, batch, kvHeads, keys, width));
        inputs.add(rows(random, packed, batch, kvHeads, keys, valueWidth));
        inputs.add(mask(random, batch, heads, queries, past + keys));
        inputs.add(past == 0 ? null : normal(random, batch, kvHeads, past, width));
        inputs.add(past == 0 ? null : normal(random, batch, kvHeads, past, valueWidth));
        inputs.add(past > 0 || random.nextInt(3) > 0 ? null : lengths(random, batch, keys));
        return new OnnxRuntimeCase(seed, attributes, inputs, scores ? 4 : past > 0 || random.nextBoolean() ? 3 : 1);
    }

    private static Tensor rows(Random random, boolean packed, long batch, long heads, long length, long width) {
        return packed ? normal(random, batch, length, heads * width) : normal(random, batch, heads, length, width);
    }

    private static Tensor normal(Random random, long... shape) {
        Tensor tensor = Tensor.zeros(DType.F32, shape);
        for (long i = 0; i < tensor.elementCount(); i++) {
            tensor.put(i, random.nextGaussian());
        }
        return tensor;
    }

    private static @Nullable Tensor mask(Random random, long batch, long heads, long queries, long keys) {
        int kind = random.nextInt(3);
        if (kind == 0) {
            return null;
        }
        long[] shape = switch (random.nextInt(4)) {
            case 0 -> new long[] {queries, keys};
            case 1 -> new long[] {heads, queries, keys};
            case 2 -> new long[] {batch, 1, queries, keys};
            default -> new long[] {batch, heads, queries, keys};
        };
        Tensor mask = Tensor.zeros(kind == 1 ? DType.BOOL : DType.F32, shape);
        for (long i = 0; i < mask.elementCount(); i++) {
            boolean hidden = random.nextInt(4) == 0;
            mask.put(i, kind == 1 ? (hidden ? 0 : 1) : hidden ? Double.NEGATIVE_INFINITY : random.nextGaussian());
        }
        return mask;
    }

    private static Tensor lengths(Random random, int batch, int keys) {
        Tensor lengths = Tensor.zeros(DType.I64, batch);
        for (int b = 0; b < batch; b++) {
            lengths.set(random.nextInt(keys + 1), b);
        }
        return lengths;
    }

    // ---------------------------------------------------------------- the case as a node

    Map<String, Tensor> named() {
        Map<String, Tensor> named = new LinkedHashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
            Tensor tensor = inputs.get(i);
            if (tensor != null) {
                named.put(INPUTS.get(i), tensor);
            }
        }
        return named;
    }

    byte[] model() {
        Map<String, DType> types = new HashMap<>();
        named().forEach((name, tensor) -> types.put(name, tensor.type()));
        List<String> names = new ArrayList<>(INPUTS);
        names.replaceAll(name -> types.containsKey(name) ? name : "");
        return ProtoWriter.model("Attention", OPSET, attributes, names, OUTPUTS.subList(0, outputs), types);
    }

    /** {@return the outputs that Heed computes, in the operator's order} */
    List<Tensor> compute(AttentionBackend backend) {
        OnnxNode node = OnnxModel.read(model(), toString()).nodes().getFirst();
        List<@Nullable OnnxTensor> stored = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            Tensor tensor = inputs.get(i);
            stored.add(
                    tensor == null ? null : OnnxTensor.read(ProtoWriter.tensor(INPUTS.get(i), tensor), INPUTS.get(i)));
        }
        List<Tensor> computed = new ArrayList<>();
        for (NodeOperator.Computed output : new AttentionNode().compute(node, OPSET, stored, backend)) {
            if (output != null) {
                computed.add(output.tensor());
            }
        }
        return computed.subList(0, outputs);
    }

    boolean isCausalWithOneQueryAfterAPastAndSeveralNewKeys() {
        return attributes.containsKey("is_causal") && inputs.get(4) != null && length(0) == 1 && length(1) > 1;
    }

    boolean keepsModifiedScores() {
        return Long.valueOf(2).equals(attributes.get("qk_matmul_output_mode"));
    }

    private long length(int input) {
        Tensor tensor = inputs.get(input);
        return tensor == null ? 0 : tensor.size(-2);
    }

    static String output(int index) {
        return OUTPUTS.get(index);
    }

    /** {@return the seed and all parameters of the computation, for the name of a test} */
    @Override
    public String toString() {
        var text = new StringBuilder(String.format(Locale.ROOT, "seed %d:", seed));
        named().forEach((name, tensor) ->
                text.append(' ').append(name).append(' ').append(tensor));
        return text.append(' ').append(attributes).toString();
    }
}
