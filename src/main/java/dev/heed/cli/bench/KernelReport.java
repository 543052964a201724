package dev.heed.cli.bench;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import dev.heed.AttentionProblem;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.TextTable;
import dev.heed.verify.Case;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Kernel times as JSON, in the format that Heed and {@code torch_sdpa.py} share. The fields include {@code format},
 * {@code device} with name and driver, and {@code rows}. A row has a case, a contestant (the program, and its backend
 * if it has several), and either the nanoseconds of each call or the reason why there are none.
 */
final class KernelReport {
    static final String FORMAT = "kernel times 1";
    static final String HEED = "heed";

    private static final double CAUSAL = 0.5;
    private static final double BACKWARD = 2.5;

    private final JsonObject whole;

    private KernelReport(JsonObject whole) {
        this.whole = whole;
    }

    /** {@return a report without rows, with the fields of {@code about}} */
    static KernelReport of(JsonObject about) {
        var whole = new JsonObject();
        whole.addProperty("format", FORMAT);
        about.entrySet().forEach(entry -> whole.add(entry.getKey(), entry.getValue()));
        whole.add("rows", new JsonArray());
        return new KernelReport(whole);
    }

    /** Reads a report. */
    static KernelReport read(Path file) throws IOException {
        try {
            JsonObject whole = new Gson().fromJson(Files.readString(file), JsonObject.class);
            if (whole != null
                    && whole.has("format")
                    && whole.get("format").getAsString().equals(FORMAT)
                    && whole.has("rows")) {
                return new KernelReport(whole);
            }
        } catch (JsonParseException e) {
            throw new CommandFailure(file + " holds no JSON object. HINT: heed bench --json FILE writes one", e);
        }
        throw new CommandFailure(file + " holds no kernel times: expected \"format\": \"" + FORMAT
                + "\". HINT: heed bench --json FILE writes some, and so does torch_sdpa.py");
    }

    JsonObject json() {
        return whole;
    }

    /** {@return the program, the device and the driver, on one line} */
    String about() {
        JsonObject device = whole.has("device") ? whole.getAsJsonObject("device") : new JsonObject();
        return text(whole, "program") + " on " + text(device, "name") + ", driver " + text(device, "driver");
    }

    private static String text(JsonObject in, String name) {
        return in.has(name) && !in.get(name).isJsonNull() ? in.get(name).getAsString() : "unknown";
    }

    void add(JsonObject row) {
        whole.getAsJsonArray("rows").add(row);
    }

    List<JsonObject> rows() {
        List<JsonObject> rows = new ArrayList<>();
        for (JsonElement row : whole.getAsJsonArray("rows")) {
            rows.add(row.getAsJsonObject());
        }
        return rows;
    }

    /** {@return the median of the runs in milliseconds, or null if the row was not computed} */
    static @Nullable Double millis(JsonObject row) {
        if (!row.has("nanos") || row.getAsJsonArray("nanos").isEmpty()) {
            return null;
        }
        List<Double> sorted = new ArrayList<>();
        row.getAsJsonArray("nanos").forEach(nanos -> sorted.add(nanos.getAsDouble()));
        sorted.sort(null);
        int half = sorted.size() / 2;
        double middle = sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
        return middle / 1e6;
    }

    /** {@return the operations as FlashAttention's papers count them: half under a causal mask, 2.5 times for backward} */
    static double flops(Case row) {
        boolean causal = row.problem().toString().contains(" mask=causal");
        return row.problem().flops() * (causal ? CAUSAL : 1) * (row.backward() ? BACKWARD : 1);
    }

    /** {@return the rate of a row: TFLOP/s, or GB/s of keys and values for decode} */
    static @Nullable String rate(Case row, @Nullable Double millis) {
        if (millis == null || millis == 0) {
            return null;
        }
        if (isDecode(row)) {
            return String.format(Locale.ROOT, "%.1f GB/s", bytes(row) / millis / 1e6);
        }
        double teraflops = flops(row) / millis / 1e9;
        return String.format(Locale.ROOT, teraflops < 10 ? "%.3f TFLOP/s" : "%.1f TFLOP/s", teraflops);
    }

    static boolean isDecode(Case row) {
        return ((AttentionProblem) row.problem()).shape().seqLenQ() == 1;
    }

    /** {@return the bytes of keys and values, each read once} */
    static double bytes(Case row) {
        var p = (AttentionProblem) row.problem();
        var s = p.shape();
        return (double) s.batch()
                * s.numKvHeads()
                * s.seqLenKv()
                * (s.headDim() + s.valueHeadDim())
                * p.kvType().bytes();
    }

    /**
     * {@return the rows of several reports, each case once, with a column per contestant} Cases are in the order of the
     * first report, followed by cases that only later reports contain.
     */
    static TextTable table(List<KernelReport> reports) {
        Map<String, Map<String, JsonObject>> cases = new LinkedHashMap<>();
        Map<String, Integer> contestants = new LinkedHashMap<>();
        for (KernelReport report : reports) {
            for (JsonObject row : report.rows()) {
                String contestant = row.get("contestant").getAsString();
                contestants.putIfAbsent(contestant, contestants.size());
                cases.computeIfAbsent(row.get("case").getAsString(), text -> new TreeMap<>())
                        .put(contestant, row);
            }
        }
        List<String> header = new ArrayList<>(List.of("case"));
        for (String contestant : contestants.keySet()) {
            header.add(contestant);
            header.add("");
        }
        boolean compared = contestants.size() > 1 && contestants.containsKey(HEED);
        if (compared) {
            header.add("x best other");
        }
        header.add("computed by");
        var table = new TextTable(header.toArray(String[]::new));
        cases.forEach((text, by) -> {
            Case parsed = Case.parse(text);
            List<String> words = new ArrayList<>(List.of(text));
            Double best = null;
            for (String contestant : contestants.keySet()) {
                JsonObject row = by.get(contestant);
                Double millis = row == null ? null : millis(row);
                String rate = rate(parsed, millis);
                words.add(millis == null ? "-" : String.format(Locale.ROOT, "%.3f ms", millis));
                words.add(rate == null ? "-" : rate);
                if (!contestant.equals(HEED) && millis != null && (best == null || millis < best)) {
                    best = millis;
                }
            }
            JsonObject ours = by.get(HEED);
            Double mine = ours == null ? null : millis(ours);
            if (compared) {
                words.add(mine == null || best == null ? "-" : String.format(Locale.ROOT, "%.2fx", best / mine));
            }
            words.add(ours == null ? "-" : computedBy(ours));
            table.row(words.toArray(String[]::new));
        });
        return table;
    }

    static String computedBy(JsonObject row) {
        if (row.has("failure")) {
            return "failed: " + row.get("failure").getAsString();
        }
        String reason = text(row, "reason");
        return text(row, "family") + (reason.equals("unknown") || reason.isEmpty() ? "" : ": " + reason);
    }
}
