package dev.heed.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.BackendFailedException;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.Progress;
import dev.heed.cli.console.TextTable;
import dev.heed.ffi.NativeLibrary;
import dev.heed.machine.Machine;
import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceType;
import dev.heed.opencl.Discovery;
import dev.heed.opencl.OpenCl;
import dev.heed.opencl.Selection;
import dev.heed.probe.Finding;
import dev.heed.probe.Probe;
import dev.heed.probe.Probes;
import dev.heed.settings.Settings;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tuning.DeviceTables;
import dev.heed.tuning.MeasuredTable;
import dev.heed.view.text.VisibleText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heed devices}: lists the machine, its OpenCL devices, and the state of every backend. */
@Command(
        name = "devices",
        description = {
            "List the machine, its OpenCL devices and all backends: for ready backends their devices, for others the"
                    + " reasons and what to install.",
            "The automatic choice takes the first backend in the list that can compute a problem."
        },
        footer = {
            "",
            "Examples:",
            "  heed devices",
            "  heed devices --json",
            "  heed devices --probe --json probes.json",
            "  heed devices --probe --only peak",
            "",
            "-Dheed.opencl.device=NAME in HEED_JAVA_OPTS chooses among several OpenCL devices."
        })
final class DevicesCommand extends HeedCommand {
    static final String PROBE_ONE = "--probe-one";
    private static final int INDENT = 11;

    @Option(
            names = "--probe",
            description = "Measure the OpenCL device: limits, instructions, speeds; takes a minute or two.")
    private boolean probe;

    @Option(names = "--only", paramLabel = "WORD", description = "Only probes whose name begins with WORD.")
    private @Nullable String only;

    @Option(names = PROBE_ONE, hidden = true, paramLabel = "ID", description = "Run one probe in this process.")
    private @Nullable String probeOne;

    @Parameters(
            paramLabel = "FILE",
            arity = "0..1",
            description = "With --probe --json: the file for the JSON; the lines then go to standard output.")
    private @Nullable Path file;

    DevicesCommand(CliEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() {
        if (probeOne != null) {
            return probeHere(probeOne);
        }
        if (!probe && (file != null || only != null)) {
            throw new InvalidInputException(
                    file != null ? "Only --probe writes a file" : "--only chooses among probes",
                    "--probe",
                    file != null ? file.toString() : "--only " + only,
                    "heed devices --probe --json FILE");
        }
        if (probe) {
            return probeAll();
        }
        Machine machine = Machine.current();
        Discovery opencl = OpenCl.discovery();
        if (asJson()) {
            printJson(machine, opencl);
            return OK;
        }
        out().println("machine    " + machine.describe());
        openClLines(opencl).forEach(out()::println);
        nativeLines(NativeLibrary.describe(), NativeLibrary.refusals(), NativeLibrary.reasons())
                .forEach(out()::println);
        for (AttentionBackend backend : environment().backends()) {
            List<String> reasons = backend.notReadyReasons();
            boolean ready = reasons.isEmpty();
            out().println(VisibleText.padRight(backend.name(), 10) + " " + (ready ? "ready" : "not ready, because"));
            (ready ? backend.devices() : reasons).forEach(line -> out().println(indented(line)));
        }
        if (environment().backends().isEmpty()) {
            out().println("no backend was found");
        }
        return OK;
    }

    private static String indented(String line) {
        return " ".repeat(INDENT) + VisibleText.of(line);
    }

    /**
     * {@return the features of the native kernels or the reasons why the kernels are not used, followed by the reasons
     * why single features are not used}
     */
    static List<String> nativeLines(String features, List<String> refusals, List<String> reasons) {
        List<String> lines = new ArrayList<>();
        for (String line : reasons.isEmpty() ? List.of(features) : reasons) {
            String text = (reasons.isEmpty() ? "" : "not used: ") + line;
            lines.add(lines.isEmpty() ? "native     " + VisibleText.of(text) : indented(text));
        }
        refusals.forEach(line -> lines.add(indented(line)));
        return lines;
    }

    // ---------------------------------------------------------------- OpenCL

    /** {@return the devices with their indices, and the reasons why others are unavailable} */
    static List<String> openClLines(Discovery opencl) {
        List<String> lines = new ArrayList<>();
        for (Device device : opencl.devices()) {
            lines.add(device.index() + "  " + device.describe());
            measured(device).forEach(file -> lines.add("   measured: " + file));
        }
        for (String reason : opencl.reasons()) {
            lines.add((opencl.devices().isEmpty() ? "no device: " : "") + reason);
        }
        List<String> all = new ArrayList<>();
        for (String line : lines) {
            all.add(all.isEmpty() ? "OpenCL     " + VisibleText.of(line) : indented(line));
        }
        return all;
    }

    private static DeviceTables tables(Device device) {
        return new DeviceTables(Settings.cacheFolder().orElse(null), device.name(), device.identity());
    }

    /** {@return the files with measured tables of a device, which replace the tables in the jar} */
    private static List<String> measured(Device device) {
        DeviceTables tables = tables(device);
        return Arrays.stream(MeasuredTable.values())
                .filter(table -> tables.read(table).isPresent())
                .flatMap(table -> tables.file(table).stream())
                .map(Path::toString)
                .toList();
    }

    private static JsonObject json(Device device) {
        var it = new JsonObject();
        it.addProperty("index", device.index());
        it.addProperty("name", device.name());
        it.addProperty("type", device.type().toString());
        it.addProperty("vendor", device.vendor());
        it.addProperty("platform", device.platform());
        it.addProperty("driver", device.driver());
        it.addProperty("version", device.version());
        it.addProperty("computeUnits", device.limits().computeUnits());
        it.addProperty("globalBytes", device.limits().globalBytes());
        it.addProperty("maxAllocationBytes", device.limits().maxAllocationBytes());
        it.addProperty("localBytes", device.limits().localBytes());
        it.addProperty("maxWorkGroupSize", device.limits().maxWorkGroupSize());
        it.add("measured", JsonText.texts(measured(device)));
        return it;
    }

    private void printJson(Machine machine, Discovery opencl) {
        var it = new JsonObject();
        it.addProperty("system", machine.system());
        it.addProperty("cores", machine.cores());
        it.addProperty("memoryBytes", machine.memoryBytes());
        it.addProperty("java", machine.java());
        it.addProperty(
                "vectorBits",
                machine.vectorBits().isPresent() ? machine.vectorBits().getAsInt() : null);
        it.add("vectorReasons", JsonText.texts(machine.vectorReasons()));
        var devices = new JsonObject();
        devices.add("devices", JsonText.array(opencl.devices(), DevicesCommand::json));
        devices.add("reasons", JsonText.texts(opencl.reasons()));
        var root = new JsonObject();
        root.add("machine", it);
        root.add("opencl", devices);
        var kernels = new JsonObject();
        kernels.addProperty("features", NativeLibrary.describe());
        kernels.add("refusals", JsonText.texts(NativeLibrary.refusals()));
        kernels.add("reasons", JsonText.texts(NativeLibrary.reasons()));
        root.add("native", kernels);
        root.add("backends", JsonText.array(environment().backends(), backend -> {
            List<String> reasons = backend.notReadyReasons();
            var entry = new JsonObject();
            entry.addProperty("name", backend.name());
            entry.addProperty("priority", backend.priority());
            entry.addProperty("ready", reasons.isEmpty());
            entry.add("devices", JsonText.texts(reasons.isEmpty() ? backend.devices() : List.of()));
            entry.add("reasons", JsonText.texts(reasons));
            return entry;
        }));
        print(root);
    }

    // ---------------------------------------------------------------- probes

    private static Device selected() {
        Selection selection = OpenCl.selected();
        return selection
                .device()
                .orElseThrow(() -> new CommandFailure("There is no OpenCL device to probe: "
                        + String.join("; ", selection.reasons()) + ". HINT: heed devices"));
    }

    /** Runs the chosen probes. A failed probe is a finding, not a failure of the command. */
    private int probeAll() {
        Device device = selected();
        List<Probe> chosen = Probes.list().stream()
                .filter(one -> only == null || one.id().startsWith(only))
                .toList();
        boolean crossing = only == null || "crossover".startsWith(only);
        if (chosen.isEmpty() && !crossing) {
            throw new InvalidInputException(
                    "No probe has a name with this beginning",
                    "the beginning of one of "
                            + String.join(
                                    ", ", Probes.list().stream().map(Probe::id).toList())
                            + ", crossover",
                    String.valueOf(only),
                    "heed devices --probe --only peak");
        }
        boolean lines = !asJson() || file != null;
        if (lines) {
            out().println("device     " + device.describe());
        }
        List<JsonObject> findings = new ArrayList<>();
        for (Probe one : chosen) {
            boolean inVain = one.nvidiaOnly() && !device.isNvidia();
            JsonObject finding = inVain ? ProbeReport.json(one.run(device)) : ForkedCommand.run(one);
            findings.add(finding);
            if (lines) {
                out().println(ProbeReport.line(finding));
                out().flush();
            }
        }
        var root = new JsonObject();
        root.add("device", json(device));
        root.addProperty("java", Runtime.version().toString());
        root.addProperty("system", Machine.current().system());
        var all = new JsonArray();
        findings.forEach(all::add);
        root.add("probes", all);
        if (crossing) {
            root.add("crossover", crossover(device, lines));
        }
        if (file != null) {
            write(file, JsonText.of(root));
        } else if (asJson()) {
            print(root);
        }
        if (lines && !findings.isEmpty()) {
            out().println(ProbeReport.count(findings, Finding.Status.OK) + " ok, "
                    + ProbeReport.count(findings, Finding.Status.FAILED) + " failed, "
                    + ProbeReport.count(findings, Finding.Status.SKIPPED) + " skipped");
        }
        return OK;
    }

    /**
     * Measures the number of operations from which the device is faster than the CPU, and stores it for the automatic
     * choice.
     */
    private JsonElement crossover(Device device, boolean lines) {
        AttentionBackend cpu = environment().backends().stream()
                .filter(backend -> !backend.name().equals("opencl")
                        && backend.notReadyReasons().isEmpty())
                .findFirst()
                .orElse(null);
        AttentionBackend opencl = environment().backends().stream()
                .filter(backend -> backend.name().equals("opencl")
                        && backend.notReadyReasons().isEmpty())
                .findFirst()
                .orElse(null);
        if (cpu == null || opencl == null) {
            return new JsonArray();
        }
        List<Crossover.Line> measured;
        try (Progress progress = progress("crossover", Crossover.steps())) {
            measured = new Crossover(cpu, opencl).measure(progress::step);
        } catch (BackendFailedException e) {
            out().println("crossover  " + ErrorLine.onOneLine(String.valueOf(e.getMessage())));
            return new JsonArray();
        }
        if (lines) {
            var table = new TextTable("crossover", cpu.name(), "opencl", "x " + cpu.name());
            for (Crossover.Line line : measured) {
                for (Crossover.Point point : line.points()) {
                    table.row(
                            line.label() + " " + point.problem(),
                            milliseconds(point.cpuSeconds()),
                            milliseconds(point.deviceSeconds()),
                            String.format(Locale.ROOT, "%.2f", point.cpuSeconds() / point.deviceSeconds()));
                }
            }
            table.print(out());
            for (Crossover.Line line : measured) {
                out().println(line.label() + ": " + verdict(line, cpu, device));
            }
        }
        try {
            Path kept = tables(device)
                    .write(
                            MeasuredTable.OPENCL_CROSSOVER,
                            measured.stream().map(Crossover.Line::row).toList());
            if (lines) {
                out().println("kept in    " + kept);
            }
        } catch (IOException e) {
            if (lines) {
                out().println("not kept   " + e.getMessage());
            }
        }
        return JsonText.array(measured, line -> {
            var it = new JsonObject();
            it.addProperty("kind", line.label());
            it.addProperty("megaflops", line.megaflops() == Integer.MAX_VALUE ? null : line.megaflops());
            it.add("points", JsonText.array(line.points(), point -> {
                var one = new JsonObject();
                one.addProperty("case", point.problem().toString());
                one.addProperty("cpuSeconds", point.cpuSeconds());
                one.addProperty("deviceSeconds", point.deviceSeconds());
                return one;
            }));
            return it;
        });
    }

    private static String verdict(Crossover.Line line, AttentionBackend cpu, Device device) {
        String suffix =
                device.type() == DeviceType.CPU ? " (this device is the CPU itself: never selected automatically)" : "";
        return switch (line.megaflops()) {
            case 0 -> "opencl is faster at every length" + suffix;
            case Integer.MAX_VALUE ->
                cpu.name() + " is faster at "
                        + (line.points().stream().anyMatch(Crossover.Point::deviceWins)
                                ? "the greatest length, so opencl is treated as slower at every length"
                                : "every length")
                        + suffix;
            default -> "opencl is faster from " + line.megaflops() + " Mflop on" + suffix;
        };
    }

    private static String milliseconds(double seconds) {
        return String.format(Locale.ROOT, "%.3f ms", seconds * 1e3);
    }

    private int probeHere(String id) {
        Probe probe = Probes.list().stream()
                .filter(one -> one.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new CommandFailure("There is no probe " + id));
        String text = JsonText.of(ProbeReport.json(probe.run(selected())));
        if (file != null) {
            write(file, text);
        } else {
            out().println(text);
        }
        return OK;
    }

    private static void write(Path to, String text) {
        try {
            Files.writeString(to, text + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
