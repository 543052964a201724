package dev.heed.cli.explain;

import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import com.google.gson.stream.MalformedJsonException;
import dev.heed.cli.console.ErrorLine;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.EOFException;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A reader and writer of the weights that BertViz embeds in its pages: {@code {"attention": [{"name", "attn",
 * "left_text", "right_text"}], ...}} with {@code attn[layer][head][query][key]}. It reads the JSON itself or a page
 * that contains the JSON.
 */
final class BertViz {
    /** The text before the JSON in a page. */
    private static final String IN_PAGE = "params = ";

    private BertViz() {}

    /**
     * One block of weights.
     *
     * @param name the name in the viewer, such as "Encoder", or null
     * @param weights {@code [layers, heads, queries, keys]}
     * @param left a label for each query
     * @param right a label for each key
     */
    record Block(@Nullable String name, Tensor weights, List<String> left, List<String> right) {}

    // ---------------------------------------------------------------- reading

    /**
     * {@return the blocks of a file}
     *
     * @throws InvalidInputException if the file cannot be read or contains no block
     */
    static List<Block> read(Path file) {
        String source = String.valueOf(file.getFileName());
        try (Reader text = open(file);
                var json = new JsonReader(text)) {
            List<Block> blocks = new ArrayList<>();
            json.beginObject();
            while (json.hasNext()) {
                if (!json.nextName().equals("attention")) {
                    json.skipValue();
                } else if (json.peek() == JsonToken.BEGIN_OBJECT) { // the format of the neuron view
                    json.beginObject();
                    while (json.hasNext()) {
                        blocks.add(block(json, source, json.nextName()));
                    }
                    json.endObject();
                } else {
                    json.beginArray();
                    while (json.hasNext()) {
                        blocks.add(block(json, source, null));
                    }
                    json.endArray();
                }
            }
            if (blocks.isEmpty()) {
                throw damaged(source, "no attention");
            }
            return blocks;
        } catch (MalformedJsonException | IllegalStateException | NumberFormatException | JsonParseException e) {
            throw damaged(
                    source, String.valueOf(e.getMessage()).lines().findFirst().orElse("other JSON"));
        } catch (IOException e) {
            throw e instanceof EOFException ? damaged(source, "the end of the file") : unreadable(source, e);
        }
    }

    /**
     * Opens a file at its JSON: a file that begins with {@code <} is a page, in which the JSON is searched for; any
     * other file is JSON.
     */
    private static Reader open(Path file) throws IOException {
        Reader text = Files.newBufferedReader(file);
        text.mark(1);
        int first = text.read();
        text.reset();
        if (first != '<') {
            return text;
        }
        try (text) {
            String page = text.readAllAsString();
            int at = page.indexOf(IN_PAGE + "{");
            return new StringReader(at < 0 ? "" : page.substring(at + IN_PAGE.length()));
        }
    }

    private static Block block(JsonReader json, String source, @Nullable String outerName) throws IOException {
        String name = outerName;
        Tensor weights = null;
        List<String> left = List.of();
        List<String> right = List.of();
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "name" -> {
                    if (json.peek() == JsonToken.NULL) {
                        json.nextNull();
                    } else {
                        name = json.nextString();
                    }
                }
                case "attn" -> weights = new Nested(source).read(json);
                case "left_text" -> left = texts(json);
                case "right_text" -> right = texts(json);
                default -> json.skipValue();
            }
        }
        json.endObject();
        if (weights == null || weights.size(2) != left.size() || weights.size(3) != right.size()) {
            throw damaged(
                    source,
                    (weights == null ? "no attn" : "attn " + weights) + ", " + left.size() + " left_text, "
                            + right.size() + " right_text");
        }
        return new Block(name, weights, left, right);
    }

    private static List<String> texts(JsonReader json) throws IOException {
        List<String> texts = new ArrayList<>();
        json.beginArray();
        while (json.hasNext()) {
            texts.add(json.nextString());
        }
        json.endArray();
        return texts;
    }

    /**
     * A reader of a tensor from four levels of nested arrays, in one pass; all arrays of a level must have the same
     * length.
     */
    private static final class Nested {
        private static final int AXES = 4;

        private final String source;
        private final long[] shape = new long[AXES];
        private float[] values = new float[1 << 10];
        private int count;

        Nested(String source) {
            this.source = source;
        }

        Tensor read(JsonReader json) throws IOException {
            Arrays.fill(shape, -1);
            axis(json, 0);
            return Tensor.of(Arrays.copyOf(values, count), shape);
        }

        private void axis(JsonReader json, int axis) throws IOException {
            long size = 0;
            json.beginArray();
            for (; json.hasNext(); size++) {
                if (axis < AXES - 1) {
                    axis(json, axis + 1);
                } else {
                    if (count == values.length) {
                        values = Arrays.copyOf(values, Math.addExact(count, count / 2));
                    }
                    values[count++] = (float) json.nextDouble();
                }
            }
            json.endArray();
            if (size == 0 || shape[axis] >= 0 && shape[axis] != size) {
                throw damaged(source, "an attn whose arrays differ in length, or are empty");
            }
            shape[axis] = size;
        }
    }

    private static InvalidInputException damaged(String source, String got) {
        return new InvalidInputException(
                source + " is not in the format of BertViz",
                "{\"attention\": [{\"attn\": [layer][head][query][key], \"left_text\", \"right_text\"}]}",
                got,
                "write the object that head_view puts into its page");
    }

    private static InvalidInputException unreadable(String source, IOException e) {
        return new InvalidInputException(
                source + " cannot be read", "a file in UTF-8", ErrorLine.file(e), "check the path");
    }

    // ---------------------------------------------------------------- writing

    /**
     * Writes blocks in the format of BertViz, replacing an existing file.
     *
     * @throws IOException if the file cannot be written
     * @throws InvalidInputException if a weight is non-finite, which JSON cannot represent
     */
    static void write(Path file, List<Block> blocks) throws IOException {
        for (Block block : blocks) {
            requireFinite(block.weights());
        }
        try (Writer text = Files.newBufferedWriter(file);
                var json = new JsonWriter(text)) {
            json.setSerializeNulls(true);
            json.beginObject().name("attention").beginArray();
            for (Block block : blocks) {
                json.beginObject().name("name").value(block.name()).name("attn");
                write(json, block.weights());
                json.name("left_text");
                write(json, block.left());
                json.name("right_text");
                write(json, block.right());
                json.endObject();
            }
            json.endArray().name("default_filter").value("0");
            json.name("root_div_id").value("bertviz");
            json.name("layer").nullValue().name("heads").nullValue();
            json.name("include_layers").beginArray();
            for (long layer = 0; layer < blocks.getFirst().weights().size(0); layer++) {
                json.value(layer);
            }
            json.endArray().endObject();
        }
    }

    private static void write(JsonWriter json, Tensor tensor) throws IOException {
        json.beginArray();
        for (long i = 0; i < tensor.size(0); i++) {
            if (tensor.rank() == 1) {
                json.value((float) tensor.get(i));
            } else {
                write(json, tensor.select(0, i));
            }
        }
        json.endArray();
    }

    private static void write(JsonWriter json, List<String> texts) throws IOException {
        json.beginArray();
        for (String text : texts) {
            json.value(text);
        }
        json.endArray();
    }

    private static void requireFinite(Tensor weights) {
        Tensor row = weights.reshape(weights.elementCount());
        for (long i = 0; i < row.size(0); i++) {
            if (!Double.isFinite(row.get(i))) {
                throw new InvalidInputException(
                        "JSON cannot represent non-finite numbers",
                        "finite weights",
                        String.valueOf(row.get(i)),
                        "fill masked weights with 0");
            }
        }
    }
}
