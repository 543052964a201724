package dev.heed.backend.opencl.device;

/** The first line of an exception's message, without hints and build logs: the reason why a self-check failed. */
public final class FirstLine {
    private FirstLine() {}

    public static String of(RuntimeException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
    }
}
