package dev.heed.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.MeasuredTiles;
import dev.heed.backend.vector.kernels.Tiles;
import dev.heed.machine.Machine;
import dev.heed.settings.Settings;
import dev.heed.tuning.DeviceTables;
import dev.heed.tuning.MeasuredTable;
import dev.heed.tuning.VectorSize;
import dev.heed.verify.Case;
import dev.heed.verify.TimedCase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that the sizes that {@code heed tune} may choose change no bit of a result, and that files of the cache that cannot be used
 * leave the built-in sizes in place. A process reads its sizes once, so every set of sizes has a process.
 */
@Tag("slow")
class TileSizesPromiseTest {
    private static final int WIDTH = 64;

    /** Attention whose keys end inside a tile, for tall and other blocks; products deeper than a block; in each type. */
    private static final List<String> CASES = Stream.of("f32", "f16", "bf16")
            .flatMap(type -> Stream.of(
                    "q1x4x150x64 kv2x450 " + type + " lse",
                    "q1x2x150x72 dv20 kv1x450 " + type + " mask=causal:br lse backward",
                    "q1x8x3x64 kv2x1100 " + type,
                    "linear 131x203x70 bias " + type + " backward",
                    "linear 30x1603x33 " + type,
                    "mha in=150x150x150 out=90 biases=qkvo q1x3x131x11 kv3x131 " + type + " backward"))
            .toList();

    @TempDir
    Path cache;

    @BeforeEach
    void onlyTheVectorLoopsHaveTheseSizes() {
        assumeTrue(!Lanes.SCALAR, "plain loops");
    }

    /** Prints the sizes of this process; then, unless an argument is given, the bits of each case. */
    static final class Program {
        private Program() {}

        public static void main(String[] args) {
            try (var backend = new VectorBackend(2)) {
                for (VectorSize size : VectorSize.values()) {
                    System.out.println("SIZE " + size.column() + "=" + Tiles.current(size, WIDTH));
                }
                backend.devices().forEach(line -> System.out.println("DEVICE " + line));
                for (String text : args.length > 0 ? List.<String>of() : CASES) {
                    long bits = TimedCase.of(backend, Case.parse(text), 0).bits();
                    System.out.println("BITS " + Long.toHexString(bits) + " " + text);
                }
            }
        }
    }

    private static List<String> run(List<String> options, String... arguments) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
        Settings.VECTOR_BITS.value().ifPresent(bits -> command.add(Settings.VECTOR_BITS.to(bits)));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), said);
        assertEquals(0, process.exitValue(), said);
        return said.lines().toList();
    }

    private static List<String> lines(List<String> said, String start) {
        return said.stream().filter(line -> line.startsWith(start)).toList();
    }

    private static List<String> withSizes(String sizes) throws Exception {
        List<String> said = run(List.of(Settings.CACHE.to("none"), Settings.VECTOR_TILES.to(sizes)));
        for (String size : sizes.split(",", -1)) {
            assertTrue(said.contains("SIZE " + size), said::toString);
        }
        return lines(said, "BITS");
    }

    @Test
    void noSizeChangesTheBits() throws Exception {
        List<String> builtIn = lines(run(List.of(Settings.CACHE.to("none"))), "BITS");
        assertEquals(CASES.size(), builtIn.size());
        assertEquals(builtIn, withSizes("panels=1,depth=64,rows=6,fewestRows=1,vectors=4,tall=0"));
        assertEquals(builtIn, withSizes("panels=2,depth=66,rows=30,fewestRows=30,vectors=4,tall=1"));
        assertEquals(builtIn, withSizes("panels=3,depth=130,rows=12,fewestRows=6,vectors=2,tall=0"));
        assertEquals(builtIn, withSizes("panels=64,depth=65536,rows=4096,fewestRows=4096,vectors=2,tall=1"));
    }

    private DeviceTables tables() {
        String model = Machine.processor().orElse("");
        assumeTrue(!model.isEmpty(), "the system does not name the processor");
        String before = System.getProperty(Settings.CACHE.name());
        System.setProperty(Settings.CACHE.name(), cache.toString());
        try {
            return MeasuredTiles.tables();
        } finally {
            if (before == null) {
                System.clearProperty(Settings.CACHE.name());
            } else {
                System.setProperty(Settings.CACHE.name(), before);
            }
        }
    }

    private List<String> sizes(String... options) throws Exception {
        List<String> all = new ArrayList<>(List.of(Settings.CACHE.to(cache)));
        all.addAll(Arrays.asList(options));
        return run(all, "no cases");
    }

    @Test
    void measuredSizesAreUsedOnlyWithTheirVectorWidth() throws Exception {
        List<Path> files = List.of(
                tables().write(MeasuredTable.VECTOR_PREFILL, List.of("<=64\t|\t3", "<=32\t|\t5")),
                tables().write(MeasuredTable.VECTOR_GEMM, List.of("|\t130\t54\t18")),
                tables().write(MeasuredTable.VECTOR_BLOCK, List.of("|\t2\t1")));
        List<String> said = sizes();
        assertEquals(
                List.of("panels=3", "depth=130", "rows=54", "fewestRows=18", "vectors=2", "tall=1"),
                lines(said, "SIZE").stream().map(line -> line.substring(5)).toList());
        assertTrue(said.contains("DEVICE tile sizes: measured on this machine"), said::toString);
        for (Path file : files) {
            assertTrue(said.contains("DEVICE    measured: " + file), said::toString);
        }
        int other = Lanes.V * Float.SIZE == 128 ? 256 : 128;
        List<String> narrow = sizes(Settings.VECTOR_BITS.to(other));
        assertTrue(narrow.contains("DEVICE tile sizes: built in"), narrow::toString);
        assertFalse(narrow.contains("SIZE depth=130"), narrow::toString);
    }

    /** A file with the column of a size that changes bits, an impossible size, and a folder in the place of a file. */
    @Test
    void filesThatCannotBeUsedLeaveTheBuiltInSizes() throws Exception {
        Path prefill = tables().file(MeasuredTable.VECTOR_PREFILL).orElseThrow();
        Files.createDirectories(prefill.getParent());
        Files.writeString(prefill, "width\t|\tpanels\ttileKeys\n<=64\t|\t3\t64\n");
        Files.writeString(tables().file(MeasuredTable.VECTOR_BLOCK).orElseThrow(), "|\tvectors\ttall\n|\t3\t1\n");
        Files.createDirectories(tables().file(MeasuredTable.VECTOR_GEMM).orElseThrow());
        List<String> said = sizes();
        assertEquals(lines(run(List.of(Settings.CACHE.to("none")), "no cases"), "SIZE"), lines(said, "SIZE"));
        assertTrue(said.contains("DEVICE tile sizes: built in"), said::toString);
        List<String> warnings = lines(said, "WARNING: " + cache);
        assertEquals(3, warnings.size(), said::toString);
        String all = warnings.toString();
        assertTrue(all.contains("expected the columns width | panels, got width | panels tileKeys"), all);
        assertTrue(all.contains("expected vectors to be 2 or 4, got 3"), all);
        assertTrue(all.contains("it cannot be read"), all);
    }

    @Test
    void aCacheThatIsNoFolderIsNoTrouble() throws Exception {
        Path file = Files.writeString(cache.resolve("file"), "text");
        List<String> said = run(List.of(Settings.CACHE.to(file)), "no cases");
        assertTrue(said.contains("DEVICE tile sizes: built in"), said::toString);
        assertEquals(List.of(), lines(said, "WARNING: " + cache));
    }
}
