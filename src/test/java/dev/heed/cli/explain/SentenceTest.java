package dev.heed.cli.explain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.bert.BertToken;
import dev.heed.cli.explain.Sentence.Word;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SentenceTest {
    private static List<BertToken> tokens(String text) {
        return Stream.of(text.split(" "))
                .map(piece -> new BertToken(piece, 0, 0, piece.equals("[CLS]") || piece.equals("[SEP]")))
                .toList();
    }

    private static final Sentence SENTENCE = new Sentence(tokens("[CLS] the token ##ization of the didn ' t . [SEP]"));

    @Test
    void piecesMakeWords() {
        assertEquals(
                List.of("the", "tokenization", "of", "the", "didn", "'", "t", "."),
                SENTENCE.words().stream().map(Word::text).toList());
        assertEquals(new Word("tokenization", 2, 3), SENTENCE.words().get(1));
    }

    @Test
    void findsWholeWordsOnly() {
        assertEquals(new Word("tokenization", 2, 3), SENTENCE.find("x", tokens("token ##ization"), 1));
        assertEquals(new Word("the", 5, 5), SENTENCE.find("the", tokens("the"), 2));
        assertEquals(new Word("didn't", 6, 8), SENTENCE.find("didn't", tokens("didn ' t"), 1));
        assertThrows(InvalidInputException.class, () -> SENTENCE.find("token", tokens("token"), 1));
        assertThrows(InvalidInputException.class, () -> SENTENCE.find("", List.of(), 1));
        assertThrows(InvalidInputException.class, () -> SENTENCE.find("x", tokens(". [SEP] [SEP]"), 1));
        var missing = assertThrows(InvalidInputException.class, () -> SENTENCE.find("the", tokens("the"), 3));
        assertTrue(missing.oneLine().contains("got the 2 times"), missing.oneLine());
    }

    @Test
    void attentionOfWordsSumsToOne() {
        Sentence sentence = new Sentence(tokens("[CLS] it un ##likely [SEP]"));
        float[] weights = {
            1, 0, 0, 0, 0, .5f, .1f, .25f, .1f, .05f, .2f, .2f, .2f, .2f, .2f, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1,
        };
        var links = new WordLinks(sentence, List.of(Tensor.of(weights, 1, 5, 5)));
        Word it = sentence.words().get(0);
        Word unlikely = sentence.words().get(1);
        assertEquals(0.35, links.weight(0, 0, it, unlikely), 1e-6);
        assertEquals(0.6, links.weight(0, 0, unlikely, it), 1e-6);
        WordLinks.WordFocus wordFocus = links.wordFocus(0, unlikely);
        assertEquals(0.6, wordFocus.onWords(), 1e-6);
        assertEquals(0.2, wordFocus.onItself(), 1e-6);
        assertEquals(0.2, wordFocus.onSpecial(), 1e-6);
        assertEquals(it, links.mostInteresting());
        assertEquals(1, links.from(it).size());
    }

    @Test
    void withoutItTheWordWithTheStrongestLinkIsTaken() {
        Sentence sentence = new Sentence(tokens("[CLS] a b . [SEP]"));
        float[] weights = {
            1, 0, 0, 0, 0,
            0, .9f, .1f, 0, 0,
            0, .3f, .7f, 0, 0,
            0, 1, 0, 0, 0,
            1, 0, 0, 0, 0,
        };
        var links = new WordLinks(sentence, List.of(Tensor.of(weights, 1, 5, 5)));
        assertEquals("b", links.mostInteresting().text());
        var alone = new Sentence(tokens("[CLS] . [SEP]"));
        assertEquals(
                ".",
                new WordLinks(alone, List.of(Tensor.of(new float[9], 1, 3, 3)))
                        .mostInteresting()
                        .text());
    }
}
