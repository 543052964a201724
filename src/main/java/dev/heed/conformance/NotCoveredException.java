package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.Problem;
import java.util.ArrayList;
import java.util.List;

/**
 * Reports that a case requires an unsupported feature; the case is skipped, with the message of the exception as the
 * reason.
 */
final class NotCoveredException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotCoveredException(String reason) {
        super(reason, null, false, false);
    }

    /** Throws this exception if the backend is not ready or does not support the problem. */
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
