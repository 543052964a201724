package dev.heed.backend.opencl.device;

/** The reason why a check failed: the first line of an exception's message, without hints and build logs. */
public final class FirstLine {
    private FirstLine() {}

    public static String of(RuntimeException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
    }
}
