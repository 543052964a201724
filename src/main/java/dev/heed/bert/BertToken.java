package dev.heed.bert;

/**
 * One token of a sentence: a word, a piece of a word, a punctuation mark or a special token.
 *
 * @param text the token as spelled in the vocabulary: {@code street}, {@code ##ing}, {@code [CLS]}
 * @param id the index of the token in the vocabulary, from 0
 * @param segment the index of its text in a pair of texts, 0 or 1; 0 for a single sentence
 * @param special whether the tokenizer added the token around the sentence
 */
public record BertToken(String text, int id, int segment, boolean special) {

    private static final String CONTINUATION = "##";

    /** {@return whether the token continues the word of the token before it} */
    public boolean isContinuation() {
        // The tokenizer splits punctuation off words, so only continuations begin with two number signs (#).
        return !special && text.startsWith(CONTINUATION);
    }
}
