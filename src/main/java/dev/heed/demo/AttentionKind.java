package dev.heed.demo;

import dev.heed.layer.Alignment;
import dev.heed.layer.HardAlignment;
import dev.heed.layer.Initial;
import dev.heed.layer.LocalAlignment;
import dev.heed.layer.ScoredAlignment;
import dev.heed.score.ScoreFunction;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The attentions that a translator can be trained with. */
public enum AttentionKind {
    /** Additive, from the state before the step. */
    BAHDANAU,
    /** None: the encoder's last state at every step. */
    NONE,
    /** Dot product, from the state after the step. */
    LUONG_DOT,
    /** Bilinear. */
    GENERAL,
    /** Additive over query and key one above the other. */
    CONCAT,
    /** By the place of a character alone. */
    LOCATION,
    /** Dot product near a predicted place. */
    LOCAL_P,
    /** The one character with the largest dot product. */
    HARD;

    /** How far local attention sees on either side. */
    private static final long WINDOW = 4;

    /** {@return the word for it on the command line} */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@return the kind with a word} */
    public static Optional<AttentionKind> of(String word) {
        return Arrays.stream(values()).filter(kind -> kind.word().equals(word)).findFirst();
    }

    Alignment create(Initial initial, int width, int hidden, int longest) {
        return switch (this) {
            case BAHDANAU ->
                new ScoredAlignment(ScoreFunction.additive(
                        initial.glorot(width, hidden),
                        initial.glorot(width, hidden),
                        initial.zeros(hidden),
                        initial.glorot(hidden, 1).reshape(hidden)));
            case NONE -> Alignment.none();
            case LUONG_DOT -> new ScoredAlignment(ScoreFunction.dot());
            case GENERAL -> new ScoredAlignment(ScoreFunction.general(initial.glorot(width, width)));
            case CONCAT ->
                new ScoredAlignment(ScoreFunction.concat(
                        initial.glorot(2L * width, hidden),
                        initial.glorot(hidden, 1).reshape(hidden)));
            case LOCAL_P ->
                new LocalAlignment(
                        initial.glorot(width, hidden), initial.glorot(hidden, 1).reshape(hidden), WINDOW);
            case HARD -> new HardAlignment();
            case LOCATION -> new ScoredAlignment(ScoreFunction.location(initial.glorot(width, longest)));
        };
    }
}
