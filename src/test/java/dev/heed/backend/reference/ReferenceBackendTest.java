package dev.heed.backend.reference;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import org.junit.jupiter.api.Tag;

@Tag("slow")
class ReferenceBackendTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new ReferenceBackend();
    }
}
