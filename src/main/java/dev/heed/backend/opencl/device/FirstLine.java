package dev.heed.backend.opencl.device;

/** The first line of an exception's message: the reason why a check failed, without the hints and build logs that follow. */
public final class FirstLine {
    private FirstLine() {}

    public static String of(RuntimeException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
    }
}
