package dev.heed.backend.vector;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;

/** The contract with more threads than most calls have tasks. */
class VectorBackendSevenThreadTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new VectorBackend(7);
    }
}
