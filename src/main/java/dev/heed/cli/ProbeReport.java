package dev.heed.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.JsonText;
import dev.heed.probe.Finding;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A formatter of the findings of probes, as JSON and as lines of text. */
final class ProbeReport {
    private static final int LONGEST = 200;

    private ProbeReport() {}

    static JsonObject json(Finding finding) {
        var json = new JsonObject();
        json.addProperty("id", finding.id());
        json.addProperty("title", finding.title());
        json.addProperty("status", finding.status().toString().toLowerCase(Locale.ROOT));
        json.addProperty("detail", finding.detail());
        json.addProperty("millis", finding.millis());
        var figures = new JsonObject();
        finding.figures().forEach((name, value) -> figures.add(name, element(value)));
        json.add("figures", figures);
        return json;
    }

    private static JsonElement element(Object value) {
        return switch (value) {
            case Double number -> JsonText.number(number);
            case Number number -> new JsonPrimitive(number);
            case Collection<?> items -> JsonText.array(items, item -> new JsonPrimitive(String.valueOf(item)));
            default -> new JsonPrimitive(String.valueOf(value));
        };
    }

    /**
     * {@return the finding on one line: status, name, and the measurements or the reason why the probe failed or was
     * skipped}
     */
    static String line(JsonObject finding) {
        String detail = ErrorLine.onOneLine(finding.get("detail").getAsString());
        String figures = finding.getAsJsonObject("figures").entrySet().stream()
                .filter(entry -> !(entry.getValue() instanceof JsonArray))
                .map(entry -> entry.getKey() + " " + text(entry))
                .collect(Collectors.joining(", "));
        String said = detail.isEmpty() ? figures : detail;
        String line = String.format(
                Locale.ROOT,
                "%-8s %-18s %s",
                finding.get("status").getAsString(),
                finding.get("id").getAsString(),
                said);
        return line.length() <= LONGEST ? line.stripTrailing() : line.substring(0, LONGEST) + " ...";
    }

    private static String text(Map.Entry<String, JsonElement> entry) {
        JsonPrimitive value = entry.getValue().getAsJsonPrimitive();
        if (!value.isNumber()) {
            return value.getAsString();
        }
        double number = value.getAsDouble();
        return number == Math.rint(number)
                ? String.format(Locale.ROOT, "%.0f", number)
                : String.format(Locale.ROOT, "%.4g", number);
    }

    static long count(List<JsonObject> findings, Finding.Status status) {
        String name = status.toString().toLowerCase(Locale.ROOT);
        return findings.stream()
                .filter(finding -> finding.get("status").getAsString().equals(name))
                .count();
    }
}
