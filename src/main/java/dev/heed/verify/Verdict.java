package dev.heed.verify;

import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The result of checking one case on a backend.
 *
 * @param checked the case
 * @param status whether the case passed
 * @param measures the error of each tensor; empty if the case was skipped, incomplete if the backend threw
 * @param message the reasons why the case was skipped or failed; empty if it passed
 * @param nanos the backend's shortest time for the forward pass (and the backward pass, if checked), in nanoseconds; 0
 *     if the case was skipped or the backend threw
 * @param medianNanos the backend's median time over the repeats, in nanoseconds; 0 if the case was skipped or the
 *     backend threw
 */
public record Verdict(
        Case checked, Status status, List<Measure> measures, String message, long nanos, long medianNanos) {

    /** The outcome of a check. */
    public enum Status {
        /** Every tensor is within its budget, and the other checks passed. */
        PASS,
        /** A tensor exceeds its budget, another check failed (such as an overwritten gap), or the backend threw. */
        FAIL,
        /** The backend is not ready or does not support the problem; the message contains the reasons. */
        SKIP
    }

    /** Copies the measures. */
    public Verdict {
        measures = List.copyOf(measures);
    }

    /** {@return the measure with the largest ratio of error to limit, or null if there are no measures} */
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
