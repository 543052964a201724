package dev.heed;

/** How far the scores have come on their way to the softmax, for callers who want to see them. */
public enum ScoreStage {
    /** Straight from the score function, scale included. */
    SCORE,
    /** After the softcap. */
    SOFTCAPPED,
    /** After bias and mask, as the softmax sees them; minus infinity where masked. */
    MODIFIED
}
