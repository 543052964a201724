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

/** The kinds of attention that a date translator can be trained with. */
public enum AttentionKind {
    /** Additive scores; the query is the state before the step. */
    BAHDANAU,
    /** No attention: the context is the encoder's last state at every step. */
    NONE,
    /** Dot product scores; the query is the state after the step, as in the kinds below. */
    LUONG_DOT,
    /** Bilinear scores. */
    GENERAL,
    /** Additive scores of the concatenated query and key. */
    CONCAT,
    /** Scores that depend on the query and the position of a character, not on the character. */
    LOCATION,
    /** Local attention with dot product scores near a predicted position. */
    LOCAL_P,
    /** Hard attention to the character with the largest dot product. */
    HARD;

    /** Number of characters that local attention attends to on each side of the predicted position. */
    private static final long WINDOW = 4;

    /** {@return the name of the kind on the command line} */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@return the kind with a name on the command line} */
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
