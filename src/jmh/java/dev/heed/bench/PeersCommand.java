package dev.heed.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench peers}: measures Heed and its peers on the rows of the grid. */
@Command(
        name = "peers",
        description = {
            "Measure Heed, libtorch twice (with OpenBLAS, and with MKL by DJL), two operators of ONNX Runtime and the naive loops on the same data, each in its own process, and print"
                    + " their rates, the ratio of Heed to the best peer, and the share of this machine's ceiling.",
            ""
        },
        footer = {
            "",
            "Every answer is compared with the double-precision reference before timing; a wrong answer is not timed."
                    + " Rates are those of the best iteration. Operations are halved for causal masks and multiplied by 2.5 for"
                    + " backward. Decode is measured in bytes of keys and values, softmax in bytes read and written.",
            "",
            "Examples:",
            "  bench peers --quick",
            "  bench peers --filter decode --repeats 3",
            "  bench peers --json run.json"
        })
final class PeersCommand extends MeasuringCommand {
    private static final String FORMAT = "%-11s  %-28s %8s %9s %8s %8s %8s %7s  %-8s %7s %8s  %s%n";

    /** Libraries that Heed is compared with; the naive loops are not a peer. */
    private static final List<String> PEERS = List.of("libtorch", "djl", "onnxruntime", "onnxruntime-gqa");

    @Option(names = "--filter", paramLabel = "TEXT", description = "Only rows whose group or sizes contain the text.")
    private String filter = "";

    @Override
    Boolean measure() throws IOException {
        List<Row> rows = Row.grid(quick).stream().filter(this::wanted).toList();
        if (rows.isEmpty()) {
            throw misuse("no row of the " + (quick ? "quick " : "") + "grid contains \"" + filter + "\"");
        }
        int runs = rows.stream().mapToInt(row -> row.contestants(quick).size()).sum();
        PrintWriter out = out();
        introduce("Heed and its peers");
        boolean good = true;
        try (Laboratory laboratory = laboratory(runs * repeats
                + 2 * Row.Ceiling.values().length
                + 2 * (int) rows.stream().filter(PeersCommand::hasOwnCeiling).count())) {
            Map<Row.Ceiling, Trial> ceilings = ceilings(laboratory, "ceilings");
            out.println();
            out.printf(
                    FORMAT,
                    "",
                    "",
                    "Heed",
                    "libtorch",
                    "DJL",
                    "ORT",
                    "ORT GQA",
                    "naive",
                    "",
                    "ratio",
                    "ceiling",
                    "ratio to");
            List<String> failures = new ArrayList<>();
            Map<Row.Group, List<Double>> ratios = new EnumMap<>(Row.Group.class);
            var table = new JsonArray();
            for (Row row : rows) {
                Trial before = hasOwnCeiling(row) ? ceiling(laboratory, row.group().ceiling) : null;
                Map<String, Trial> trials = race(laboratory, row);
                Trial own = before == null ? null : before.and(ceiling(laboratory, row.group().ceiling));
                Trial limit = own == null ? ceilings.get(row.group().ceiling) : own;
                double ours = trials.get("vector").best();
                double better = best(trials, bestPeer(trials));
                double ratio = better > 0 ? ours / better : Double.NaN;
                print(row, trials, ratio, ours / limit.best());
                trials.forEach((name, trial) -> {
                    if (trial.failed()) {
                        failures.add(row.group() + " " + row.label() + ", " + name + ": " + trial.failure());
                    }
                });
                if (ratio > 0) {
                    ratios.computeIfAbsent(row.group(), group -> new ArrayList<>())
                            .add(ratio);
                }
                JsonObject json = json(row, trials, ratio);
                if (own != null) {
                    json.add("ownCeiling", own.json());
                }
                table.add(json);
            }
            out.println();
            // Other processes may have disturbed the first measurement; the file contains the values of both
            // measurements.
            ceilings(laboratory, "ceilings once more")
                    .forEach((ceiling, trial) -> ceilings.merge(ceiling, trial, Trial::and));
            ratios.forEach((group, all) -> out.printf(
                    Locale.ROOT,
                    "%s: %.2f times the best peer (geometric mean of %d, lowest %.2f)%n",
                    name(group),
                    mean(all),
                    all.size(),
                    all.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN)));
            failures.forEach(failure -> out.println("failed: " + failure));
            good = failures.isEmpty();
            save(ceilings, table, ratios);
        }
        return good;
    }

    private boolean wanted(Row row) {
        String text = name(row.group()) + " " + row.label() + " " + row.problem();
        return text.contains(filter);
    }

    /**
     * {@return whether the ceiling of a row is measured again before and after the row, because memory bandwidth
     * changes from minute to minute}
     */
    private static boolean hasOwnCeiling(Row row) {
        return row.group().ceiling != Row.Ceiling.FMA;
    }

    private Trial ceiling(Laboratory laboratory, Row.Ceiling ceiling) throws IOException {
        String name = "ceiling " + ceiling.name().toLowerCase(Locale.ROOT);
        return laboratory.run(name, ceiling.benchmark, ceiling.column, threads, Map.of());
    }

    private Map<Row.Ceiling, Trial> ceilings(Laboratory laboratory, String title) throws IOException {
        Map<Row.Ceiling, Trial> ceilings = new EnumMap<>(Row.Ceiling.class);
        var line = new StringBuilder(title);
        for (Row.Ceiling ceiling : Row.Ceiling.values()) {
            String name = ceiling.name().toLowerCase(Locale.ROOT);
            Trial trial = ceiling(laboratory, ceiling);
            ceilings.put(ceiling, trial);
            line.append(String.format(Locale.ROOT, "  %s %.1f %s", name, trial.best(), ceiling.unit));
        }
        out().println(line);
        out().flush();
        return ceilings;
    }

    /** Runs all contestants of a row alternately, {@code --repeats} times, so that a slow minute affects all of them. */
    private Map<String, Trial> race(Laboratory laboratory, Row row) throws IOException {
        Map<String, Trial> trials = new LinkedHashMap<>();
        for (int repeat = 0; repeat < repeats; repeat++) {
            for (String backend : row.contestants(quick)) {
                Trial trial = laboratory.run(
                        name(row.group()) + " " + row.label() + ", " + backend,
                        row.group().benchmark,
                        row.group().ceiling.column,
                        1,
                        Map.of("problem", row.problem(), "backend", backend, "threads", String.valueOf(threads)));
                trials.merge(backend, trial, Trial::and);
            }
        }
        return trials;
    }

    private void print(Row row, Map<String, Trial> trials, double ratio, double share) {
        out().printf(
                        Locale.ROOT,
                        FORMAT,
                        name(row.group()),
                        row.label(),
                        rate(trials.get("vector")),
                        rate(trials.get("libtorch")),
                        rate(trials.get("djl")),
                        rate(trials.get("onnxruntime")),
                        rate(trials.get("onnxruntime-gqa")),
                        rate(trials.get("naive")),
                        row.group().ceiling.unit,
                        Double.isNaN(ratio) ? "-" : String.format(Locale.ROOT, "%.2fx", ratio),
                        Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * share),
                        Double.isNaN(ratio) ? "-" : operator(row, bestPeer(trials)));
        out().flush();
    }

    private static String name(Row.Group group) {
        return group.name().toLowerCase(Locale.ROOT);
    }

    /** {@return the fastest peer of a row} */
    private static String bestPeer(Map<String, Trial> trials) {
        return PEERS.stream()
                .max(Comparator.comparingDouble(peer -> best(trials, peer)))
                .orElseThrow();
    }

    /** {@return the operator by which a peer computes a row} */
    private static String operator(Row row, String peer) {
        String attention = switch (peer) {
            case "onnxruntime" -> "ORT MultiHeadAttention";
            case "onnxruntime-gqa" -> "ORT GroupQueryAttention";
            default -> peer + " scaled_dot_product_attention";
        };
        return switch (row.group()) {
            case PREFILL, DECODE -> attention;
            case BACKWARD -> attention + " backward";
            case SOFTMAX -> peer.equals("onnxruntime") ? "ORT Softmax" : peer + " softmax";
            case PROJECTIONS -> peer.equals("onnxruntime") ? "ORT MatMul, Add" : peer + " linear";
            case MULTIHEAD ->
                peer.equals("onnxruntime") ? "ORT MatMul, MultiHeadAttention" : peer + " linear, attention";
        };
    }

    private static double best(Map<String, Trial> trials, String backend) {
        Trial trial = trials.get(backend);
        return trial == null || trial.failed() ? 0 : trial.best();
    }

    private static double mean(List<Double> ratios) {
        return Math.exp(ratios.stream().mapToDouble(Math::log).average().orElse(Double.NaN));
    }

    private static JsonObject json(Row row, Map<String, Trial> trials, double ratio) {
        var json = new JsonObject();
        json.addProperty("group", name(row.group()));
        json.addProperty("label", row.label());
        json.addProperty("case", row.problem());
        json.addProperty("unit", row.group().ceiling.unit);
        json.add("ratioToBetterPeer", number(ratio));
        json.addProperty("betterPeer", Double.isNaN(ratio) ? "-" : operator(row, bestPeer(trials)));
        json.addProperty("ceiling", row.group().ceiling.name().toLowerCase(Locale.ROOT));
        var contestants = new JsonObject();
        trials.forEach((name, trial) -> contestants.add(name, trial.json()));
        json.add("contestants", contestants);
        return json;
    }

    private void save(Map<Row.Ceiling, Trial> ceilings, JsonArray rows, Map<Row.Group, List<Double>> ratios)
            throws IOException {
        var limits = new JsonObject();
        ceilings.forEach((ceiling, trial) -> {
            JsonObject json = trial.json();
            json.addProperty("unit", ceiling.unit);
            limits.add(ceiling.name().toLowerCase(Locale.ROOT), json);
        });
        var means = new JsonObject();
        ratios.forEach((group, all) -> means.addProperty(name(group), mean(all)));
        var json = new JsonObject();
        json.add("ceilings", limits);
        json.add("rows", rows);
        json.add("geometricMeanRatios", means);
        save(json);
    }
}
