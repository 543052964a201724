package dev.heed.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that each cause that prevents the use of native kernels is reported as a reason that names the remedy. */
class NativeLibraryTest {
    private static final String LINUX = "Linux amd64";

    @TempDir
    Path dir;

    /** A program that prints {@link NativeLibrary#reasons}, for a separate JVM. */
    static final class Program {
        private Program() {}

        public static void main(String[] arguments) {
            System.out.println("reasons " + NativeLibrary.reasons());
        }
    }

    /** No other test would notice a refused level, because the next lower level is used instead. */
    @Test
    void everyLevelOfThisProcessorComputesWhatThePortableVersionDoes() {
        assertEquals(List.of(), NativeLibrary.refusals());
    }

    @Test
    void notWanted() {
        assertReason(NativeLibrary.load(false, "", LINUX, dir), "-Dheed.native=false", "leave it out");
    }

    @Test
    void aFileThatIsNotThere() {
        assertReason(
                NativeLibrary.load(true, dir.resolve("no.so").toString(), LINUX, dir), "cannot be read", "build.sh");
    }

    @Test
    void aFileThatIsNoLibrary() throws Exception {
        Path file = Files.writeString(dir.resolve("some.so"), "text");
        assertReason(NativeLibrary.load(true, file.toString(), LINUX, dir), "cannot load", file.toString());
    }

    @Test
    void anotherSystem() {
        assertReason(NativeLibrary.load(true, "", "Plan 9 mips", dir), "Plan 9 mips", "-Dheed.native.library=");
    }

    @Test
    void damagedInTheJar() {
        byte[] bytes = {1, 2, 3};
        assertReason(NativeLibrary.unpack(bytes, "00", dir, NativeLibrary.ABI), "damaged", "got " + sum(bytes));
    }

    @Test
    void noFolderToCopyTo() {
        byte[] bytes = {1, 2, 3};
        assertReason(
                NativeLibrary.unpack(bytes, sum(bytes), dir.resolve("none"), NativeLibrary.ABI),
                "cannot be copied",
                "-Djava.io.tmpdir=");
    }

    @Test
    void anOldAbi() {
        byte[] library = library();
        NativeLibrary.Loaded old = NativeLibrary.unpack(library, sum(library), dir, NativeLibrary.ABI + 1);
        assertReason(old, "ABI " + NativeLibrary.ABI + ", expected " + (NativeLibrary.ABI + 1), "build.sh");
    }

    /** The library has the right ABI version but lacks a function. */
    @Test
    void aLibraryWithoutAFunction() {
        String whole = new String(library(), StandardCharsets.ISO_8859_1);
        byte[] library = whole.replace("heed_refused", "heed_rejects").getBytes(StandardCharsets.ISO_8859_1);
        assertReason(
                NativeLibrary.unpack(library, sum(library), dir, NativeLibrary.ABI),
                "not a library of Heed's kernels, because it lacks heed_refused",
                "build.sh");
    }

    /**
     * In a folder mounted noexec, {@code Files.isExecutable} returns false for every user, including root; here a stub returns
     * false.
     */
    @Test
    void aFolderWithoutExecution() {
        byte[] library = library();
        assertReason(
                NativeLibrary.unpack(library, sum(library), dir, NativeLibrary.ABI, file -> false),
                "files in " + dir + " cannot be executed (mounted noexec)",
                "-Djava.io.tmpdir=FOLDER");
    }

    @Test
    void instructionsThatAreRefused() {
        var loaded = new NativeLibrary.Loaded(null, 3, 2, 8 + 32, List.of());
        assertEquals(2, loaded.refusals().size());
        assertTrue(loaded.refusals().getFirst().startsWith("AMX-BF16 is not used: "), loaded.refusals()::toString);
        assertTrue(loaded.refusals().getLast().startsWith("Arm BF16 is not used: "), loaded.refusals()::toString);
    }

    @Test
    void nothingIsLeftInTheFolder() throws Exception {
        byte[] library = library();
        NativeLibrary.unpack(library, sum(library), dir, NativeLibrary.ABI);
        try (var files = Files.list(dir)) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void nativeAccessDenied() throws Exception {
        assumeTrue(NativeLibrary.resource(NativeLibrary.RESOURCE) != null, "built without a C compiler");
        assertTrue(said("--illegal-native-access=deny").contains("--enable-native-access=ALL-UNNAMED"));
        assertTrue(said("-Dheed.native=false").contains("-Dheed.native=false turns the native kernels off"));
    }

    private static String said(String option) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(option, "-cp", System.getProperty("java.class.path"), Program.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), () -> command + " did not end");
        return said;
    }

    private static byte[] library() {
        byte[] library = NativeLibrary.resource(NativeLibrary.RESOURCE);
        assumeTrue(library != null, "built without a C compiler");
        return library;
    }

    private static String sum(byte[] bytes) {
        return NativeLibrary.sha256(bytes);
    }

    private static void assertReason(NativeLibrary.Loaded loaded, String... parts) {
        assertEquals(1, loaded.reasons().size(), loaded::toString);
        assertEquals(0, loaded.features());
        for (String part : parts) {
            assertTrue(loaded.reasons().getFirst().contains(part), loaded.reasons()::toString);
        }
    }
}
