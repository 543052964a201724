package dev.heed.opencl;

import dev.heed.opencl.calls.JoclLibrary;
import dev.heed.settings.Settings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The OpenCL devices of this process. They are looked for once, on the first question; looking never throws. */
public final class OpenCl {
    private OpenCl() {}

    private static final class Found {
        private static final Discovery DISCOVERY = Discovery.ofThisProcess();
    }

    /**
     * {@return why devices are not looked for unless somebody asks for OpenCL by name; empty if they are} Drivers are native
     * code. Where the JVM was not told to allow it, each first call prints a warning, so nobody who did not ask gets one.
     */
    public static List<String> reasonsNotToLook() {
        boolean allowed = OpenCl.class.getModule().isNativeAccessEnabled() && JoclLibrary.isEnabled();
        return allowed
                        || !JoclLibrary.isPresent()
                        || Settings.OPENCL_DEVICE.value().isPresent()
                ? List.of()
                : List.of("native access is not enabled, so no OpenCL device was looked for: start java with"
                        + " --enable-native-access=" + Discovery.modules());
    }

    /** {@return whether this machine names an OpenCL driver; no native code is called} */
    public static boolean namesDriver() {
        return Discovery.namesDriver();
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
        return ContextSettings.cacheFolder();
    }

    /** {@return the device that {@code heed.opencl.device} names, or else the best} */
    public static Selection selected() {
        return selected(Settings.OPENCL_DEVICE.or(""));
    }

    /** {@return the device that has a number or a part of its name; with an empty text the best} */
    public static Selection selected(String numberOrName) {
        return discovery().select(numberOrName);
    }
}
