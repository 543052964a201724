package dev.heed.backend.vector;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;

/** The contract on two threads; {@code -Dheed.vector.bits=128} and the like force the width. */
class VectorBackendTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new VectorBackend(2);
    }
}
