package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.Problem;
import java.util.ArrayList;
import java.util.List;

/** Reports that a case requires an unsupported feature; the case is skipped with the message as the reason. */
final class NotCoveredException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotCoveredException(String reason) {
        super(reason, null, false, false);
    }

    /** Skips the case if the backend does not support the problem. */
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
