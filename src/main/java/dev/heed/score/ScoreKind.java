package dev.heed.score;

/** The kinds of {@link ScoreFunction}, each with its word in case strings. */
public enum ScoreKind {
    /** {@code s.h} */
    DOT("dot", "", false),
    /** {@code s.h / sqrt(headDim)}, or {@code s.h} times another factor */
    SCALED_DOT("scaled-dot", "[number]", false),
    /** {@code beta cos(s, h)} */
    COSINE("cosine", "[number | learned,sizes]", false),
    /** {@code s' W h} */
    GENERAL("general", "[heads]", true),
    /** {@code (s W)_j} for key {@code j} */
    LOCATION("location", "longest[,heads]", true),
    /** {@code v.tanh(s W + h U + b)} */
    ADDITIVE("additive", "hidden[,bias][,heads] | plain[,heads]", true),
    /** {@code v.tanh([s; h] W)} */
    CONCAT("concat", "hidden[,heads]", true),
    /** {@code -w^2 |s - h|^2 / 2} */
    GAUSSIAN("gaussian", "number | learned[,heads]", false),
    /** a caller's function */
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

    /** {@return the syntax of the text that follows the word and a colon; empty if no text may follow} */
    String grammar() {
        return grammar;
    }

    /** {@return whether keyHeadDim may differ from headDim} */
    public boolean twoWidths() {
        return twoWidths;
    }
}
