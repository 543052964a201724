package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The backend contract on plain loops. A process has only one kind of loops, so {@link ScalarBackendTest} runs this class
 * in a separate process.
 */
class ScalarContract extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new ScalarBackend(2);
    }

    @Test
    void isReadyHere() {
        assertEquals(List.of(), new ScalarBackend().notReadyReasons());
    }
}
