package dev.heed.bert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BertTokenizerTest {
    // Token ids of the vocabulary "bert-base-uncased", which all uncased BERT models share.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            the animal didn't cross the street because it was too tired . \
            | 1996 4111 2134 1005 1056 2892 1996 2395 2138 2009 2001 2205 5458 1012
            Hello, World! | 7592 1010 2088 999
            HELLO hello HeLLo | 7592 7592 7592
            unaffordable | 14477 4246 8551 3085
            naïve | 15743
            東京 | 1879 1755
            [MASK] | 103
            """)
    void knownSentences(String sentence, String ids) {
        int[] expected = Arrays.stream(("101 " + ids + " 102").split(" "))
                .mapToInt(Integer::parseInt)
                .toArray();
        List<BertToken> tokens = Loaded.TOKENIZER.encode(sentence);
        assertArrayEquals(expected, tokens.stream().mapToInt(BertToken::id).toArray());
        assertTrue(tokens.stream().allMatch(token -> token.segment() == 0));
    }

    @Test
    void twoTexts() {
        List<BertToken> tokens = Loaded.TOKENIZER.encode("who slept?", "the cat");
        assertEquals(
                List.of("[CLS]", "who", "slept", "?", "[SEP]", "the", "cat", "[SEP]"),
                tokens.stream().map(BertToken::text).toList());
        assertArrayEquals(
                new int[] {0, 0, 0, 0, 0, 1, 1, 1},
                tokens.stream().mapToInt(BertToken::segment).toArray());
        assertThrows(InvalidInputException.class, () -> Loaded.TOKENIZER.encode("", "cat"));
        assertThrows(InvalidInputException.class, () -> Loaded.TOKENIZER.encode("cat", "\n"));
    }

    @Test
    void tellsSpecialTokensAndContinuations() {
        List<BertToken> tokens = Loaded.TOKENIZER.encode("unaffordable ##s");
        assertEquals(
                List.of("[CLS]", "una", "##ff", "##ord", "##able", "#", "#", "s", "[SEP]"),
                tokens.stream().map(BertToken::text).toList());
        assertEquals(
                List.of("##ff", "##ord", "##able"),
                tokens.stream()
                        .filter(BertToken::isContinuation)
                        .map(BertToken::text)
                        .toList());
        assertEquals(
                List.of("[CLS]", "[SEP]"),
                tokens.stream().filter(BertToken::special).map(BertToken::text).toList());
    }

    @Test
    void ignoresTheTruncationAndThePaddingOfTheFile() {
        assertEquals(3, Loaded.TOKENIZER.encode("word").size());
        assertEquals(702, Loaded.TOKENIZER.encode("word ".repeat(700)).size());
    }

    @Test
    void whatTheVocabularyLacksIsUnknown() {
        assertEquals("[UNK]", Loaded.TOKENIZER.encode("\uD83D\uDE00").get(1).text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  \t\n", "\u0001\u200B"})
    void anEmptySentenceIsRefused(String sentence) {
        var refusal = assertThrows(InvalidInputException.class, () -> Loaded.TOKENIZER.encode(sentence));
        assertTrue(refusal.getMessage().startsWith("The sentence is empty"), refusal.getMessage());
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.001, 0.3, 0.999999})
    void aTruncatedFileIsRefused(double part) {
        refused(Arrays.copyOf(Loaded.TOKENIZER_FILE, (int) (part * Loaded.TOKENIZER_FILE.length)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[1, 2]",
                "{\"model\": {\"type\": \"WordPiece\"}}",
                // A tokenizer that adds no special tokens around a sentence.
                "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 0, \"u\": 1}, \"unk_token\": \"u\","
                        + " \"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 100}}"
            })
    void anotherFileIsRefused(String json) {
        refused(json.getBytes(StandardCharsets.UTF_8));
    }

    private static void refused(byte[] json) {
        var refusal = assertThrows(
                InvalidInputException.class, () -> BertTokenizer.read(new ByteArrayInputStream(json), "broken.json"));
        assertTrue(refusal.getMessage().startsWith("broken.json is damaged"), refusal.getMessage());
    }

    @Test
    void readsAFile(@TempDir Path folder) throws Exception {
        Path file = Files.write(folder.resolve("tokenizer.json"), Loaded.TOKENIZER_FILE);
        try (BertTokenizer tokenizer = BertTokenizer.read(file)) {
            assertEquals(7592, tokenizer.encode("hello").get(1).id());
        }
        Path missing = folder.resolve("missing.json");
        var refusal = assertThrows(InvalidInputException.class, () -> BertTokenizer.read(missing));
        assertTrue(refusal.getMessage().contains("NoSuchFileException"), refusal.getMessage());
    }

    @Test
    void leavesTheSystemPropertiesAsTheyWere() {
        var before = new Properties();
        before.putAll(System.getProperties());
        BertTokenizer.read(new ByteArrayInputStream(Loaded.TOKENIZER_FILE), "tokenizer.json")
                .close();
        assertEquals(before, System.getProperties());
    }
}
