package dev.heed.backend.reference;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;

class ReferenceBackendTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new ReferenceBackend();
    }
}
