package dev.heed.backend.vector;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;

/** The contract with the caller's thread alone. */
class VectorBackendOneThreadTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new VectorBackend(1);
    }
}
