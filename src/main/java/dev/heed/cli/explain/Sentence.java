package dev.heed.cli.explain;

import dev.heed.bert.BertToken;
import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The tokens of a sentence and the words they form: a token that begins with {@code ##} continues the word of the token
 * before it. Special tokens are not part of any word.
 */
final class Sentence {
    private final List<BertToken> tokens;
    private final List<Word> words;

    /**
     * Consecutive tokens that are treated as one word.
     *
     * @param text the texts of its tokens, joined without {@code ##}
     * @param first the index of its first token
     * @param last the index of its last token
     */
    record Word(String text, int first, int last) {
        boolean overlaps(Word other) {
            return first <= other.last && other.first <= last;
        }

        boolean isPunctuation() {
            return text.codePoints().noneMatch(Character::isLetterOrDigit);
        }

        int length() {
            return last - first + 1;
        }
    }

    Sentence(List<BertToken> tokens) {
        this.tokens = List.copyOf(tokens);
        List<Word> found = new ArrayList<>();
        for (int i = 0; i < tokens.size(); i++) {
            if (!tokens.get(i).special()) {
                boolean continues = tokens.get(i).isContinuation() && !found.isEmpty();
                found.add(continues ? span(found.removeLast().first, i) : span(i, i));
            }
        }
        this.words = List.copyOf(found);
    }

    private Word span(int first, int last) {
        String text = tokens.subList(first, last + 1).stream()
                .map(token -> token.isContinuation() ? token.text().substring(2) : token.text())
                .collect(Collectors.joining());
        return new Word(text, first, last);
    }

    List<BertToken> tokens() {
        return tokens;
    }

    List<Word> words() {
        return words;
    }

    /** {@return the tokens as labels of a picture} */
    List<String> labels() {
        return tokens.stream().map(BertToken::text).toList();
    }

    /**
     * {@return the words in which a text occurs, as one word} The text must begin and end at word boundaries but may
     * span several words: {@code didn't} spans three.
     *
     * @param text the text to find; used only in the message of the exception
     * @param pieces the tokens of the text, without special tokens
     * @param occurrence which occurrence to return, from 1
     * @throws InvalidInputException if the text occurs fewer than {@code occurrence} times
     */
    Word find(String text, List<BertToken> pieces, int occurrence) {
        int seen = 0;
        for (Word word : words) {
            int end = word.first + pieces.size();
            boolean whole = end <= tokens.size()
                    && (end == tokens.size() || !tokens.get(end).isContinuation());
            if (!pieces.isEmpty()
                    && whole
                    && sameText(tokens.subList(word.first, end), pieces)
                    && ++seen == occurrence) {
                return span(word.first, end - 1);
            }
        }
        throw new InvalidInputException(
                seen == 0 ? "The word does not occur" : "The word does not occur that often",
                (seen == 0 ? "" : occurrence + " times, or ")
                        + "one of "
                        + words.stream().map(Word::text).distinct().collect(Collectors.joining(", ")),
                seen == 0 ? (text.isBlank() ? "nothing" : text) : text + " " + seen + (seen == 1 ? " time" : " times"),
                "--word " + words.getFirst().text());
    }

    private static boolean sameText(List<BertToken> a, List<BertToken> b) {
        return a.stream()
                .map(BertToken::text)
                .toList()
                .equals(b.stream().map(BertToken::text).toList());
    }
}
