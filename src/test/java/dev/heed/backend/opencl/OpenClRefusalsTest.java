package dev.heed.backend.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.BackendFailedException;
import dev.heed.Problem;
import dev.heed.SoftmaxProblem;
import dev.heed.opencl.Contexts;
import dev.heed.opencl.Device;
import dev.heed.opencl.Devices;
import dev.heed.opencl.EditedPrograms;
import dev.heed.opencl.OpenCl;
import dev.heed.opencl.Selection;
import dev.heed.opencl.SmallGroups;
import dev.heed.tensor.InvalidInputException;
import dev.heed.verify.Case;
import dev.heed.verify.Verdict;
import dev.heed.verify.Verifier;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that a device that cannot compute is refused with the cause, and with a remedy that works. */
@Tag("slow")
class OpenClRefusalsTest {
    private static final SoftmaxProblem SOFTMAX = (SoftmaxProblem) Problem.parse("softmax 2x3 axis=1 f32");

    @ParameterizedTest
    @ValueSource(longs = {1, 32, 64, 128})
    void smallGroupsAreRefusedBeforeTheDeviceIsOpened(long most) {
        Selection small = SmallGroups.selection(Devices.best(), most);
        try (var backend = new OpenClBackend(OpenClOptions.DEFAULT, small, any -> {
            throw new AssertionError("the device was opened");
        })) {
            List<String> reasons = backend.notReadyReasons();
            assertEquals(1, reasons.size(), reasons::toString);
            String reason = reasons.getFirst();
            assertTrue(reason.contains("at most " + most + " work-items, and 256 are needed"), reason);
            assertTrue(reason.endsWith(most < 64 ? "another device" : "-Dheed.opencl.tiles=8,8,4,4,16"), reason);
            assertEquals(List.of(), backend.devices());
            assertThrows(IllegalStateException.class, () -> backend.plan(SOFTMAX));
        }
    }

    /** The remedy of the reason above. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x2x40x20 kv2x50 f32 mask=causal:br lse weights topk=3 backward",
                "linear 9x33x20 bias gelu f32 backward",
                "softmax 5x257 axis=1 f32 backward"
            })
    void smallTilesComputeWithSmallGroups(String text) {
        Selection device = SmallGroups.selection(Devices.best(), 64);
        OpenClOptions small = OpenClOptions.DEFAULT.withTiles(8, 8, 4, 4, 16);
        try (var backend = new OpenClBackend(small, device, Device::open)) {
            assertEquals(List.of(), backend.notReadyReasons());
            Verdict verdict = new Verifier(backend).check(Case.parse(text));
            assertSame(Verdict.Status.PASS, verdict.status(), verdict::toString);
        }
    }

    /** The first line, which reasons and logs repeat, has the error of the compiler. */
    @Test
    void aFailedBuildNamesTheErrorOfTheCompiler() {
        Devices.present();
        try (var backend = new OpenClBackend(
                OpenClOptions.DEFAULT,
                OpenCl.selected(),
                any -> EditedPrograms.open(any, source -> source + "\n#error heed-planted-error\n"))) {
            var e = assertThrows(BackendFailedException.class, () -> backend.plan(SOFTMAX));
            String first = e.getMessage().lines().findFirst().orElseThrow();
            assertTrue(first.contains("heed-planted-error") && !first.contains("options"), first);
            String reason = backend.notReadyReasons().getFirst();
            assertTrue(reason.contains("heed-planted-error"), reason);
            assertEquals(1, reason.lines().count(), reason);
        }
    }

    /** Lack of memory says nothing about the driver. */
    @Test
    void aSelfCheckWithoutMemoryIsNoFaultOfTheDriver() {
        Devices.present();
        try (var backend =
                new OpenClBackend(OpenClOptions.DEFAULT, OpenCl.selected(), device -> Contexts.limited(device, 100))) {
            assertThrows(BackendFailedException.class, () -> backend.plan(SOFTMAX));
            String reason = backend.notReadyReasons().getFirst();
            assertTrue(reason.contains("free memory of the device"), reason);
            assertFalse(reason.contains("update its driver"), reason);
        }
    }

    @Test
    void aClosedBackendSaysHowToGetAnother() {
        var backend = new OpenClBackend();
        backend.close();
        var e = assertThrows(IllegalStateException.class, () -> backend.plan(SOFTMAX));
        assertTrue(e.getMessage().endsWith("HINT: new OpenClBackend() opens another"), e.getMessage());
    }

    @Test
    void tilesThatNoDeviceTakesAreRefusedAtOnce() {
        for (int[] t : new int[][] {{2048, 1, 1, 1, 1}, {64, 32, 1, 1, 1}, {1, 1, 2000, 1, 1}, {16, 16, 4, 4, 24}}) {
            var e = assertThrows(
                    InvalidInputException.class, () -> OpenClOptions.DEFAULT.withTiles(t[0], t[1], t[2], t[3], t[4]));
            assertTrue(e.getMessage().contains("1024") && e.getMessage().contains("withTiles(16, 16, 4, 4, 16)"));
        }
        OpenClOptions.DEFAULT.withTiles(32, 32, 1, 1, 32);
    }
}
