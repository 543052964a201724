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
 * Splits sentences into the pieces of a vocabulary, as a {@code tokenizer.json} says (WordPiece, Wu et al. 2016).
 * Nothing is truncated or padded, whatever the file says: how much fits is the model's to say.
 *
 * <p>The work is done by the library {@code ai.djl.huggingface:tokenizers}. Its native code, 15 MB, is unpacked once
 * into {@code .djl.ai} under the home directory, or under the temporary directory where the home cannot be written;
 * {@code DJL_CACHE_DIR}, a system property or an environment variable, names another place.
 */
public final class BertTokenizer implements AutoCloseable {
    private static final String LIBRARY = "ai.djl.huggingface:tokenizers";

    // Left alone, the library asks the network what machine this is, and downloads a CUDA build where there is CUDA.
    private static final String OFFLINE = "ai.djl.offline";

    private final HuggingFaceTokenizer tokenizer;

    private BertTokenizer(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * {@return a tokenizer read from a {@code tokenizer.json} file}
     *
     * @throws InvalidInputException if the file cannot be read or describes no BERT tokenizer
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
     * @param json the text; it is read to its end and left open
     * @param source what to call it in messages
     * @throws InvalidInputException if it cannot be read or describes no BERT tokenizer
     */
    public static BertTokenizer read(InputStream json, String source) {
        BertTokenizer tokenizer;
        try {
            tokenizer = new BertTokenizer(offline(json));
        } catch (IOException e) {
            throw unreadable(source, e);
        } catch (LinkageError | AssertionError e) { // the latter on an operating system that the library does not know
            throw because(e, noLibrary(e));
        } catch (RuntimeException e) {
            // The library's own exceptions are about itself; what its parser says of the text arrives as a bare one.
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

    /** The switch is the whole process's, so it is put back: other users of the library may want the network. */
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
     * {@return the pieces of a sentence, with those that the model wants around it}
     *
     * @throws InvalidInputException if nothing of the sentence is left to read
     */
    public List<BertToken> encode(String sentence) {
        List<BertToken> pieces = pieces(sentence);
        requireWord(sentence, pieces, 0);
        return pieces;
    }

    /**
     * {@return the pieces of two texts that the model reads together, such as a question and a passage, with those that
     * it wants around and between them; the pieces of the second have segment 1}
     *
     * @throws InvalidInputException if nothing of one of them is left to read
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
                    sentence.isEmpty() ? "nothing" : sentence.length() + " characters of white space or control",
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

    /** Gives back the native tokenizer. */
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
                source + " is damaged, or describes no BERT tokenizer",
                "the tokenizer.json of a BERT model, [CLS] and [SEP] around every sentence",
                got,
                "fetch the file again and compare its size");
    }

    private static InvalidInputException noLibrary(Throwable e) {
        if (cause(e) instanceof IllegalCallerException denied) {
            return new InvalidInputException(
                    "The JVM denies native access to the library " + LIBRARY,
                    "native access for the code of the class path",
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
