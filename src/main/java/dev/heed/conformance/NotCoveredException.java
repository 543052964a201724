package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.Problem;
import java.util.ArrayList;
import java.util.List;

/** A case asks for something that is not there to be tested: the case is skipped, with the message as the reason. */
final class NotCoveredException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotCoveredException(String reason) {
        super(reason, null, false, false);
    }

    /** Skips the case if the backend says no. */
    static void requireSupported(AttentionBackend backend, Problem problem) {
        List<String> reasons = new ArrayList<>(backend.notReadyReasons());
        if (reasons.isEmpty()) {
            reasons.addAll(backend.notSupportedReasons(problem));
        }
        if (!reasons.isEmpty()) {
            throw new NotCoveredException(backend.name() + ": " + String.join("; ", reasons));
        }
    }
}
