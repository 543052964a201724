package dev.heed.opencl.calls;

import java.util.stream.Collectors;

/** Reports a program that could not be compiled: the file, the options, and the first lines of the compiler's log. */
public final class OpenClBuildException extends OpenClException {
    private static final long serialVersionUID = 1L;
    private static final int LINES = 12;

    private final String log;

    public OpenClBuildException(String call, int code, String file, String options, String device, String log) {
        super(
                call,
                code,
                "building " + file + " for " + device + " with options \"" + options + "\"\n"
                        + log.strip()
                                .lines()
                                .limit(LINES)
                                .map(line -> "  | " + line)
                                .collect(Collectors.joining("\n")),
                "another driver version may accept it; until then -Dheed.backend=vector, and report these lines");
        this.log = log;
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
