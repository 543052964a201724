package dev.heed.conformance;

import dev.heed.AttentionBackend;

/** A published test case: inputs, an operation, and the outputs that another library computed. */
public sealed interface ConformanceCase permits OnnxCase, ClassicCase {
    /** {@return the name, unique in its suite} */
    String name();

    /** {@return the outcome of the case on a backend} Exceptions are not thrown but become part of the outcome. */
    Outcome run(AttentionBackend backend);
}
