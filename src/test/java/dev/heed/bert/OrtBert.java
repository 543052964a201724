package dev.heed.bert;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A session of ONNX Runtime with the model file. Its additional outputs are the attention weights of every layer. */
final class OrtBert implements AutoCloseable {
    /** The outputs of ONNX Runtime for a sentence, row-major. */
    record Answer(float[] hidden, List<float[]> weights) {}

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final int layers;

    OrtBert(byte[] modelFile, int layers) throws OrtException {
        this.layers = layers;
        this.session = environment.createSession(withWeights(modelFile, layers), new OrtSession.SessionOptions());
    }

    Answer run(List<BertToken> tokens) throws OrtException {
        long[][] ids = {tokens.stream().mapToLong(BertToken::id).toArray()};
        long[][] segments = {tokens.stream().mapToLong(BertToken::segment).toArray()};
        long[][] mask = {tokens.stream().mapToLong(token -> 1).toArray()};
        try (var idTensor = OnnxTensor.createTensor(environment, ids);
                var maskTensor = OnnxTensor.createTensor(environment, mask);
                var segmentTensor = OnnxTensor.createTensor(environment, segments);
                var result = session.run(
                        Map.of("input_ids", idTensor, "attention_mask", maskTensor, "token_type_ids", segmentTensor))) {
            List<float[]> weights = new ArrayList<>();
            for (int layer = 0; layer < layers; layer++) {
                weights.add(floats(result, weightsOf(layer)));
            }
            return new Answer(floats(result, "last_hidden_state"), weights);
        }
    }

    private static float[] floats(OrtSession.Result result, String output) {
        var buffer = ((OnnxTensor) result.get(output).orElseThrow()).getFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    private static String weightsOf(int layer) {
        return "/encoder/layer." + layer + "/attention/self/Softmax_output_0";
    }

    /**
     * Adds outputs to the model by appending another graph field, because protobuf merges repeated occurrences of a
     * message field.
     */
    private static byte[] withWeights(byte[] modelFile, int layers) {
        var outputs = new ByteArrayOutputStream();
        for (int layer = 0; layer < layers; layer++) {
            outputs.writeBytes(field(12, field(1, weightsOf(layer).getBytes(StandardCharsets.UTF_8))));
        }
        var model = new ByteArrayOutputStream(modelFile.length + 1024);
        model.writeBytes(modelFile);
        model.writeBytes(field(7, outputs.toByteArray()));
        return model.toByteArray();
    }

    private static byte[] field(int number, byte[] message) {
        var bytes = new ByteArrayOutputStream();
        bytes.write(number << 3 | 2);
        for (int rest = message.length; ; rest >>>= 7) {
            bytes.write(rest < 128 ? rest : rest & 127 | 128);
            if (rest < 128) {
                break;
            }
        }
        bytes.writeBytes(message);
        return bytes.toByteArray();
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}
