package dev.heed.cli.console;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A writer of JSON for the output of the commands: indented, and ASCII only, so that the output is valid in any locale. */
public final class JsonText {
    private JsonText() {}

    public static String of(JsonElement element) {
        var text = new StringWriter();
        try (var writer = new JsonWriter(text)) {
            writer.setIndent("  ");
            write(element, writer);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        var ascii = new StringBuilder();
        text.toString().chars().forEach(c -> {
            if (c < 0x7F) {
                ascii.append((char) c);
            } else {
                ascii.append(String.format(Locale.ROOT, "\\u%04x", c));
            }
        });
        return ascii.toString();
    }

    private static void write(JsonElement element, JsonWriter to) throws IOException {
        switch (element) {
            case JsonObject object -> {
                to.beginObject();
                for (var entry : object.entrySet()) {
                    to.name(entry.getKey());
                    write(entry.getValue(), to);
                }
                to.endObject();
            }
            case JsonArray array -> {
                to.beginArray();
                for (JsonElement item : array) {
                    write(item, to);
                }
                to.endArray();
            }
            case JsonPrimitive value when value.isNumber() -> to.value(value.getAsNumber());
            case JsonPrimitive value when value.isBoolean() -> to.value(value.getAsBoolean());
            case JsonPrimitive value -> to.value(value.getAsString());
            default -> to.nullValue();
        }
    }

    /** {@return a number, or the text "NaN", "Infinity" or "-Infinity" because JSON cannot represent non-finite numbers} */
    public static JsonPrimitive number(double value) {
        return Double.isFinite(value) ? new JsonPrimitive(value) : new JsonPrimitive(String.valueOf(value));
    }

    public static JsonElement textOrNull(@Nullable String text) {
        return text == null ? JsonNull.INSTANCE : new JsonPrimitive(text);
    }

    public static JsonArray texts(Collection<String> texts) {
        return array(texts, JsonPrimitive::new);
    }

    public static <T> JsonArray array(Collection<T> items, Function<? super T, ? extends JsonElement> element) {
        var array = new JsonArray();
        items.forEach(item -> array.add(element.apply(item)));
        return array;
    }
}
