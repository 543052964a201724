package dev.heed.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests compiled programs on disk: valid files are used, others are replaced, and no file makes a call fail. */
class ProgramFilesTest {
    @TempDir
    Path cache;

    /** {@return the numbers of programs built from source and from a binary} Builds a program, runs it and checks its result. */
    private int[] use(Path folder, String options) {
        Device device = Devices.best();
        FaultyCalls calls = FaultyCalls.counting(device);
        try (DeviceContext context = new DeviceContext(
                        calls.device(device),
                        ContextSettings.ofProperties(device).withCache(folder));
                DeviceBuffer x = context.allocate(16);
                DeviceBuffer y = context.allocate(16);
                Kernel axpy = context.program(DeviceContextTest.SOURCE, options).kernel("axpy")) {
            context.queue().write(x, 0, MemorySegment.ofArray(new float[] {1, 2, 3, 4}));
            context.queue().write(y, 0, MemorySegment.ofArray(new float[4]));
            context.queue()
                    .launch(axpy.arguments().buffer(x).buffer(y).float32(2).int32(4), WorkSize.of(4, 4));
            float[] out = new float[4];
            context.queue().read(y, 0, MemorySegment.ofArray(out));
            assertArrayEquals(new float[] {2, 4, 6, 8}, out);
        }
        assertEquals(List.of(), calls.live());
        int programs = calls.counts().getOrDefault("createProgram", 0);
        int logs = calls.counts().getOrDefault("programBinary", 0); // requested only after a build from source
        return new int[] {logs, programs - logs};
    }

    private List<Path> files() throws Exception {
        Path folder = cache.resolve("opencl");
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @Test
    void theSecondContextTakesTheBinary() throws Exception {
        assertArrayEquals(new int[] {1, 0}, use(cache, ""));
        assertEquals(1, files().size());
        assertTrue(files().getFirst().getFileName().toString().matches("axpy-[0-9a-f]{40}\\.bin"));
        assertArrayEquals(new int[] {0, 1}, use(cache, ""));
        assertArrayEquals(new int[] {1, 0}, use(cache, "-DUNUSED=1"));
        assertEquals(2, files().size());
    }

    @Test
    void aDamagedFileIsReplaced() throws Exception {
        use(cache, "");
        Path file = files().getFirst();
        byte[] good = Files.readAllBytes(file);
        List<byte[]> damaged = new ArrayList<>();
        damaged.add(new byte[0]);
        damaged.add(new byte[20]);
        damaged.add(java.util.Arrays.copyOf(good, good.length - 1));
        byte[] flipped = good.clone();
        flipped[good.length / 2] ^= 1;
        damaged.add(flipped);
        for (byte[] content : damaged) {
            Files.write(file, content);
            assertArrayEquals(new int[] {1, 0}, use(cache, ""));
            assertArrayEquals(new int[] {0, 1}, use(cache, ""));
        }
    }

    /** A file is replaced if it is intact but the driver rejects its binary. */
    @Test
    void aRefusedBinaryIsCompiledAgain() throws Exception {
        Device device = Devices.best();
        var files = new ProgramFiles(cache, device);
        String name = files.name(DeviceContextTest.SOURCE, "");
        files.write(name, "this is no binary of any driver".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertEquals(31, files.read(name).length);
        int[] used = use(cache, "");
        assertEquals(1, used[0], "built from source");
        assertTrue(files.read(name).length != 31);
        assertArrayEquals(new int[] {0, 1}, use(cache, ""));
    }

    @Test
    void aFolderThatCannotBeWrittenMeansNoFiles() throws Exception {
        Path file = Files.writeString(cache.resolve("file"), "a file is no folder");
        assertArrayEquals(new int[] {1, 0}, use(file, ""));
        assertArrayEquals(new int[] {1, 0}, use(file.resolve("below"), ""));
        assertEquals(List.of(), files());
    }

    /** No binary is requested from PoCL: it has its own cache of kernels, and would compile every kernel again to return one. */
    @Test
    void nobodyAsksForABinaryThatIsNotKept() {
        Device device = Devices.best();
        assumeTrue(device.driverCachesKernels(), "the driver of " + device.name() + " keeps no kernels");
        FaultyCalls calls = FaultyCalls.counting(device);
        try (DeviceContext context = new DeviceContext(calls.device(device), ContextSettings.ofProperties(device))) {
            context.program(DeviceContextTest.SOURCE, "");
        }
        assertEquals(1, calls.counts().get("createProgram"));
        assertEquals(0, calls.counts().getOrDefault("programBinary", 0));
    }

    @Test
    void everythingThatABinaryDependsOnIsInItsName() {
        Device device = Devices.best();
        var files = new ProgramFiles(cache, device);
        String name = files.name(new KernelSource("a.cl", "text"), "options");
        assertEquals(name, files.name(new KernelSource("a.cl", "text"), "options"));
        assertFalse(name.equals(files.name(new KernelSource("a.cl", "texto"), "ptions")));
        assertFalse(name.equals(files.name(new KernelSource("a.cl", "text"), "")));
        assertFalse(files.name(new KernelSource("../../a.cl", "text"), "").contains("/"));
    }

    @Test
    void manyWriteTheSameFile() throws Exception {
        Devices.present();
        try (var threads = Executors.newFixedThreadPool(8)) {
            List<Future<int[]>> work = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                work.add(threads.submit(() -> use(cache, "-DSCALE=1")));
            }
            for (Future<int[]> one : work) {
                assertEquals(1, one.get()[0] + one.get()[1]);
            }
        }
        assertEquals(1, files().size());
        assertArrayEquals(new int[] {0, 1}, use(cache, "-DSCALE=1"));
    }
}
