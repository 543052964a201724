package dev.heed.opencl.calls;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Reports a program that could not be compiled: the file, the options, and the first lines of the compiler's log. */
public final class OpenClBuildException extends OpenClException {
    private static final long serialVersionUID = 1L;
    private static final int LINES = 12;
    private static final int LENGTH = 300;

    private final String log;

    public OpenClBuildException(String call, int code, String file, String options, String device, String log) {
        super(
                call,
                code,
                "building " + file + " for " + device + ": " + cause(log) + "\n  options \"" + options + "\"\n"
                        + log.strip()
                                .lines()
                                .limit(LINES)
                                .map(line -> "  | " + line)
                                .collect(Collectors.joining("\n")),
                "another driver version may accept it; until then -Dheed.backend=vector, and report these lines");
        this.log = log;
    }

    /** {@return the first line of a log that has the word error, or else its first line} */
    private static String cause(String log) {
        List<String> lines =
                log.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
        String cause = lines.stream()
                .filter(line -> line.toLowerCase(Locale.ROOT).contains("error"))
                .findFirst()
                .orElse(lines.isEmpty() ? "the compiler gives no reason" : lines.getFirst());
        return cause.length() > LENGTH ? cause.substring(0, LENGTH) + "..." : cause;
    }

    /** {@return whether the compiler rejected the program; if false, it failed for another reason, such as lack of memory} */
    public boolean refusesProgram() {
        return code() == ErrorCode.BUILD_PROGRAM_FAILURE;
    }

    /** {@return the complete log of the compiler} */
    public String log() {
        return log;
    }
}
