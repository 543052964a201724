package dev.heed.verify;

import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of one case.
 *
 * @param checked the case
 * @param status whether it passed
 * @param measures each tensor's distance from the truth; empty if skipped or stopped by an exception
 * @param message why it was skipped or failed; empty if it passed
 * @param nanos the backend's shortest time for the forward pass (and the backward pass, if checked)
 * @param medianNanos its median time over the repeats
 */
public record Verdict(
        Case checked, Status status, List<Measure> measures, String message, long nanos, long medianNanos) {

    /** Whether a case passed. */
    public enum Status {
        /** Every tensor is within its budget. */
        PASS,
        /** A tensor is not, a gap was written to, or the backend threw. */
        FAIL,
        /** The backend said no; its reasons are the message. */
        SKIP
    }

    /** Copies the measures. */
    public Verdict {
        measures = List.copyOf(measures);
    }

    /** {@return the measure that came closest to its limit, or went furthest beyond; null if there is none} */
    public @Nullable Measure worst() {
        return measures.stream()
                .max(Comparator.comparingDouble(m ->
                        m.allowed() == 0 ? (m.maxError() == 0 ? 0 : Double.MAX_VALUE) : m.maxError() / m.allowed()))
                .orElse(null);
    }

    @Override
    public String toString() {
        return status + " " + checked + (message.isEmpty() ? "" : " " + message);
    }
}
