package dev.heed.conformance;

import dev.heed.AttentionBackend;

/** Inputs, what to do with them, and the outputs somebody else computed. */
public sealed interface ConformanceCase permits OnnxCase, ClassicCase {
    /** {@return the name, unique in its suite} */
    String name();

    /** {@return what became of the case on a backend} Throws nothing: what goes wrong is the outcome. */
    Outcome run(AttentionBackend backend);
}
