package dev.heed.opencl;

import dev.heed.ffi.OpenClLibrary;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The reasons why an OpenCL library, its drivers or their devices are missing, each with a remedy that fits this machine. */
final class DriverReasons {
    private static final String VENDORS = "OCL_ICD_VENDORS";
    private static final String VENDORS_FOLDER = "/etc/OpenCL/vendors";
    private static final String POCL = "Portable Computing Language";
    private static final String ICD = ".icd";

    private DriverReasons() {}

    private static boolean isLinux() {
        return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux");
    }

    private static String needsDriver() {
        return "install the driver of the GPU" + (isLinux() ? ", or for the CPU: apt install pocl-opencl-icd" : "");
    }

    /** {@return the reason if the OpenCL library, which calls the drivers, cannot be loaded} */
    static String noLibrary() {
        return "no OpenCL library (" + OpenClLibrary.name() + ") can be loaded: "
                + (isLinux() ? "apt install ocl-icd-libopencl1, and then " : "")
                + needsDriver();
    }

    // ---------------------------------------------------------------- drivers

    /** A file of the loader's folder, and the library of a driver that it names. */
    private record Named(String file, String library) {}

    /** {@return on Linux, whether the loader's folder has a driver or {@code OCL_ICD_VENDORS} is set; elsewhere, true} */
    static boolean namesDriver() {
        return !isLinux() || System.getenv(VENDORS) != null || !drivers().isEmpty();
    }

    /** {@return the drivers that the loader is told to load: in its folder, or by {@code OCL_ICD_VENDORS}} */
    private static List<Named> drivers() {
        if (!isLinux()) {
            return List.of();
        }
        String asked = System.getenv(VENDORS);
        File place = new File(asked == null ? VENDORS_FOLDER : asked);
        if (place.isDirectory()) {
            String[] names = place.list((folder, name) -> name.endsWith(ICD));
            return names == null
                    ? List.of()
                    : Arrays.stream(names)
                            .sorted()
                            .map(name -> named(new File(place, name)))
                            .toList();
        }
        if (asked == null || asked.isBlank()) {
            return List.of();
        }
        if (!asked.endsWith(ICD)) {
            return List.of(new Named(VENDORS, asked)); // the loader takes it for the name of a library
        }
        return List.of(named(place.isFile() ? place : new File(VENDORS_FOLDER, asked)));
    }

    private static Named named(File file) {
        try {
            String text = Files.readString(file.toPath(), StandardCharsets.ISO_8859_1);
            return new Named(file.getPath(), text.lines().findFirst().orElse("").strip());
        } catch (IOException | InvalidPathException e) {
            return new Named(file.getPath(), "");
        }
    }

    /**
     * {@return one reason for each driver that is named to the loader and cannot be loaded}
     *
     * @param served whether another driver has a device, so that nothing need be installed
     */
    static List<String> brokenDrivers(boolean served) {
        List<String> reasons = new ArrayList<>();
        for (Named driver : drivers()) {
            String wrong = driver.library().isEmpty()
                    ? "no library"
                    : switch (OpenClLibrary.driver(driver.library())) {
                        case LOADED, UNKNOWN -> "";
                        case NOT_LOADED -> driver.library() + ", which cannot be loaded";
                        case OTHER_LIBRARY -> driver.library() + ", which is not an OpenCL driver";
                    };
            if (!wrong.isEmpty()) {
                reasons.add(driver.file() + " names " + wrong + (served ? "" : needsLibrary(driver)));
            }
        }
        return reasons;
    }

    private static String needsLibrary(Named driver) {
        return ": install the package of this library, or in a container make the host's driver visible"
                + (driver.library().contains("nvidia")
                        ? ": docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,utility"
                        : "");
    }

    /** {@return the reason if the OpenCL library finds no platform} */
    static String noPlatform() {
        List<String> broken = brokenDrivers(false);
        if (!broken.isEmpty()) {
            return "OpenCL has no platform: " + String.join("; ", broken);
        }
        List<String> files = drivers().stream().map(Named::file).toList();
        if (!files.isEmpty()) {
            return "OpenCL has no platform, although " + String.join(", ", files)
                    + " names a driver: update this driver, or for the CPU: apt install pocl-opencl-icd";
        }
        String vendors = System.getenv(VENDORS);
        return "OpenCL has no platform"
                + (isLinux()
                        ? " (no driver is named in " + (vendors == null ? VENDORS_FOLDER : VENDORS + "=" + vendors)
                                + ")"
                        : "")
                + ": " + needsDriver();
    }

    // ---------------------------------------------------------------- devices

    /**
     * {@return the reason if a platform has no device}
     *
     * @param served whether another platform has a device, so that nothing need be installed
     */
    static String noDevice(String platform, boolean served) {
        String reason = platform + " has no device here";
        if (platform.equals(POCL)) {
            Path cache = poclCache();
            return cache != null && !isWritable(cache)
                    ? reason + ", because its cache folder " + cache
                            + " cannot be written: set the environment variable POCL_CACHE_DIR to a folder that can"
                    : reason + ": the environment variable POCL_DEBUG=all makes it print the cause";
        }
        return served ? reason : reason + ": " + needsDriver();
    }

    /** {@return the folder in which PoCL keeps compiled kernels; null if it has a temporary one} */
    private static @Nullable Path poclCache() {
        try {
            String own = System.getenv("POCL_CACHE_DIR");
            if (own != null && !own.isEmpty()) {
                return Path.of(own);
            }
            String cache = System.getenv("XDG_CACHE_HOME");
            if (cache != null && !cache.isEmpty()) {
                return Path.of(cache, "pocl");
            }
            String home = System.getenv("HOME");
            return home == null || home.isEmpty() ? null : Path.of(home, ".cache", "pocl");
        } catch (InvalidPathException e) {
            return null;
        }
    }

    /** {@return whether a file can be made in a folder, which is made if it is missing} */
    private static boolean isWritable(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, "heed", ""));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
