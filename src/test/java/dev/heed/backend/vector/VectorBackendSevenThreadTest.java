package dev.heed.backend.vector;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import org.junit.jupiter.api.Tag;

/** The backend contract on seven threads; most calls have fewer tasks. */
@Tag("slow")
class VectorBackendSevenThreadTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new VectorBackend(7);
    }
}
