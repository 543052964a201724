package dev.heed.opencl;

import dev.heed.opencl.calls.JoclLibrary;
import dev.heed.settings.Settings;
import java.util.List;

/**
 * The OpenCL devices of this process. They are searched for once, at the first call that needs them; the search never throws an
 * exception.
 */
public final class OpenCl {
    private OpenCl() {}

    private static final class Found {
        private static final Discovery DISCOVERY = Discovery.ofThisProcess();
    }

    /**
     * {@return the reasons not to search for devices unless a caller requests OpenCL by name; empty if there are none} Drivers
     * are native code: without permission, the JVM prints a warning at the first native call. Callers that did not request
     * OpenCL must not get this warning.
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

    /** {@return whether an OpenCL driver is registered on this machine; true if unknown; does not call native code} */
    public static boolean namesDriver() {
        return DriverReasons.namesDriver();
    }

    /** {@return the devices found, and the reasons why platforms or devices cannot be used} */
    public static Discovery discovery() {
        return Found.DISCOVERY;
    }

    /** {@return all devices, best first} */
    public static List<Device> devices() {
        return discovery().devices();
    }

    /** {@return the device that {@code heed.opencl.device} names; if it is not set, the best device} */
    public static Selection selected() {
        return selected(Settings.OPENCL_DEVICE.or(""));
    }

    /** {@return the device with an index or a part of a name; with an empty text, the best device} */
    public static Selection selected(String numberOrName) {
        return discovery().select(numberOrName);
    }
}
