package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.Problem;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.backend.opencl.device.Tuned;
import dev.heed.opencl.Device;
import dev.heed.opencl.OpenCl;
import dev.heed.tuning.DeviceTables;
import dev.heed.tuning.MeasuredTable;
import dev.heed.verify.Case;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that values measured on a device take precedence over the tables in the jar. */
class TunedTest {
    private static final String CACHE = "heed.cache";

    @TempDir
    Path cache;

    private String before = "";
    private Device device;

    @BeforeEach
    void useACacheOfItsOwn() {
        assumeTrue(
                OpenCl.selected().device().isPresent(),
                () -> OpenCl.selected().reasons().toString());
        device = OpenCl.selected().device().orElseThrow();
        before = System.getProperty(CACHE, "");
        System.setProperty(CACHE, cache.toString());
    }

    @AfterEach
    void putTheCacheBack() {
        if (before.isEmpty()) {
            System.clearProperty(CACHE);
        } else {
            System.setProperty(CACHE, before);
        }
    }

    private DeviceTables tables() {
        return new DeviceTables(cache, device.name(), device.identity());
    }

    @Test
    void measuredTilesComeFirst() throws IOException {
        TileSizes shipped = TileSizes.shipped(device, "backward", 64);
        assertEquals(shipped, Tuned.of(device).tiles("backward", 64));
        tables().write(MeasuredTable.OPENCL_TILES, List.of("backward\t<=64\t|\t4\t8\t2\t4\t8"));
        assertEquals(new TileSizes(4, 8, 2, 4, 8), Tuned.of(device).tiles("backward", 64));
        assertEquals(shipped, Tuned.of(device).tiles("backward", 128));
        assertEquals(TileSizes.shipped(device, "prefill", 64), Tuned.of(device).tiles("prefill", 64));
    }

    /** Tables of other versions and damaged tables must be ignored, and the result must still be right. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "phase\twidth\t|\ttx\tty\trm\trn\nprefill\t*\t|\t8\t8\t2\t2\n",
                "phase\twidth\t|\ttx\tty\trm\trn\tdepth\tunroll\nprefill\t*\t|\t8\t8\t2\t2\t8\t1\n",
                "kind\twidth\t|\ttx\tty\trm\trn\tdepth\nprefill\t*\t|\t8\t8\t2\t2\t8\n",
                "phase\twidth\t|\ttx\tty\trm\trn\tdepth\nprefill\t<=wide\t|\t8\t8\t2\t2\t8\n",
                "phase\twidth\t|\ttx\tty\trm\trn\tdepth\nprefill\t*\t|\t8\t8\t2\t2\n",
                "phase\twidth\t|\ttx\tty\trm\trn\tdepth\nprefill\t*\t|\t8\t8\tx\t2\t8\n",
                "phase\twidth\t|\ttx\tty\trm\trn\tdepth\nprefill\t*\t|\t99999\t99999\t99999\t99999\t1\n",
                "phase\twidth\t|\ttx\tty\trm\trn\tdepth\n",
                "",
            })
    void aTableThatCannotBeUsedIsPassedOver(String text) throws IOException {
        for (MeasuredTable table : MeasuredTable.values()) {
            Path file = tables().file(table).orElseThrow();
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        }
        assertEquals(TileSizes.shipped(device, "prefill", 64), Tuned.of(device).tiles("prefill", 64));
        assertEquals(List.of(), Tuned.of(device).passOverReasons(Problem.parse("q1x8x32x64 kv8x32 f32")));
        try (var backend = OpenClBackends.with(Engine.Family.TILES, null, Device::open)) {
            Verdict verdict = new Verifier(backend).check(Case.parse("q1x1x5x8 kv1x7 f32 lse"));
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
        }
    }

    @Test
    void impossibleTilesArePassedOver() throws IOException {
        tables().write(MeasuredTable.OPENCL_TILES, List.of("backward\t<=64\t|\t4\t8\t2\t4\t7"));
        assertEquals(TileSizes.shipped(device, "backward", 64), Tuned.of(device).tiles("backward", 64));
        assertThrows(IllegalArgumentException.class, () -> TileSizes.of(List.of(4, 8, 2, 4, 7)));
    }

    @Test
    void smallProblemsAreLeftToTheCpuWhereItWasMeasuredToBeFaster() throws IOException {
        Problem small = Problem.parse("q1x8x32x64 kv8x32 f32");
        Problem large = Problem.parse("q1x8x2048x64 kv8x2048 f32");
        Problem decode = Problem.parse("q1x32x1x128 kv8x32768 f32");
        assertEquals(List.of(), Tuned.of(device).passOverReasons(small));
        tables().write(MeasuredTable.OPENCL_CROSSOVER, List.of("prefill\t|\t500", "decode\t|\t2147483647"));
        Tuned tuned = Tuned.of(device);
        assertTrue(
                tuned.passOverReasons(small).getFirst().contains("below 500"), tuned.passOverReasons(small)::toString);
        assertEquals(List.of(), tuned.passOverReasons(large));
        assertTrue(tuned.passOverReasons(decode).getFirst().contains("at any"));
        assertEquals(List.of(), tuned.passOverReasons(Problem.parse("softmax 3x4 axis=1 f32")));
    }
}
