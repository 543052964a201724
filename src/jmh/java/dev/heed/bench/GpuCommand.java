package dev.heed.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.heed.opencl.Device;
import dev.heed.opencl.DeviceType;
import dev.heed.opencl.OpenCl;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench gpu}: compares the OpenCL backend with the vector backend. */
@Command(
        name = "gpu",
        description = {
            "Compare the OpenCL backend with the vector backend: end to end, with all copies, and resident, with tensors"
                    + " kept on the device; each with direct calls and through JOCL.",
            ""
        },
        footer = {
            "",
            "Every answer is compared with the double-precision reference before timing.",
            "",
            "Examples:",
            "  bench gpu --quick",
            "  bench gpu --filter decode --json gpu.json",
            "  bench gpu --kernels --help: kernel times alone, FlashAttention's grid and Llama's shape"
        })
final class GpuCommand extends MeasuringCommand {
    private static final String FORMAT = "%-11s  %-23s %8s %9s %9s %9s %9s  %-8s %9s %9s%n";
    private static final List<String> CONTESTANTS =
            List.of("vector", "opencl", "opencl-jocl", "opencl-resident", "opencl-resident-jocl");

    @Option(names = "--filter", paramLabel = "TEXT", description = "Only rows whose group or sizes contain the text.")
    private String filter = "";

    @Override
    Boolean measure() throws IOException {
        List<Row> rows = Row.grid(quick).stream()
                .filter(row -> (name(row) + " " + row.label() + " " + row.problem()).contains(filter))
                .toList();
        if (rows.isEmpty()) {
            throw misuse("no row of the " + (quick ? "quick " : "") + "grid contains \"" + filter + "\"");
        }
        Device device = OpenCl.selected().device().orElse(null);
        if (device == null) {
            throw misuse("there is no OpenCL device: "
                    + String.join("; ", OpenCl.selected().reasons()));
        }
        introduce("OpenCL and the CPU");
        out().println("device     " + device.describe());
        boolean sameCpu = device.type() == DeviceType.CPU;
        if (sameCpu) {
            out().println("           this device is the CPU itself: the rows compare two ways to use it, not a GPU");
        }
        out().println();
        out().printf(FORMAT, "", "", "vector", "opencl", "by JOCL", "resident", "by JOCL", "", "x vector", "resident");
        List<String> failures = new ArrayList<>();
        var table = new JsonArray();
        try (Laboratory laboratory = laboratory(rows.size() * CONTESTANTS.size() * repeats)) {
            for (Row row : rows) {
                Map<String, Trial> trials = race(laboratory, row);
                print(row, trials);
                trials.forEach((name, trial) -> {
                    if (trial.failed()) {
                        failures.add(name(row) + " " + row.label() + ", " + name + ": " + trial.failure());
                    }
                });
                table.add(json(row, trials));
            }
        }
        failures.forEach(failure -> out().println("failed: " + failure));
        var json = new JsonObject();
        json.addProperty("device", device.describe());
        json.addProperty("sameCpu", sameCpu);
        json.add("rows", table);
        save(json);
        return failures.isEmpty();
    }

    private Map<String, Trial> race(Laboratory laboratory, Row row) throws IOException {
        Map<String, Trial> trials = new LinkedHashMap<>();
        for (int repeat = 0; repeat < repeats; repeat++) {
            for (String backend : CONTESTANTS) {
                Trial trial = laboratory.run(
                        name(row) + " " + row.label() + ", " + backend,
                        row.group().benchmark,
                        row.group().ceiling.column,
                        1,
                        Map.of("problem", row.problem(), "backend", backend, "threads", String.valueOf(threads)));
                trials.merge(backend, trial, Trial::and);
            }
        }
        return trials;
    }

    private void print(Row row, Map<String, Trial> trials) {
        List<Object> words = new ArrayList<>(List.of(name(row), row.label()));
        CONTESTANTS.forEach(name -> words.add(rate(trials.get(name))));
        words.add(row.group().ceiling.unit);
        words.add(ratio(trials.get("opencl"), trials.get("vector")));
        words.add(ratio(trials.get("opencl-resident"), trials.get("vector")));
        out().printf(Locale.ROOT, FORMAT, words.toArray());
        out().flush();
    }

    private static String ratio(Trial ours, Trial other) {
        return ours.failed() || other.failed() ? "-" : String.format(Locale.ROOT, "%.2fx", ours.best() / other.best());
    }

    private static String name(Row row) {
        return row.group().name().toLowerCase(Locale.ROOT);
    }

    private static JsonObject json(Row row, Map<String, Trial> trials) {
        var json = new JsonObject();
        json.addProperty("group", name(row));
        json.addProperty("label", row.label());
        json.addProperty("case", row.problem());
        json.addProperty("unit", row.group().ceiling.unit);
        var contestants = new JsonObject();
        trials.forEach((name, trial) -> contestants.add(name, trial.json()));
        json.add("contestants", contestants);
        return json;
    }
}
