package dev.heed.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.machine.Machine;
import dev.heed.opencl.calls.OpenClCalls;
import dev.heed.opencl.calls.OpenClException;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jocl.CL;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that discovery reports a missing component with a remedy. Each stage is made to fail in a separate JVM. */
@Tag("slow")
class DiscoveryTest {
    private static final String ENABLED = "--enable-native-access=ALL-UNNAMED";

    @TempDir
    Path dir;

    @Test
    void everythingIsThere() throws Exception {
        Devices.present();
        String said = child(Map.of(), classPath(true), List.of(ENABLED));
        assertTrue(said.contains("DEVICE ") && said.contains("FILLED 42 by DirectCalls"), said);
        assertFalse(said.contains("WARNING"), said);
    }

    @Test
    void withoutJocl() throws Exception {
        says(child(Map.of(), classPath(false), List.of(ENABLED)), "JOCL is not on the class path", "add org.jocl:jocl");
    }

    @Test
    void withoutAnyPlatform() throws Exception {
        assumeTrue(Files.exists(Path.of("/etc/OpenCL/vendors")), "no OpenCL loader with a folder of vendors");
        Path empty = Files.createDirectory(dir.resolve("vendors"));
        String said = child(Map.of("OCL_ICD_VENDORS", empty.toString()), classPath(true), List.of(ENABLED));
        says(said, "OpenCL has no platform", "OCL_ICD_VENDORS=" + empty, "apt install pocl-opencl-icd");
    }

    /** The usual fault in containers: a driver is registered, and its library is missing or is another library. */
    @Test
    void aDriverThatIsNamedAndCannotBeLoaded() throws Exception {
        assumeTrue(Files.exists(Path.of("/etc/OpenCL/vendors")), "no OpenCL loader with a folder of vendors");
        Path vendors = Files.createDirectory(dir.resolve("vendors"));
        Path missing = Files.writeString(vendors.resolve("a.icd"), "libnvidia-heed-has-none.so.1\n");
        Path other = Files.writeString(vendors.resolve("b.icd"), "libc.so.6");
        Path empty = Files.writeString(vendors.resolve("c.icd"), "");
        String said = child(Map.of("OCL_ICD_VENDORS", vendors.toString()), classPath(true), List.of(ENABLED));
        says(
                said,
                missing + " names libnvidia-heed-has-none.so.1, which cannot be loaded",
                other + " names libc.so.6, which is not an OpenCL driver",
                empty + " names no library",
                "install the package of this library",
                "docker run --gpus all");
        assertFalse(said.contains("no driver is named"), said);

        String one = child(Map.of("OCL_ICD_VENDORS", other.toString()), classPath(true), List.of(ENABLED));
        says(one, other + " names libc.so.6, which is not an OpenCL driver");
        assertFalse(one.contains("docker"), one);
    }

    /** A driver that cannot be loaded is reported, and the device of another driver is used. */
    @Test
    void aBrokenDriverBesideAWorkingOne() throws Exception {
        Devices.present();
        Path vendors = Files.createDirectory(dir.resolve("vendors"));
        try (var files = Files.list(Path.of("/etc/OpenCL/vendors"))) {
            for (Path file :
                    files.filter(name -> name.toString().endsWith(".icd")).toList()) {
                Files.copy(file, vendors.resolve(file.getFileName()));
            }
        }
        Path missing = Files.writeString(vendors.resolve("x.icd"), "libheed-has-none.so.1");
        String said = child(Map.of("OCL_ICD_VENDORS", vendors.toString()), classPath(true), List.of(ENABLED));
        assertTrue(said.contains("DEVICE "), said);
        assertTrue(said.contains("BESIDE " + missing + " names libheed-has-none.so.1, which cannot be loaded"), said);
        assertFalse(said.contains("apt install"), said);
    }

    @Test
    void poclWithoutAFolderForItsCache() throws Exception {
        assumeTrue(
                Devices.present().stream().allMatch(Device::driverCachesKernels), "not only PoCL's devices are here");
        Path file = Files.writeString(dir.resolve("file"), "");
        String said =
                child(Map.of("POCL_CACHE_DIR", file.resolve("below").toString()), classPath(true), List.of(ENABLED));
        says(said, "Portable Computing Language has no device here", "cannot be written", "POCL_CACHE_DIR");
        assertFalse(said.contains("apt install"), said);
    }

    /** JOCL uses the module java.logging, which a runtime that jlink trimmed may lack. */
    @Test
    void withoutTheModuleJavaLogging() throws Exception {
        Devices.present();
        String said = child(Map.of(), classPath(true), List.of(ENABLED, "--limit-modules=java.base"));
        says(said, "java.logging", "jlink --add-modules java.logging,jdk.incubator.vector");
    }

    /** The library path contains files that have the OpenCL library's names but are not libraries. */
    @Test
    void withoutTheOpenClLibrary() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "libraries have other names here");
        Path broken = Files.createDirectory(dir.resolve("lib"));
        for (String name : List.of("libOpenCL.so.1", "libOpenCL.so")) {
            Files.writeString(broken.resolve(name), "not a library");
        }
        String said = child(Map.of("LD_LIBRARY_PATH", broken.toString()), classPath(true), List.of(ENABLED));
        says(said, "no OpenCL library", "apt install ocl-icd-libopencl1");
        assertFalse(said.contains("Could not load"), said); // JOCL would print this to standard output
    }

    // ---------------------------------------------------------------- JOCL's own library

    /** A file that has the name of JOCL's library in the shared temporary folder is neither loaded nor changed. */
    @Test
    void whatLiesInTheTemporaryFolderIsNotLoaded() throws Exception {
        Devices.present();
        Path temporary = Files.createDirectory(dir.resolve("tmp"));
        String name = System.mapLibraryName("JOCL_2_0_6-linux-x86_64");
        Path planted = Files.writeString(temporary.resolve(name), "not a library");
        String said = child(Map.of(), classPath(true), List.of(ENABLED, "-Djava.io.tmpdir=" + temporary));
        assertTrue(said.contains("FILLED 42 by DirectCalls"), said);
        assertEquals(List.of(planted), files(temporary));
        assertEquals("not a library", Files.readString(planted));
    }

    @Test
    void sixProcessesAtOnceLeaveAnEmptyTemporaryFolder() throws Exception {
        Devices.present();
        Path temporary = Files.createDirectory(dir.resolve("tmp"));
        List<Callable<String>> processes = Collections.nCopies(
                6, () -> child(Map.of(), classPath(true), List.of(ENABLED, "-Djava.io.tmpdir=" + temporary)));
        try (var threads = Executors.newFixedThreadPool(processes.size())) {
            for (Future<String> said : threads.invokeAll(processes)) {
                assertTrue(said.get().contains("FILLED 42 by DirectCalls"), said.get());
            }
        }
        assertEquals(List.of(), files(temporary));
    }

    @Test
    void threeClassLoadersOfOneProcess() throws Exception {
        Devices.present();
        Path temporary = Files.createDirectory(dir.resolve("tmp"));
        String said = run(
                Map.of(),
                List.of(
                        ENABLED,
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        classPath(true),
                        SayInLoaders.class.getName()));
        assertEquals(3, said.lines().filter("FILLED 42 by DirectCalls"::equals).count(), said);
        assertEquals(List.of(), files(temporary));
    }

    private static List<Path> files(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.toList();
        }
    }

    // ---------------------------------------------------------------- permission

    /** Without the flag, native calls print a warning: the automatic choice avoids them and names the flag if a driver exists. */
    @Test
    void aCallThatNamesNoBackendEntersNoNativeCode() throws Exception {
        List<String> program = List.of("-cp", classPath(true), SaySoftmax.class.getName());
        String said = run(Map.of(), program);
        assertTrue(said.contains("SOFTMAX f32 [2, 3]"), said);
        assertFalse(said.contains("WARNING"), said);
        assertEquals(
                DriverReasons.namesDriver(),
                said.contains("no OpenCL device was looked for: start java with --enable-native-access=ALL-UNNAMED"),
                said);
    }

    @Test
    void aCallThatNamesOpenClGetsItWithoutTheFlag() throws Exception {
        Devices.present();
        List<String> program = List.of("-Dheed.backend=opencl", "-cp", classPath(true), SaySoftmax.class.getName());
        String said = run(Map.of(), program);
        assertTrue(said.contains("SOFTMAX f32 [2, 3]") && said.contains("WARNING"), said);
    }

    @Test
    void withNativeAccessDenied() throws Exception {
        String said = child(Map.of(), classPath(true), List.of("--illegal-native-access=deny"));
        says(said, "the JVM denies native access to JOCL", "--enable-native-access=ALL-UNNAMED");
    }

    @Test
    void withATemporaryFolderThatIsNone() throws Exception {
        Devices.present(); // JOCL is unpacked only if there is a platform
        String said = child(
                Map.of(),
                classPath(true),
                List.of(
                        ENABLED,
                        "-Djava.io.tmpdir="
                                + Files.writeString(dir.resolve("file"), "").resolve("below")));
        says(said, "cannot unpack its native library into", "which cannot be written", "-Djava.io.tmpdir=DIR");
    }

    @Test
    void withATemporaryFolderThatForbidsExecution() throws Exception {
        Devices.present(); // JOCL is unpacked only if there is a platform
        Optional<Path> folder = withoutExecution();
        assumeTrue(folder.isPresent(), "no folder that can be written is mounted noexec");
        Path temporary = Files.createTempDirectory(folder.get(), "heed");
        try {
            String said = child(Map.of(), classPath(true), List.of(ENABLED, "-Djava.io.tmpdir=" + temporary));
            says(said, "which forbids execution", "-Djava.io.tmpdir=DIR");
        } finally {
            try (var files = Files.list(temporary)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(temporary);
        }
    }

    private static Optional<Path> withoutExecution() throws IOException {
        Path mounts = Path.of("/proc/mounts");
        if (!Files.exists(mounts)) {
            return Optional.empty();
        }
        return Files.readAllLines(mounts).stream()
                .map(line -> line.split(" "))
                .filter(mount -> mount.length > 3
                        && List.of("tmpfs", "ext4", "xfs").contains(mount[2])
                        && List.of(mount[3].split(",")).contains("noexec"))
                .map(mount -> Path.of(mount[1]))
                .filter(path -> Files.isDirectory(path) && Files.isWritable(path))
                .findFirst();
    }

    @Test
    void onTheModulePath() throws Exception {
        Devices.present();
        String path = place(Machine.class) + File.pathSeparator + place(CL.class);
        List<String> options = List.of(
                "-p",
                path,
                "--add-modules",
                "dev.heed,jocl",
                "--add-exports",
                "dev.heed/dev.heed.opencl=ALL-UNNAMED",
                "--patch-module",
                "dev.heed=" + place(SayDevices.class),
                "-m",
                "dev.heed/dev.heed.opencl.SayDevices");
        var enabled = new ArrayList<>(List.of("--enable-native-access=jocl,dev.heed"));
        enabled.addAll(options);
        assertTrue(run(Map.of(), enabled).contains("FILLED 42 by DirectCalls"));

        var denied = new ArrayList<>(List.of("--illegal-native-access=deny", "--enable-native-access=jocl"));
        denied.addAll(options);
        assertTrue(
                run(Map.of(), denied).contains("FILLED 42 by JoclCalls"), "native access for JOCL alone must suffice");

        var nothing = new ArrayList<>(List.of("--illegal-native-access=deny"));
        nothing.addAll(options);
        says(run(Map.of(), nothing), "denies native access", "--enable-native-access=jocl,dev.heed");
    }

    // ---------------------------------------------------------------- answers of a platform

    @Test
    void aPlatformWithoutDevices() {
        for (Object answer : new Object[] {new long[0], new OpenClException("clGetDeviceIDs", -1)}) {
            Discovery discovery = Discovery.of(answering(Map.of("devices", answer)));
            assertEquals(List.of(), discovery.devices());
            String reason = discovery.reasons().getFirst();
            assertTrue(reason.contains("Fake has no device here: install the driver"), discovery::toString);
            assertEquals(discovery.reasons(), discovery.select("").reasons());
        }
    }

    /** Nothing need be installed where another platform has a device. */
    @Test
    void aPlatformWithoutDevicesBesideOneThatHasSome() {
        OpenClCalls served =
                answering(Map.of("platforms", new long[] {1, 2}, "deviceInfo", new byte[] {1, 0, 0, 0, 0, 0, 0, 0}));
        OpenClCalls empty = answering(Map.of("devices", new long[0], "platformText", "Empty"));
        Discovery discovery = Discovery.of((OpenClCalls) Proxy.newProxyInstance(
                OpenClCalls.class.getClassLoader(), new Class<?>[] {OpenClCalls.class}, (proxy, method, arguments) -> {
                    boolean second = method.getName().matches("platformText|devices") && (long) arguments[0] == 2;
                    return method.invoke(second ? empty : served, arguments);
                }));
        assertTrue(discovery.reasons().contains("Empty has no device here"), discovery::toString);
    }

    @Test
    void aPlatformThatFails() {
        for (String call : List.of("platformText", "devices", "deviceInfo")) {
            Discovery discovery = Discovery.of(answering(Map.of(call, new OpenClException(call, -6))));
            assertEquals(1, discovery.reasons().size());
            assertTrue(discovery.reasons().getFirst().contains("CL_OUT_OF_HOST_MEMORY"), discovery::toString);
        }
        Discovery none = Discovery.of(answering(Map.of("platforms", new OpenClException("clGetPlatformIDs", -6))));
        assertTrue(none.reasons().getFirst().contains("OpenCL does not answer"), none::toString);
        Discovery empty = Discovery.of(answering(Map.of("platforms", new long[0])));
        assertTrue(empty.reasons().getFirst().contains("no platform"), empty::toString);
    }

    /** Only the lower 32 bits of a {@code cl_device_type} are defined. Mesa's rusticl rejects a query that has other bits. */
    @Test
    void devicesAreAskedForByBitsThatOpenClDefines() {
        Discovery discovery = Discovery.of((OpenClCalls) Proxy.newProxyInstance(
                OpenClCalls.class.getClassLoader(), new Class<?>[] {OpenClCalls.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("devices") && (long) arguments[1] >>> Integer.SIZE != 0) {
                        throw new OpenClException("clGetDeviceIDs", -31);
                    }
                    return method.invoke(answering(Map.of()), arguments);
                }));
        assertFalse(discovery.reasons().toString().contains("CL_INVALID_DEVICE_TYPE"), discovery::toString);
    }

    private static OpenClCalls answering(Map<String, Object> answers) {
        Map<String, Object> otherwise = Map.of(
                "platforms",
                new long[] {1},
                "platformText",
                "Fake",
                "devices",
                new long[] {2},
                "deviceInfo",
                new byte[8]);
        return (OpenClCalls) Proxy.newProxyInstance(
                OpenClCalls.class.getClassLoader(), new Class<?>[] {OpenClCalls.class}, (proxy, method, arguments) -> {
                    Object answer = answers.getOrDefault(method.getName(), otherwise.get(method.getName()));
                    if (answer instanceof OpenClException e) {
                        throw e;
                    }
                    return answer;
                });
    }

    // ---------------------------------------------------------------- the choice

    @Test
    void aDeviceIsChosenByIndexOrName() {
        Device best = Devices.best();
        Discovery discovery = OpenCl.discovery();
        assertEquals(best, discovery.select("").device().orElseThrow());
        assertEquals(best, discovery.select(" 0 ").device().orElseThrow());
        String part = best.name().substring(1).toUpperCase(java.util.Locale.ROOT);
        assertEquals(best, discovery.select(part).device().orElseThrow());
        for (String wrong : List.of("99", "no such device")) {
            Selection selection = discovery.select(wrong);
            assertTrue(selection.device().isEmpty());
            assertTrue(selection.reasons().getFirst().contains("-Dheed.opencl.device=" + wrong), selection::toString);
            assertTrue(selection.reasons().getFirst().contains("0 (" + best.name() + ")"), selection::toString);
        }
    }

    @Test
    void devicesAreNumberedInTheirOrder() {
        List<Device> devices = Devices.present();
        for (int i = 0; i < devices.size(); i++) {
            assertEquals(i, devices.get(i).index());
            assertTrue(i == 0 || Device.BEST_FIRST.compare(devices.get(i - 1), devices.get(i)) <= 0);
            assertTrue(devices.get(i).limits().globalBytes() > 0);
        }
    }

    // ---------------------------------------------------------------- separate JVMs

    private static void says(String said, String... parts) {
        assertFalse(said.contains("DEVICE "), said);
        assertEquals(1, said.lines().filter(line -> line.startsWith("REASON ")).count(), said);
        for (String part : parts) {
            assertTrue(said.contains(part), () -> "expected \"" + part + "\" in " + said);
        }
    }

    private static String place(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (java.net.URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String classPath(boolean withJocl) {
        String ours = place(Machine.class) + File.pathSeparator + place(SayDevices.class);
        return withJocl ? ours + File.pathSeparator + place(CL.class) : ours;
    }

    private String child(Map<String, String> environment, String classPath, List<String> options) throws Exception {
        var arguments = new ArrayList<>(options);
        arguments.addAll(List.of("-cp", classPath, SayDevices.class.getName()));
        return run(environment, arguments);
    }

    private String run(Map<String, String> environment, List<String> arguments) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Dheed.cache=none");
        command.addAll(arguments);
        var builder = new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true);
        for (String variable : List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "CLASSPATH")) {
            builder.environment().remove(variable);
        }
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), () -> command + " did not end");
        assertEquals(0, process.exitValue(), () -> String.join(" ", command) + "\n" + said);
        return said;
    }
}
