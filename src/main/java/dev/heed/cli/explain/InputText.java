package dev.heed.cli.explain;

import dev.heed.bert.BertToken;
import dev.heed.bert.BertTokenizer;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An input text with its tokens, as a model reads it.
 *
 * @param text the original text; two texts are on two lines
 * @param tokens the tokens that the model reads
 * @param omittedTokens the number of tokens that were cut off because the model has no positions for them
 */
record InputText(String text, List<BertToken> tokens, int omittedTokens) {
    /** The file name that means standard input, as in Unix. */
    private static final String STANDARD_INPUT = "-";

    private static final int MAX_FILE_BYTES = 1 << 20;

    InputText {
        tokens = List.copyOf(tokens);
    }

    /**
     * {@return the input for one text, or for two if {@code pair} is not null; the length is not checked here but by
     * the model}
     */
    static InputText of(BertTokenizer tokenizer, String text, @Nullable String pair) {
        return pair == null
                ? new InputText(text, tokenizer.encode(text), 0)
                : new InputText(text + "\n" + pair, tokenizer.encode(text, pair), 0);
    }

    /** {@return this input with at most {@code maxTokens} tokens; the closing special token is kept, the text is not cut} */
    InputText atMost(int maxTokens) {
        if (tokens.size() <= maxTokens) {
            return this;
        }
        List<BertToken> kept = new ArrayList<>(tokens.subList(0, maxTokens - 1));
        kept.add(tokens.getLast());
        return new InputText(text, kept, tokens.size() - maxTokens);
    }

    boolean isPair() {
        return tokens.stream().anyMatch(token -> token.segment() > 0);
    }

    /** {@return a note on the tokens that were left out, empty if there are none} */
    String note() {
        return omittedTokens == 0
                ? ""
                : "only the first " + tokens.size() + " of " + (tokens.size() + omittedTokens)
                        + " tokens: the model reads no more";
    }

    /** {@return the text of a file, or of standard input for {@code -}} */
    static String file(Path file) {
        boolean standard = file.toString().equals(STANDARD_INPUT);
        byte[] bytes;
        try (InputStream in = standard ? System.in : Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_FILE_BYTES + 1);
        } catch (IOException e) {
            throw new CommandFailure(
                    "The text cannot be read, " + ErrorLine.file(e) + ". HINT: --file - reads standard input", e);
        }
        String name = standard ? "standard input" : file.toString();
        if (bytes.length > MAX_FILE_BYTES) {
            throw new InvalidInputException(
                    "The text is too long",
                    "at most " + MAX_FILE_BYTES + " bytes",
                    name + " is longer",
                    "cut the file down to the relevant part");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString()
                    .strip();
        } catch (CharacterCodingException e) {
            throw new InvalidInputException("The text is not in UTF-8", "text in UTF-8", name, "iconv -t UTF-8 FILE");
        }
    }
}
