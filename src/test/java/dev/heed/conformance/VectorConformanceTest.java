package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.backend.vector.VectorBackend;

/** Runs the published cases on the vector backend. */
class VectorConformanceTest extends ConformanceContract {
    @Override
    protected AttentionBackend backend() {
        return new VectorBackend(2);
    }
}
