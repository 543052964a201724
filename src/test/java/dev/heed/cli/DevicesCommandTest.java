package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.HeedCommand;
import dev.heed.ffi.NativeLibrary;
import dev.heed.opencl.Devices;
import dev.heed.opencl.Discovery;
import dev.heed.opencl.OpenCl;
import dev.heed.probe.Finding;
import dev.heed.probe.Probe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevicesCommandTest {
    private static final FaultyBackend NOT_READY = new FaultyBackend(FaultyBackend.Fault.NOT_READY);

    @Test
    void listsWhatIsReadyAndAllReasonsOfWhatIsNot() {
        String out = Heed.run(List.of(NOT_READY, new ReferenceBackend()), "devices")
                .succeeded()
                .out();
        assertTrue(out.startsWith("machine    "), out);
        assertTrue(out.contains("broken     not ready, because"), out);
        assertTrue(out.contains("           libBroken.so is missing: apt install broken"), out);
        assertTrue(out.contains("           and it rains"), out);
        assertTrue(out.contains("reference  ready"), out);
    }

    @Test
    void json() {
        JsonObject json = Heed.run(List.of(NOT_READY, new ReferenceBackend()), "devices", "--json")
                .succeeded()
                .json();
        assertTrue(json.getAsJsonObject("machine").get("cores").getAsInt() > 0);
        JsonObject broken = json.getAsJsonArray("backends").get(0).getAsJsonObject();
        assertEquals("broken", broken.get("name").getAsString());
        assertEquals(false, broken.get("ready").getAsBoolean());
        assertEquals(2, broken.getAsJsonArray("reasons").size());
        assertEquals(0, broken.getAsJsonArray("devices").size());
        assertEquals(
                true,
                json.getAsJsonArray("backends")
                        .get(1)
                        .getAsJsonObject()
                        .get("ready")
                        .getAsBoolean());
    }

    @Test
    void withoutAnyBackend() {
        assertTrue(Heed.run(List.of(), "devices").succeeded().out().contains("no backend was found"));
        Heed.run(List.of(), "devices", "--json").succeeded().json();
    }

    @Test
    void openClOrTheReasonWhyNot() {
        var none = new Discovery(List.of(), List.of("OpenCL has no platform: apt install pocl-opencl-icd"));
        assertEquals(
                List.of("OpenCL     no device: OpenCL has no platform: apt install pocl-opencl-icd"),
                DevicesCommand.openClLines(none));
        Discovery here = OpenCl.discovery();
        JsonObject json = Heed.run(List.of(), "devices", "--json").succeeded().json();
        JsonObject opencl = json.getAsJsonObject("opencl");
        assertEquals(here.devices().size(), opencl.getAsJsonArray("devices").size());
        assertEquals(here.reasons().size(), opencl.getAsJsonArray("reasons").size());
        List<String> lines = DevicesCommand.openClLines(here);
        long said = lines.stream().filter(line -> !line.contains("measured: ")).count();
        assertEquals(here.devices().size() + here.reasons().size(), said);
        assertTrue(lines.getFirst().startsWith("OpenCL     "), lines::toString);
    }

    @Test
    void nativeKernelsOrTheReasonWhyNot() {
        assertEquals(
                List.of("native     bf16 products"), DevicesCommand.nativeLines("bf16 products", List.of(), List.of()));
        assertEquals(
                List.of("native     not used: -Dheed.native=false asks for it"),
                DevicesCommand.nativeLines("", List.of(), List.of("-Dheed.native=false asks for it")));
        assertEquals(
                List.of("native     bf16 products by AVX512-BF16", "           AMX-BF16 is not used: why"),
                DevicesCommand.nativeLines(
                        "bf16 products by AVX512-BF16", List.of("AMX-BF16 is not used: why"), List.of()));
        JsonObject kernels =
                Heed.run(List.of(), "devices", "--json").succeeded().json().getAsJsonObject("native");
        assertEquals(NativeLibrary.describe(), kernels.get("features").getAsString());
        assertEquals(
                NativeLibrary.reasons().size(),
                kernels.getAsJsonArray("reasons").size());
    }

    @Test
    void probesRunInProcessesOfTheirOwn(@TempDir Path dir) throws Exception {
        Devices.present();
        Path file = dir.resolve("probes.json");
        Heed run = Heed.run("devices", "--probe", "--only", "compiler", "--json", file.toString())
                .succeeded();
        assertTrue(run.out().contains("compiler.kernel"), run.out());
        JsonObject json = new Gson().fromJson(Files.readString(file), JsonObject.class);
        assertEquals(2, json.getAsJsonArray("probes").size());
        JsonObject kernel = json.getAsJsonArray("probes").get(1).getAsJsonObject();
        assertEquals("ok", kernel.get("status").getAsString(), kernel::toString);
        assertTrue(kernel.getAsJsonObject("figures").get("maxWorkGroupSize16").getAsInt() > 0);
        assertEquals(
                Devices.best().name(),
                json.getAsJsonObject("device").get("name").getAsString());
    }

    /** Uses an unknown probe, whose process ends with code 1 and writes no JSON, as after a crash. */
    @Test
    void aProbeWhoseProcessFailsIsALine() {
        var unknown = new Probe("no.such.probe", "nothing", false, context -> Finding.broken("", "", ""));
        JsonObject finding = ForkedCommand.run(unknown);
        assertEquals("failed", finding.get("status").getAsString());
        assertTrue(finding.get("detail").getAsString().contains("its process ended with code 1"), finding::toString);
        assertTrue(ProbeReport.line(finding).startsWith("failed   no.such.probe"), finding::toString);
    }

    @Test
    void probesThatAreMisnamed() {
        Devices.present();
        Heed.run("devices", "--only", "limits").failedWith(HeedCommand.MISUSED, "--probe");
        Heed.run("devices", "somewhere.json").failedWith(HeedCommand.MISUSED, "--probe");
        Heed.run("devices", "--probe", "--only", "nothing").failedWith(HeedCommand.MISUSED, "limits", "peak.fma");
    }

    @Test
    void theBackendsOfThisProcess() {
        assertEquals(0, Heed.run(CliEnvironment.ofThisProcess(), "devices").code());
    }
}
