package dev.heed.tensor;

import org.jspecify.annotations.Nullable;

/**
 * Thrown for an invalid input, before any work starts. The message contains the expected and the actual input, the
 * problem's case string if there is one, and a hint that can be typed.
 */
public final class InvalidInputException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String subject;
    private final String expected;
    private final String got;
    private final @Nullable String caseString;
    private final String hint;

    /**
     * Creates the exception.
     *
     * @param subject the error as a sentence without a full stop
     * @param expected the valid inputs
     * @param got the actual input
     * @param caseString the case string of the problem, or null if no problem exists yet
     * @param hint code or text that the caller can type to fix the error
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
     * Creates the exception without a case string, if no problem exists yet.
     *
     * @param subject the error as a sentence without a full stop
     * @param expected the valid inputs
     * @param got the actual input
     * @param hint code or text that the caller can type to fix the error
     */
    public InvalidInputException(String subject, String expected, String got, String hint) {
        this(subject, expected, got, null, hint);
    }

    /**
     * {@return {@code value}, which must not be null}
     *
     * @param name the name of the argument
     * @param hint code or text that the caller can type to fix the error
     * @throws InvalidInputException if it is null
     */
    public static <T> T requirePresent(String name, @Nullable T value, String hint) {
        if (value == null) {
            throw new InvalidInputException("The " + name + " is missing", "not null", "null", hint);
        }
        return value;
    }

    private static String text(String subject, String expected, String got, @Nullable String caseString, String hint) {
        return subject + ".\n  expected  " + expected + "\n  got       " + got
                + (caseString == null ? "" : "\n  case      " + caseString)
                + "\nHINT: " + hint;
    }

    /** {@return a copy of this exception, with its stack trace, that also has the case string of the problem} */
    public InvalidInputException in(String caseString) {
        var located = new InvalidInputException(subject, expected, got, caseString, hint);
        located.setStackTrace(getStackTrace());
        return located;
    }

    /** {@return the message on one line, as the command line prints it} */
    public String oneLine() {
        return subject + ": expected " + expected + ", got " + got
                + (caseString == null ? "" : " (case \"" + caseString + "\")") + ". HINT: " + hint;
    }
}
