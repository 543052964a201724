package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.AttentionBackend;
import dev.heed.AttentionBackendContract;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract on two threads; {@code -Dheed.vector.bits=128} and the like force the width. */
@Tag("slow")
class VectorBackendTest extends AttentionBackendContract {
    @Override
    protected AttentionBackend backend() {
        return new VectorBackend(2);
    }

    /** This build passes the flag; were it lost, all of the contract would be skipped and nothing would be red. */
    @Test
    void isReadyHere() {
        assertEquals(List.of(), new VectorBackend().notReadyReasons());
    }
}
