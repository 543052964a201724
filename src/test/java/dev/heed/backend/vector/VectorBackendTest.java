package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The backend contract on two threads. {@code -Dheed.vector.bits=128} runs it with 128-bit vectors. */
@Tag("slow")
class VectorBackendTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new VectorBackend(2);
    }

    /**
     * The build passes the flag for the Vector API. If the flag were lost, the whole contract would be skipped without a
     * failure.
     */
    @Test
    void isReadyHere() {
        assertEquals(List.of(), new VectorBackend().notReadyReasons());
    }
}
