package dev.heed.conformance;

import java.util.Locale;

/**
 * The outcome of one case on a backend.
 *
 * @param name the name of the case
 * @param status whether the case passed, failed or was skipped
 * @param maxError the largest difference between an expected and a computed element; NaN if nothing was compared
 * @param detail empty for a pass, otherwise the largest difference and its index, or the reason why the case failed or
 *     was skipped
 */
public record Outcome(String name, Status status, double maxError, String detail) {
    /** The possible results of a case. */
    public enum Status {
        /** Every output agrees with the expected one. */
        PASS,
        /** An output differs, a file is damaged or missing, or the backend threw. */
        FAIL,
        /** The case requires something that Heed or the backend does not support. */
        SKIP
    }

    static Outcome pass(String name, double maxError) {
        return new Outcome(name, Status.PASS, maxError, "");
    }

    static Outcome fail(String name, double maxError, String detail) {
        return new Outcome(name, Status.FAIL, maxError, detail);
    }

    static Outcome skip(String name, String reason) {
        return new Outcome(name, Status.SKIP, Double.NaN, reason);
    }

    /** {@return {@code PASS name max-error}, {@code FAIL name expected ... got ...} or {@code SKIP name reason}, always one line} */
    public String line() {
        String rest = status == Status.PASS
                ? String.format(Locale.ROOT, "%.1e", maxError)
                : detail.replaceAll("\\s*\\R\\s*", " ");
        return status + " " + name + " " + rest;
    }
}
