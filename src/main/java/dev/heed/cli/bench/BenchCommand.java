package dev.heed.cli.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.heed.AttentionProblem;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.machine.Machine;
import dev.heed.opencl.Device;
import dev.heed.opencl.OpenCl;
import dev.heed.probe.Finding;
import dev.heed.probe.Probe;
import dev.heed.probe.Probes;
import dev.heed.tensor.InvalidInputException;
import dev.heed.verify.Case;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heed bench}: times the kernels of attention on the OpenCL device. */
public @Command(
        name = "bench",
        description = {
            "Time the kernels of attention with the clock of the OpenCL device: FlashAttention's grid (16k tokens, heads"
                    + " * headDim = 2048) and the shape of Llama 3.1 8B, forward, backward and decode. A time is the"
                    + " median of up to 30 calls. Some rows of every result are first compared with the formula in"
                    + " double precision.",
            "Rates are in TFLOP/s, with operations counted as in FlashAttention's papers: half for causal masks, 2.5"
                    + " times for backward. Decode is in GB/s of keys and values. Copies between host and device are"
                    + " excluded."
        },
        footer = {
            "",
            "Examples:",
            "  heed bench --json heed.json",
            "  heed bench --filter \"x128 kv16x16384 bf16\"",
            "  heed bench --scale 128 --repeats 5",
            "  heed bench --read heed.json --beside torch.json"
        }) final class BenchCommand extends HeedCommand {
    private static final String MEMORY = "peak.memory";
    private static final String PORTABLE = "portable kernels: ";
    private static final String INSTEAD = "portable kernels instead of matrix units: ";

    @Option(
            names = "--filter",
            paramLabel = "TEXT",
            description = "Only rows whose group and case, joined by a space, contain the text.")
    private String filter = "";

    @Option(
            names = "--scale",
            paramLabel = "N",
            description = "Divide all lengths by N, for a trial run without a GPU (default 1).")
    private int scale = 1;

    @Option(names = "--repeats", paramLabel = "N", description = "Maximum timed calls per row (default 30).")
    private int repeats = 30;

    @Option(
            names = "--minutes",
            paramLabel = "N",
            description = "Start no further row after N minutes (default: no limit).")
    private double minutes = Double.POSITIVE_INFINITY;

    @Option(names = "--read", paramLabel = "FILE", description = "Do not measure; print the results of an earlier run.")
    private @Nullable Path read;

    @Option(
            names = "--beside",
            paramLabel = "FILE",
            description = "Also print the results of another program, such as torch_sdpa.py.")
    private List<Path> beside = List.of();

    @Parameters(paramLabel = "FILE", arity = "0..1", description = "With --json: the file for the JSON.")
    private @Nullable Path file;

    public BenchCommand(CliEnvironment environment) {
        super(environment);
    }

    @Override
    public Integer call() throws IOException {
        if (scale < 1 || repeats < 1 || !(minutes > 0)) {
            throw new InvalidInputException(
                    "Rows must be timed at least once, and lengths divided by a whole number",
                    "--scale and --repeats of 1 or more, --minutes above 0",
                    "--scale " + scale + " --repeats " + repeats + " --minutes " + minutes,
                    "heed bench --scale 128 --repeats 5");
        }
        if (file != null && !asJson()) {
            throw new InvalidInputException(
                    "A file is written only with --json", "--json", file.toString(), "heed bench --json FILE");
        }
        List<KernelReport> reports = new ArrayList<>();
        for (Path other : beside) {
            reports.add(KernelReport.read(other));
        }
        boolean lines = !asJson() || file != null;
        KernelReport ours = read == null ? measured(lines) : KernelReport.read(read);
        reports.addFirst(ours);
        if (lines && (read != null || !beside.isEmpty())) {
            reports.forEach(report -> out().println(report.about()));
            KernelReport.table(reports).print(out());
        }
        if (file != null) {
            Files.writeString(file, JsonText.of(ours.json()) + "\n");
        } else if (asJson()) {
            print(ours.json());
        }
        boolean failed = ours.rows().stream().anyMatch(row -> row.has("failure"));
        return failed ? FAILED : OK;
    }

    private KernelReport measured(boolean lines) throws IOException {
        List<KernelGrid.Row> rows = KernelGrid.rows(scale).stream()
                .filter(row -> (row.group() + " " + row.text()).contains(filter))
                .toList();
        if (rows.isEmpty()) {
            throw new InvalidInputException(
                    "The filter selects no row",
                    "a part of a line such as \"flash q1x16x16384x128 kv16x16384 bf16 mask=causal:br\"",
                    filter,
                    "heed bench --filter \"flash q1x\"");
        }
        Device device = OpenCl.selected()
                .device()
                .orElseThrow(() -> new CommandFailure("There is no OpenCL device: "
                        + String.join("; ", OpenCl.selected().reasons()) + ". HINT: heed devices"));
        JsonElement gigabytes = copyBandwidth(device);
        KernelReport report = KernelReport.of(about(device, gigabytes));
        if (lines) {
            out().println("device     " + device.describe());
        }
        try (var backend = new OpenClBackend()) {
            List<String> kernels = backend.devices().stream().skip(1).toList();
            if (lines) {
                kernels.forEach(line -> out().println("           " + line));
            }
            var clock = new KernelClock(backend, repeats);
            long start = System.nanoTime();
            for (KernelGrid.Row row : rows) {
                if (System.nanoTime() - start > minutes * 60e9) {
                    if (lines) {
                        out().println(minutes + " minutes are over; the remaining rows (see --filter) begin with: "
                                + row.text());
                    }
                    break;
                }
                JsonObject json = row(clock, backend, row, gigabytes);
                report.add(json);
                if (file != null) {
                    Files.writeString(
                            file,
                            JsonText.of(report.json()) + "\n"); // keeps the rows measured so far if a later row fails
                }
                if (lines) {
                    out().println(line(row, json));
                    out().flush();
                }
            }
        }
        return report;
    }

    private JsonObject about(Device device, JsonElement gigabytes) {
        var about = new JsonObject();
        about.addProperty("program", "heed");
        about.addProperty("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        var on = new JsonObject();
        on.addProperty("name", device.name());
        on.addProperty("vendor", device.vendor());
        on.addProperty("platform", device.platform());
        on.addProperty("driver", device.driver());
        on.addProperty("version", device.version());
        on.addProperty("computeUnits", device.limits().computeUnits());
        on.add("memoryGBs", gigabytes);
        about.add("device", on);
        about.addProperty("java", Runtime.version().toString());
        about.addProperty("system", Machine.current().system());
        about.addProperty("scale", scale);
        return about;
    }

    /**
     * {@return the memory bandwidth of a plain copy in GB/s, with which decode is compared; JSON null if it cannot be
     * measured}
     */
    private static JsonElement copyBandwidth(Device device) {
        for (Probe probe : Probes.list()) {
            if (probe.id().equals(MEMORY)) {
                Finding found = probe.run(device);
                Object rate = found.figures().get("readAndWrittenGBs");
                if (rate instanceof Double gigabytes) {
                    return JsonText.number(gigabytes);
                }
            }
        }
        return JsonNull.INSTANCE;
    }

    private static JsonObject row(KernelClock clock, OpenClBackend backend, KernelGrid.Row row, JsonElement gigabytes) {
        Case parsed = row.parsed();
        var json = new JsonObject();
        json.addProperty("case", row.text());
        json.addProperty("contestant", KernelReport.HEED);
        json.addProperty("group", row.group());
        try {
            KernelClock.Times times = clock.time(parsed);
            boolean units = times.kernels().keySet().stream().anyMatch(kernel -> kernel.contains("mma"));
            json.addProperty("family", units ? "mma" : "portable");
            json.addProperty("reason", units ? "" : reason(backend, parsed));
            var kernels = new JsonObject();
            times.kernels().forEach((kernel, nanos) -> kernels.addProperty(kernel, nanos));
            json.add("kernels", kernels);
            var nanos = new JsonArray();
            times.nanos().forEach(nanos::add);
            json.add("nanos", nanos);
            double millis = Objects.requireNonNull(KernelReport.millis(json));
            json.addProperty("medianMillis", millis);
            if (KernelReport.isDecode(parsed)) {
                double rate = KernelReport.bytes(parsed) / millis / 1e6;
                json.addProperty("gigabytesPerSecond", rate);
                if (gigabytes.isJsonPrimitive()) {
                    json.addProperty("percentOfMemory", 100 * rate / gigabytes.getAsDouble());
                }
            } else {
                json.addProperty("teraflops", KernelReport.flops(parsed) / millis / 1e9);
            }
        } catch (RuntimeException | OutOfMemoryError e) { // the next row may succeed
            json.addProperty("failure", ErrorLine.onOneLine(e.getMessage() == null ? e.toString() : e.getMessage()));
        }
        return json;
    }

    /** {@return the reason why portable kernels computed a row, as far as the device reports it} */
    private static String reason(OpenClBackend backend, Case row) {
        List<String> said = backend.devices().stream().skip(1).toList();
        if (said.isEmpty()) {
            return "matrix units are not used on this device";
        }
        List<String> reasons = said.stream()
                .filter(line -> line.startsWith(PORTABLE) || line.startsWith(INSTEAD))
                .map(line -> line.startsWith(PORTABLE)
                        ? line.substring(PORTABLE.length())
                        : line.substring(INSTEAD.length()))
                .toList();
        return reasons.isEmpty()
                ? "matrix units have no kernel for " + (row.backward() ? "backward of " : "")
                        + ((AttentionProblem) row.problem()).type().label()
                        + (KernelReport.isDecode(row) ? " decode" : "")
                : String.join("; ", reasons);
    }

    private static String line(KernelGrid.Row row, JsonObject json) {
        Double millis = KernelReport.millis(json);
        String rate = KernelReport.rate(row.parsed(), millis);
        String percent = json.has("percentOfMemory")
                ? String.format(
                        Locale.ROOT,
                        ", %.0f %% of memory",
                        json.get("percentOfMemory").getAsDouble())
                : "";
        return String.format(
                Locale.ROOT,
                "%-60s %12s %16s  %s",
                row.text(),
                millis == null ? "-" : String.format(Locale.ROOT, "%.3f ms", millis),
                rate == null ? "-" : rate,
                KernelReport.computedBy(json) + percent);
    }
}
