package dev.heed;

/** A stage of the computation at which scores can be written as an optional output. */
public enum ScoreStage {
    /** Directly after the score function, scale included. */
    SCORE,
    /** After the softcap. */
    SOFTCAPPED,
    /** After bias, ALiBi and mask, as the input of the softmax; minus infinity for masked keys. */
    MODIFIED
}
