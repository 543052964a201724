package dev.heed.bert;

import dev.heed.onnx.OnnxModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The real model and its tokenizer, read once for all tests of the process. */
final class Loaded {
    static final byte[] MODEL_FILE = resource("all-minilm-l6-v2.onnx");
    static final byte[] TOKENIZER_FILE = resource("all-minilm-l6-v2-tokenizer.json");
    static final OnnxModel GRAPH = OnnxModel.read(MODEL_FILE, "all-minilm-l6-v2.onnx");
    static final BertModel MODEL = BertModel.of(GRAPH);
    static final BertTokenizer TOKENIZER = MiniLm.tokenizer();

    private Loaded() {}

    private static byte[] resource(String name) {
        try (InputStream stream = Loaded.class.getResourceAsStream("/" + name)) {
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
