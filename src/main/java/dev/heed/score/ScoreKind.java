package dev.heed.score;

/** The kinds of {@link ScoreFunction}, by the words that case strings use. */
public enum ScoreKind {
    /** {@code s.h} */
    DOT("dot", "", false),
    /** {@code s.h / sqrt(headDim)}, or another factor */
    SCALED_DOT("scaled-dot", "[number]", false),
    /** {@code beta cos(s, h)} */
    COSINE("cosine", "[number | learned,sizes]", false),
    /** {@code s' W h} */
    GENERAL("general", "[heads]", true),
    /** row {@code t} of {@code W s_t} */
    LOCATION("location", "longest[,heads]", true),
    /** {@code v.tanh(s W + h U + b)} */
    ADDITIVE("additive", "hidden[,bias][,heads] | plain[,heads]", true),
    /** {@code v.tanh([s; h] W)} */
    CONCAT("concat", "hidden[,heads]", true),
    /** {@code -w^2 |s - h|^2 / 2} */
    GAUSSIAN("gaussian", "number | learned[,heads]", false),
    /** a function of the caller */
    CUSTOM("custom", "name", true);

    private final String label;
    private final String grammar;
    private final boolean twoWidths;

    ScoreKind(String label, String grammar, boolean twoWidths) {
        this.label = label;
        this.grammar = grammar;
        this.twoWidths = twoWidths;
    }

    /** {@return the word in case strings} */
    public String label() {
        return label;
    }

    /** What may follow the word. */
    String grammar() {
        return grammar;
    }

    /** {@return whether a key may be wider or narrower than a query} */
    public boolean twoWidths() {
        return twoWidths;
    }
}
