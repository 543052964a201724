package dev.heed.backend.opencl.device;

/**
 * Whether kernels have to pass a first task before they compute for anybody: always, unless {@code heed.opencl.selfcheck=false}
 * leaves it out.
 */
public final class SelfCheckPolicy {
    public static final String PROPERTY = "heed.opencl.selfcheck";

    private SelfCheckPolicy() {}

    public static boolean isWanted() {
        return !"false".equals(System.getProperty(PROPERTY));
    }

    /** {@return what went wrong, without hints and logs} */
    public static String firstLine(RuntimeException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
    }
}
