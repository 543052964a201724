package dev.heed.bert;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A tokenizer that splits sentences into the tokens of a vocabulary, as defined by a {@code tokenizer.json} (WordPiece,
 * Wu et al. 2016). The tokenizer never truncates or pads, regardless of the settings in the file: the model limits the
 * number of tokens.
 *
 * <p>The class uses the library {@code ai.djl.huggingface:tokenizers}. Its native code, 15 MB, is unpacked once into
 * {@code .djl.ai} under the home directory, or under the temporary directory if the home directory is not writable. The
 * system property or environment variable {@code DJL_CACHE_DIR} sets another directory.
 */
public final class BertTokenizer implements AutoCloseable {
    private static final String LIBRARY = "ai.djl.huggingface:tokenizers";

    // Without this property, the library sends a network request to identify the machine, and downloads a CUDA build if
    // CUDA is present.
    private static final String OFFLINE = "ai.djl.offline";

    private final HuggingFaceTokenizer tokenizer;

    private BertTokenizer(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * {@return a tokenizer read from a {@code tokenizer.json} file}
     *
     * @throws InvalidInputException if the file cannot be read or does not describe a BERT tokenizer, or if the library
     *     cannot be used
     */
    public static BertTokenizer read(Path file) {
        try (InputStream json = Files.newInputStream(file)) {
            return read(json, file.toString());
        } catch (IOException e) {
            throw unreadable(file.toString(), e);
        }
    }

    /**
     * {@return a tokenizer read from a {@code tokenizer.json}}
     *
     * @param json the text, read to its end; the stream is not closed
     * @param source name of the stream in error messages
     * @throws InvalidInputException if the text cannot be read or does not describe a BERT tokenizer, or if the library
     *     cannot be used
     */
    public static BertTokenizer read(InputStream json, String source) {
        BertTokenizer tokenizer;
        try {
            tokenizer = new BertTokenizer(offline(json));
        } catch (IOException e) {
            throw unreadable(source, e);
        } catch (LinkageError | AssertionError e) { // AssertionError: unsupported operating system
            throw because(e, noLibrary(e));
        } catch (RuntimeException e) {
            // The exception classes of the library report faults of the library. Faults of the JSON text are reported
            // with other exceptions.
            boolean aboutItself = e.getClass().getName().startsWith("ai.djl.");
            throw because(e, aboutItself ? noLibrary(e) : noTokenizer(source, String.valueOf(e.getMessage())));
        }
        List<BertToken> probe = tokenizer.pieces("a");
        if (probe.size() != 3 || !probe.getFirst().special() || !probe.getLast().special()) {
            tokenizer.close();
            throw noTokenizer(
                    source,
                    "\"a\" becomes " + probe.stream().map(BertToken::text).toList());
        }
        return tokenizer;
    }

    /**
     * Creates the tokenizer offline. The property affects the whole process, so its old value is restored for other users
     * of the library.
     */
    private static synchronized HuggingFaceTokenizer offline(InputStream json) throws IOException {
        String before = System.getProperty(OFFLINE);
        System.setProperty(OFFLINE, "true");
        try {
            return HuggingFaceTokenizer.newInstance(json, Map.of("truncation", "false", "padding", "false"));
        } finally {
            if (before == null) {
                System.clearProperty(OFFLINE);
            } else {
                System.setProperty(OFFLINE, before);
            }
        }
    }

    /**
     * {@return the tokens of a sentence, including the special tokens that the model needs around the sentence}
     *
     * @throws InvalidInputException if the sentence has no words
     */
    public List<BertToken> encode(String sentence) {
        List<BertToken> pieces = pieces(sentence);
        requireWord(sentence, pieces, 0);
        return pieces;
    }

    /**
     * {@return the tokens of two texts that the model reads together, such as a question and a passage} They include the
     * special tokens around and between the texts. The tokens of the second text have segment 1.
     *
     * @throws InvalidInputException if one of the texts has no words
     */
    public List<BertToken> encode(String first, String second) {
        List<BertToken> pieces = pieces(tokenizer.encode(first, second));
        requireWord(first, pieces, 0);
        requireWord(second, pieces, 1);
        return pieces;
    }

    private static void requireWord(String sentence, List<BertToken> pieces, int segment) {
        if (pieces.stream().noneMatch(piece -> !piece.special() && piece.segment() == segment)) {
            throw new InvalidInputException(
                    segment == 0 ? "The sentence is empty" : "The second text is empty",
                    "at least one word",
                    sentence.isEmpty() ? "nothing" : sentence.length() + " characters, all white space or control",
                    "heed explain \"the cat sat on the mat\"");
        }
    }

    private List<BertToken> pieces(String sentence) {
        return pieces(tokenizer.encode(sentence));
    }

    private static List<BertToken> pieces(Encoding encoding) {
        String[] texts = encoding.getTokens();
        long[] ids = encoding.getIds();
        long[] segments = encoding.getTypeIds();
        long[] special = encoding.getSpecialTokenMask();
        List<BertToken> pieces = new ArrayList<>(texts.length);
        for (int i = 0; i < texts.length; i++) {
            pieces.add(new BertToken(texts[i], (int) ids[i], (int) segments[i], special[i] != 0));
        }
        return List.copyOf(pieces);
    }

    /** Closes the native tokenizer. */
    @Override
    public void close() {
        tokenizer.close();
    }

    private static InvalidInputException unreadable(String source, IOException e) {
        return because(
                e,
                new InvalidInputException(
                        "The tokenizer cannot be read",
                        "a tokenizer.json",
                        source + ": " + e.getClass().getSimpleName() + ": " + e.getMessage(),
                        "check the path"));
    }

    private static InvalidInputException noTokenizer(String source, String got) {
        return new InvalidInputException(
                source + " is damaged, or does not describe a BERT tokenizer",
                "the tokenizer.json of a BERT model, [CLS] and [SEP] around every sentence",
                got,
                "fetch the file again and compare its size");
    }

    private static InvalidInputException noLibrary(Throwable e) {
        if (cause(e) instanceof IllegalCallerException denied) {
            return new InvalidInputException(
                    "The JVM denies native access to the library " + LIBRARY,
                    "native access for code on the class path",
                    String.valueOf(denied.getMessage()),
                    "java --enable-native-access=ALL-UNNAMED ...");
        }
        return new InvalidInputException(
                "The library " + LIBRARY + " cannot be used",
                LIBRARY + " on the class path, on Linux, Windows or macOS on Arm, and a folder to unpack it to",
                cause(e).toString(),
                "add the dependency " + LIBRARY + "; -DDJL_CACHE_DIR=FOLDER names the folder");
    }

    private static Throwable cause(Throwable e) {
        return e.getCause() == null ? e : cause(e.getCause());
    }

    private static InvalidInputException because(Throwable cause, InvalidInputException report) {
        report.initCause(cause);
        return report;
    }
}
