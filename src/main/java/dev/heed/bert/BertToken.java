package dev.heed.bert;

/**
 * One piece of a sentence, as the model reads it.
 *
 * @param text the piece as the vocabulary writes it: {@code street}, {@code ##ing}, {@code [CLS]}
 * @param id its row in the vocabulary
 * @param segment which sentence of a pair it belongs to; 0 for a single sentence
 * @param special whether the tokenizer added it around the sentence
 */
public record BertToken(String text, int id, int segment, boolean special) {

    private static final String CONTINUATION = "##";

    /** {@return whether it continues the word of the piece before it} */
    public boolean isContinuation() {
        // Punctuation is split off word by word, so no word of a sentence begins with two number signs itself.
        return !special && text.startsWith(CONTINUATION);
    }
}
