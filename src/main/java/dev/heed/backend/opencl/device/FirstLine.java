package dev.heed.backend.opencl.device;

/** What went wrong with a first task, without hints and build logs. */
public final class FirstLine {
    private FirstLine() {}

    public static String of(RuntimeException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
    }
}
