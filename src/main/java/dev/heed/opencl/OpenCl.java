package dev.heed.opencl;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The OpenCL devices of this process. They are looked for once, on the first question; looking never throws. */
public final class OpenCl {
    private OpenCl() {}

    private static final class Found {
        private static final Discovery DISCOVERY = Discovery.ofThisProcess();
    }

    /** {@return what was found, and what stood in the way} */
    public static Discovery discovery() {
        return Found.DISCOVERY;
    }

    /** {@return all devices, best first} */
    public static List<Device> devices() {
        return discovery().devices();
    }

    /** {@return the folder that {@code heed.cache} names, or the user's, or nothing where there is none} */
    public static Optional<Path> cacheFolder() {
        return Settings.cacheFolder();
    }

    /** {@return the device that {@code heed.opencl.device} names, or else the best} */
    public static Selection selected() {
        return discovery().select(System.getProperty(Selection.DEVICE, ""));
    }
}
