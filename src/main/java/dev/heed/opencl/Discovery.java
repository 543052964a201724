package dev.heed.opencl;

import dev.heed.ffi.OpenClLibrary;
import dev.heed.ffi.SignalHandlers;
import dev.heed.opencl.calls.Cl;
import dev.heed.opencl.calls.DirectCalls;
import dev.heed.opencl.calls.ErrorCode;
import dev.heed.opencl.calls.JoclCalls;
import dev.heed.opencl.calls.JoclLibrary;
import dev.heed.opencl.calls.OpenClCalls;
import dev.heed.opencl.calls.OpenClException;
import dev.heed.opencl.calls.ProcessLock;
import dev.heed.settings.Settings;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The result of the search for OpenCL devices. The search runs in stages; a stage that fails gives a reason and a remedy: a
 * package to install or an option to add.
 *
 * @param devices the devices found, best first
 * @param reasons the reasons why there is no device, or why a platform or a device cannot be used
 */
public record Discovery(List<Device> devices, List<String> reasons) {
    public Discovery {
        devices = List.copyOf(devices);
        reasons = List.copyOf(reasons);
    }

    static Discovery ofThisProcess() {
        try {
            synchronized (ProcessLock.LOCK) { // PoCL's devices would be half initialised for a second thread
                return stages();
            }
        } catch (RuntimeException | LinkageError e) {
            return nothing("the search for OpenCL devices failed: " + e);
        }
    }

    private static Discovery nothing(String reason) {
        return new Discovery(List.of(), List.of(reason));
    }

    /**
     * Runs the stages. Native code is loaded only by the stage that needs it. JOCL is loaded last: only if there is a platform,
     * or if the OpenCL library cannot be called without JOCL.
     */
    private static Discovery stages() {
        if (!JoclLibrary.isPresent()) {
            return nothing(noJocl());
        }
        return switch (OpenClLibrary.state()) {
            case LINKED ->
                SignalHandlers.keptDuring(Discovery::askLibrary); // PoCL replaces signal handlers at its first call
            case ABSENT -> nothing(DriverReasons.noLibrary());
            case UNREACHABLE -> JoclLibrary.isEnabled() ? askJocl() : nothing(denied());
        };
    }

    private static Discovery askLibrary() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            int code = OpenClLibrary.platformIds(0, MemorySegment.NULL, count);
            boolean none = code == 0 && count.get(ValueLayout.JAVA_INT, 0) == 0;
            return none || code == ErrorCode.PLATFORM_NOT_FOUND
                    ? nothing(DriverReasons.noPlatform())
                    : ask(DirectCalls::new).withBrokenDrivers();
        }
    }

    /** Searches through JOCL, but only if the library's file exists: without it, JOCL would print to standard output. */
    private static Discovery askJocl() {
        return OpenClLibrary.hasFile() ? ask(JoclCalls::new) : nothing(DriverReasons.noLibrary());
    }

    private Discovery withBrokenDrivers() {
        List<String> broken = DriverReasons.brokenDrivers(!devices.isEmpty());
        return new Discovery(
                devices, Stream.concat(reasons.stream(), broken.stream()).toList());
    }

    private static Discovery ask(Supplier<OpenClCalls> calls) {
        try {
            JoclLibrary.load();
            return of(calls.get());
        } catch (IOException | ClassNotFoundException | RuntimeException | LinkageError e) {
            return nothing(notLoaded(e));
        }
    }

    /** Runs the stages that call OpenCL. */
    static Discovery of(OpenClCalls calls) {
        long[] platforms;
        try {
            platforms = calls.platforms();
        } catch (OpenClException e) {
            return nothing(noPlatforms(e));
        }
        if (platforms.length == 0) {
            return nothing(DriverReasons.noPlatform());
        }
        List<String> reasons = new ArrayList<>();
        List<Device> found = new ArrayList<>();
        List<String> withoutDevices = new ArrayList<>();
        for (long platform : platforms) {
            search(calls, platform, found, withoutDevices, reasons);
        }
        withoutDevices.forEach(name -> reasons.add(DriverReasons.noDevice(name, !found.isEmpty())));
        found.sort(Device.BEST_FIRST);
        List<Device> numbered = new ArrayList<>();
        for (Device device : found) {
            numbered.add(device.at(numbered.size()));
        }
        return new Discovery(numbered, reasons);
    }

    private static void search(
            OpenClCalls calls, long platform, List<Device> found, List<String> withoutDevices, List<String> reasons) {
        String name = "an OpenCL platform";
        try {
            name = calls.platformText(platform, Cl.PLATFORM_NAME);
            long[] handles = calls.devices(platform, Cl.DEVICE_TYPE_ALL);
            if (handles.length == 0) {
                withoutDevices.add(name);
            }
            for (long handle : handles) {
                var device = new Device(calls, platform, handle);
                List<String> against = device.reasonsAgainst();
                reasons.addAll(against);
                if (against.isEmpty()) {
                    found.add(device);
                }
            }
        } catch (OpenClException e) {
            if (e.code() == ErrorCode.DEVICE_NOT_FOUND) {
                withoutDevices.add(name);
            } else {
                reasons.add(name + " does not answer: " + firstLine(e) + ": update its driver");
            }
        }
    }

    // ---------------------------------------------------------------- the choice

    /**
     * {@return the requested device, or the reasons why there is none}
     *
     * @param asked an index, a part of a name, or an empty text for the best device
     */
    public Selection select(String asked) {
        if (devices.isEmpty()) {
            return Selection.none(reasons.isEmpty() ? List.of(DriverReasons.noPlatform()) : reasons);
        }
        String wish = asked.strip();
        if (wish.isEmpty()) {
            return Selection.of(devices.getFirst());
        }
        for (Device device : devices) {
            if (wish.equals(String.valueOf(device.index()))) {
                return Selection.of(device);
            }
        }
        String lower = wish.toLowerCase(Locale.ROOT);
        for (Device device : devices) {
            if (!wish.matches("[0-9]+")
                    && device.name().toLowerCase(Locale.ROOT).contains(lower)) {
                return Selection.of(device);
            }
        }
        return Selection.none(List.of(Settings.OPENCL_DEVICE.to(wish) + " names no device: give one of "
                + devices.stream()
                        .map(device -> device.index() + " (" + device.name() + ")")
                        .collect(Collectors.joining(", "))));
    }

    // ---------------------------------------------------------------- the reasons

    private static String noJocl() {
        return "JOCL is not on the class path or module path: add org.jocl:jocl"
                + (named() ? ", and start java with --add-modules jocl --enable-native-access=" + modules() : "");
    }

    private static boolean named() {
        return Discovery.class.getModule().isNamed();
    }

    private static String denied() {
        return "the JVM denies native access to JOCL: start java with --enable-native-access=" + modules();
    }

    /** {@return the value of {@code --enable-native-access} for JOCL and Heed} */
    static String modules() {
        return named() ? "jocl,dev.heed" : "ALL-UNNAMED";
    }

    private static String notLoaded(Throwable e) {
        String all = chain(e);
        String lower = all.toLowerCase(Locale.ROOT);
        if (lower.contains("illegal native access") || lower.contains("illegalcallerexception")) {
            return denied();
        }
        if (lower.contains("implementation library could not be loaded")) {
            return DriverReasons.noLibrary();
        }
        if (lower.replace('/', '.').contains("java.util.logging")) {
            return "JOCL needs the module java.logging, which this Java runtime does not have: jlink --add-modules java.logging,"
                    + (named() ? "dev.heed" : "jdk.incubator.vector");
        }
        String folder = System.getProperty("java.io.tmpdir", "");
        boolean writable = new File(folder).isDirectory() && new File(folder).canWrite();
        if (lower.contains("no space left")) {
            return "JOCL cannot unpack its native library into " + folder
                    + ", which is full: start java with -Djava.io.tmpdir=DIR, a folder with 1 MB to spare";
        }
        if (!writable || lower.contains("failed to map segment") || lower.contains("operation not permitted")) {
            return "JOCL cannot unpack its native library into " + folder
                    + (writable ? ", which forbids execution" : ", which cannot be written")
                    + ": start java with -Djava.io.tmpdir=DIR, a folder that can be written and executed from";
        }
        return "JOCL's native library does not load on " + System.getProperty("os.name") + " "
                + System.getProperty("os.arch") + ": " + firstLine(e);
    }

    private static String chain(Throwable e) {
        var text = new StringBuilder();
        for (Throwable link = e; link != null; link = link.getCause()) {
            text.append(link).append('\n');
        }
        return text.toString();
    }

    private static String noPlatforms(OpenClException e) {
        if (e.getCause() instanceof UnsupportedOperationException) {
            return DriverReasons.noLibrary();
        }
        return e.code() == ErrorCode.PLATFORM_NOT_FOUND
                ? DriverReasons.noPlatform()
                : "OpenCL does not answer: " + firstLine(e) + ": update the drivers";
    }

    private static String firstLine(Throwable e) {
        Throwable root = e instanceof ExceptionInInitializerError && e.getCause() != null ? e.getCause() : e;
        return String.valueOf(root.getMessage()).lines().findFirst().orElse(root.toString());
    }
}
