package dev.heed.tensor;

import org.jspecify.annotations.Nullable;

/**
 * An input that cannot be computed with, reported before any work starts. The message names what was expected, what was
 * given, the problem as a case string where there is one, and a hint that can be typed.
 */
public final class InvalidInputException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String subject;
    private final String expected;
    private final String got;
    private final @Nullable String caseString;
    private final String hint;

    /**
     * Creates the report.
     *
     * @param subject what is wrong, without a full stop
     * @param expected what would have been right
     * @param got what was given instead
     * @param caseString the problem as a case string, or null where no problem exists yet
     * @param hint what the caller can type to mend it
     */
    public InvalidInputException(
            String subject, String expected, String got, @Nullable String caseString, String hint) {
        super(text(subject, expected, got, caseString, hint));
        this.subject = subject;
        this.expected = expected;
        this.got = got;
        this.caseString = caseString;
        this.hint = hint;
    }

    /**
     * Creates the report for a place where no problem exists yet.
     *
     * @param subject what is wrong, without a full stop
     * @param expected what would have been right
     * @param got what was given instead
     * @param hint what the caller can type to mend it
     */
    public InvalidInputException(String subject, String expected, String got, String hint) {
        this(subject, expected, got, null, hint);
    }

    private static String text(String subject, String expected, String got, @Nullable String caseString, String hint) {
        return subject + ".\n  expected  " + expected + "\n  got       " + got
                + (caseString == null ? "" : "\n  case      " + caseString)
                + "\nHINT: " + hint;
    }

    /** {@return the same report with the case string it belongs to} */
    public InvalidInputException in(String caseString) {
        var located = new InvalidInputException(subject, expected, got, caseString, hint);
        located.setStackTrace(getStackTrace());
        return located;
    }

    /** {@return the report on one line, as a command line prints it} */
    public String oneLine() {
        return subject + ": expected " + expected + ", got " + got
                + (caseString == null ? "" : " (case \"" + caseString + "\")") + ". HINT: " + hint;
    }
}
