package dev.heed.conformance;

import java.util.Locale;

/**
 * What became of one case.
 *
 * @param name the case
 * @param status whether the backend passed, failed or was not asked
 * @param maxError the largest difference between an expected and a computed element; NaN where nothing was compared
 * @param detail empty for a pass; else what differs where, or why the case was not run
 */
public record Outcome(String name, Status status, double maxError, String detail) {
    /** The three things that can become of a case. */
    public enum Status {
        /** Every expected output is met. */
        PASS,
        /** An output differs, a file is damaged or missing, or the backend threw. */
        FAIL,
        /** The case asks for what Heed or the backend does not have. */
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
