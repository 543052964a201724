package dev.heed.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.Devices;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Tests that every probe ends in a finding. */
class ProbesTest {
    /**
     * On a device other than an NVIDIA GPU, probes for NVIDIA are skipped with the reason, and the others succeed; only probes of
     * local memory may fail.
     */
    @TestFactory
    Stream<DynamicTest> everyProbeHasAFinding() {
        Device device = Devices.best();
        return Probes.list().stream()
                .filter(ProbesTest::isShort)
                .map(probe -> dynamicTest(probe.id(), () -> {
                    Finding finding = probe.run(device);
                    assertEquals(probe.id(), finding.id());
                    if (device.isNvidia()) {
                        return; // any finding is valid there
                    }
                    if (probe.nvidiaOnly()) {
                        assertEquals(Finding.Status.SKIPPED, finding.status());
                        assertEquals("no NVIDIA compiler", finding.detail());
                    } else if (!probe.id().startsWith("local.")) { // devices have different limits
                        assertEquals(Finding.Status.OK, finding.status(), finding::detail);
                    }
                }));
    }

    /** {@return whether a probe takes less than a second; longer probes are run by hand} */
    private static boolean isShort(Probe probe) {
        return !probe.id().startsWith("wait.")
                && !probe.id().equals("peak.memory")
                && !probe.id().equals("launch");
    }

    @Test
    void localMemoryOfTheReportedSizeWorks() {
        Device device = Devices.best();
        for (Probe probe : Probes.list()) {
            if (probe.id().equals("local.argument.16") || probe.id().equals("local.static.16")) {
                Finding finding = probe.run(device);
                assertEquals(Finding.Status.OK, finding.status(), finding::detail);
                assertEquals(16384, finding.figures().get("bytes"));
            }
        }
    }

    /** If the compiler does not support PTX, every door is shut, with a reason, and no probe throws. */
    @Test
    void doorsSayWhatShowsIt() {
        Device device = Devices.best();
        assumeFalse(device.isNvidia());
        try (DeviceContext context = device.open()) {
            for (Finding finding : List.of(
                    DoorProbe.loaded(context, "sm_90a"),
                    DoorProbe.argument(context, "sm_80", 64),
                    DoorProbe.declared(context, 227),
                    DoorProbe.wgmma(context, 8),
                    DoorProbe.wgmma(context, 96))) {
                assertEquals(Finding.Status.FAILED, finding.status());
                assertEquals("no", finding.figures().get("open"));
                assertTrue(finding.detail().startsWith("shut: "), finding.detail());
                assertFalse(String.valueOf(finding.figures().get("evidence")).isBlank());
                assertTrue(finding.figures().containsKey("plainRefused"), finding::toString);
            }
        }
    }

    @Test
    void textsHaveTheirTargets() {
        assertTrue(DoorProbe.text("text.ptx", "sm_80").contains("\n.version 7.0\n.target sm_80\n"));
        assertTrue(DoorProbe.text("text.ptx", "sm_90a").contains("\n.version 8.0\n.target sm_90a\n"));
        assertTrue(DoorProbe.declaring(227).contains(".b8 tile[232448];"));
        assertTrue(DoorProbe.declaring(227).contains("232448 / 4;"));
    }

    @Test
    void whatGoesWrongIsAFinding() {
        Device device = Devices.best();
        for (Throwable thrown : new Throwable[] {
            new IllegalStateException("it rains"),
            new NoClassDefFoundError("it rains"),
            new OutOfMemoryError("it rains")
        }) {
            Finding finding = new Probe("rain", "whether it rains", false, context -> {
                        if (thrown instanceof Error error) {
                            throw error;
                        }
                        throw (RuntimeException) thrown;
                    })
                    .run(device);
            assertEquals(Finding.Status.FAILED, finding.status());
            assertEquals("it rains", finding.detail());
        }
    }

    /** A compiler without PTX rejects a kernel with PTX, and the finding contains the compiler's message. */
    @Test
    void anInstructionThatTheCompilerDoesNotKnowIsAFailure() {
        Device device = Devices.best();
        assumeFalse(device.isNvidia(), "this compiler supports PTX");
        Finding finding = new Probe("laneid", "PTX", false, PtxProbe::laneid).run(device);
        assertEquals(Finding.Status.FAILED, finding.status());
        assertTrue(finding.detail().contains("ptx.cl") && finding.detail().contains("-DPROBE=1"), finding::detail);
    }

    @Test
    void namesAreUnique() {
        var ids = new HashSet<String>();
        for (Probe probe : Probes.list()) {
            assertTrue(ids.add(probe.id()), probe.id());
            assertFalse(probe.id().contains(" ") || probe.title().isEmpty(), probe.id());
        }
        assertEquals(Map.of(), Finding.broken("a", "b", "c").figures());
    }
}
