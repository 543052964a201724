package dev.heed.backend.vector;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import org.junit.jupiter.api.Tag;

/** The backend contract on one thread, the calling thread. */
@Tag("slow")
class VectorBackendOneThreadTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new VectorBackend(1);
    }
}
