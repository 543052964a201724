package dev.heed.cli.explain;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.heed.cli.Heed;
import dev.heed.storage.Npy;
import dev.heed.storage.SafeTensors;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ViewCommandTest {
    private static final List<String> TOKENS = List.of("the", "<b>", "注意");

    /** The JSON in a page of BertViz. */
    private static final String PARAMS = """
            {"attention": [{"name": null, "attn": [[[[0.25, 0.75], [1, 0]], [[0.5, 0.5], [0.125, 0.875]]]],
            "left_text": ["a", "\\u6ce8"], "right_text": ["x", "y"]}], "default_filter": "0",
            "root_div_id": "bertviz-8f", "layer": null, "heads": null, "include_layers": [0]}""";

    @TempDir
    Path directory;

    private String npy;
    private String labels;

    @BeforeEach
    void write() throws IOException {
        Tensor weights = Tensor.zeros(dev.heed.tensor.DType.F32, 2, 2, 3, 3);
        for (int i = 0; i < 36; i++) {
            weights.put(i, i / 36.0);
        }
        npy = file("weights.npy");
        Npy.write(Path.of(npy), weights);
        labels = file("tokens.txt");
        Files.write(Path.of(labels), TOKENS);
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    @Test
    void aHeadInTheTerminal() {
        Heed run = Heed.run("view", npy, "--layer", "1", "--head", "0", "--tokens", labels)
                .succeeded();
        assertTrue(run.out().startsWith("weights.npy, layer 1, head 0\n"), run.out());
        assertTrue(run.out().contains(" <b> ") && run.out().contains("注意 "), run.out());
        assertTrue(run.lastLine().strip().endsWith("0.7222"), run.lastLine());
        assertTrue(Heed.run("view", npy).succeeded().out().startsWith("weights.npy, mean of 2 layers and 2 heads\n"));
    }

    @Test
    void allHeadsAsSvgAndPng() throws IOException {
        Heed run = Heed.run("view", npy, "--svg", file("all.svg"), "--png", file("all.png"), "--scale", "1")
                .succeeded();
        assertEquals("written to " + file("all.svg") + "\nwritten to " + file("all.png") + "\n", run.out());
        String svg = Files.readString(directory.resolve("all.svg"));
        for (String panel : List.of("layer 0, head 0", "layer 0, head 1", "layer 1, head 0", "layer 1, head 1")) {
            assertTrue(svg.contains(">" + panel + "</text>"), panel);
        }
        assertTrue(svg.contains("row 2 → column 2: 0.9722"), "the largest weight");
        assertTrue(ImageIO.read(directory.resolve("all.png").toFile()).getWidth() > 200);
    }

    @Test
    void linesAndProfiles() throws IOException {
        Heed.run("view", npy, "--as", "lines", "--row", "2", "--tokens", labels, "--dark", "--svg", file("l.svg"))
                .succeeded();
        String lines = Files.readString(directory.resolve("l.svg"));
        assertTrue(lines.contains("注意 → &lt;b&gt;: 0.5694") && lines.contains("#16181d"), lines);
        Heed.run("view", npy, "--as", "lines", "--stacked", "--svg", file("s.svg"))
                .succeeded();
        assertTrue(Files.readString(directory.resolve("s.svg")).contains("2 → 2: 0.5972"));
        Heed run = Heed.run(
                        "view",
                        npy,
                        "--as",
                        "profile",
                        "--row",
                        "0",
                        "--head",
                        "1",
                        "--tokens",
                        labels,
                        "--text",
                        "--svg",
                        file("p.svg"))
                .succeeded();
        assertTrue(run.out().startsWith("weights.npy, head 1, mean of 2 layers: the\n"), run.out());
        assertTrue(run.out().lines().anyMatch(line -> line.matches("注意 █+. 0\\.5556")), run.out());
        Heed.run("view", npy, "--as", "profile").failedWith(2, "A profile needs one row", "--row");
    }

    @Test
    void filesOfSeveralTensors() throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("b", Tensor.of(new float[] {0.5f, 0.5f}, 1, 2));
        tensors.put("a", Tensor.of(new float[] {0.25f, 0.75f}, 2));
        tensors.put("mask", Tensor.of(new boolean[] {true}, 1));
        String safe = file("some.safetensors");
        SafeTensors.write(Path.of(safe), tensors);
        Heed.run("view", safe).failedWith(2, "one of b, a", "2 to choose from", "--name \"b\"");
        Heed.run("view", safe, "--name", "c").failedWith(2, "no such tensor", "one of b, a");
        Heed.run("view", safe, "--name", "mask").failedWith(2, "not a matrix of weights", "bool");
        assertTrue(Heed.run("view", safe, "--name", "a").succeeded().out().startsWith("a\n"));
        String table = Heed.run("view", safe, "--list").succeeded().out();
        assertEquals(4, table.lines().count(), table);
        JsonObject json = Heed.run("view", safe, "--list", "--json").succeeded().json();
        assertEquals("safetensors", json.get("kind").getAsString());
        assertEquals(3, json.getAsJsonArray("tensors").size());
        Heed npz = Heed.run("view", "src/test/java/dev/heed/storage/plain.npz", "--name", "b", "--json")
                .succeeded();
        assertEquals(0.875, npz.json().get("largest").getAsDouble());
        assertEquals(2, npz.json().get("largestColumn").getAsInt());
    }

    @Test
    void bertVizIsReadWrittenAndReadAgain() throws IOException {
        String json = file("params.json");
        Files.writeString(Path.of(json), PARAMS);
        Files.writeString(directory.resolve("page.html"), "<script>\nvar params = " + PARAMS + "; // more\n</script>");
        for (String source : List.of(json, file("page.html"))) {
            String copy = file("copy.json");
            Heed run = Heed.run("view", source, "--head", "1", "--bertviz", copy, "--text")
                    .succeeded();
            assertTrue(
                    run.out().startsWith("attention 0, head 1\n") && run.out().contains("注"), run.out());
            JsonObject expected = JsonParser.parseString(PARAMS).getAsJsonObject();
            JsonObject written =
                    JsonParser.parseString(Files.readString(Path.of(copy))).getAsJsonObject();
            assertEquals(expected.keySet(), written.keySet());
            assertEquals(expected.get("include_layers"), written.get("include_layers"));
            BertViz.Block before = BertViz.read(Path.of(source)).getFirst();
            BertViz.Block after = BertViz.read(Path.of(copy)).getFirst();
            assertArrayEquals(before.weights().toDoubleArray(), after.weights().toDoubleArray());
            assertArrayEquals(new long[] {1, 2, 2, 2}, after.weights().shape());
            assertEquals(List.of("a", "注"), after.left());
            assertEquals(List.of("x", "y"), after.right());
        }
        Heed.run("view", npy, "--bertviz", file("made.json")).succeeded();
        assertEquals(
                List.of("0", "1", "2"),
                BertViz.read(directory.resolve("made.json")).getFirst().left());
    }

    @Test
    void otherShapesOfBertViz() throws IOException {
        String block = "{\"attn\":[[[[1]]]],\"left_text\":[\"q\"],\"right_text\":[\"k\"],\"queries\":[[1,{}]]}";
        Path several = directory.resolve("several.json");
        Files.writeString(
                several,
                "{\"attention\":[" + block.replaceFirst("\\{", "{\"name\":\"Encoder\",") + ","
                        + block.replaceFirst("\\{", "{\"name\":\"Cross\",") + "]}");
        assertEquals(
                List.of("Encoder", "Cross"),
                BertViz.read(several).stream().map(BertViz.Block::name).toList());
        Heed.run("view", several.toString()).failedWith(2, "one of Encoder, Cross");
        Path neurons = directory.resolve("neurons.json");
        Files.writeString(neurons, "{\"bidirectional\":true,\"attention\":{\"all\":" + block + "}}");
        assertEquals("all", BertViz.read(neurons).getFirst().name());
        Tensor masked = Tensor.of(new float[] {Float.NaN}, 1, 1, 1, 1);
        assertThrows(
                InvalidInputException.class,
                () -> BertViz.write(neurons, List.of(new BertViz.Block(null, masked, List.of("q"), List.of("k")))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{}",
                "{\"attention\":[]}",
                "{\"attention\":3}",
                "{\"attention\":[{}]}",
                "{\"attention\":[{\"attn\":[[[[1]]]],\"left_text\":[\"a\",\"b\"],\"right_text\":[\"a\"]}]}",
                "{\"attention\":[{\"attn\":[[[[1],[1,2]]]],\"left_text\":[\"a\",\"b\"],\"right_text\":[\"a\"]}]}",
                "{\"attention\":[{\"attn\":[],\"left_text\":[],\"right_text\":[]}]}",
                "{\"attention\":[{\"attn\":[[[[\"x\"]]]],\"left_text\":[\"a\"],\"right_text\":[\"a\"]}]}",
                "{\"attention\":[{\"attn\":[[[1]]],\"left_text\":[\"a\"],\"right_text\":[\"a\"]}]}",
                "<html></html>"
            })
    void otherJsonIsRefused(String text) throws IOException {
        Files.writeString(directory.resolve("other.json"), text);
        Heed.run("view", file("other.json")).failedWith(2, "other.json is not in the format of BertViz");
    }

    @Test
    void damagedJsonIsReadOrRefused() throws IOException {
        byte[] whole = PARAMS.getBytes(StandardCharsets.UTF_8);
        var random = new Random(3);
        Path file = directory.resolve("fuzz.json");
        for (int round = 0; round < 2_000; round++) {
            byte[] bytes = round < whole.length ? Arrays.copyOf(whole, round) : whole.clone();
            if (bytes.length > 1 && round >= whole.length) {
                bytes[1 + random.nextInt(bytes.length - 1)] = (byte) "{}[]\",:0-e\\x".charAt(random.nextInt(12));
            }
            Files.write(file, bytes);
            try {
                assertFalse(BertViz.read(file).isEmpty());
            } catch (InvalidInputException e) {
                assertTrue(e.getMessage().contains("fuzz.json"), e.getMessage());
            }
        }
    }

    @Test
    void badInput() throws IOException {
        Heed.run("view").failedWith(2, "FILE");
        Heed.run("view", file("none.npy")).failedWith(2, "no such file", "none.npy");
        Heed.run("view", directory.toString()).failedWith(2, "cannot be read");
        Heed.run("view", labels).failedWith(2, "not a file of weights");
        Heed.run("view", npy, "--layer", "2").failedWith(2, "layers 0 to 1", "layer 2");
        Heed.run("view", npy, "--head", "-1").failedWith(2, "heads 0 to 1");
        Heed.run("view", npy, "--row", "3").failedWith(2, "rows 0 to 2");
        Heed.run("view", npy, "--tokens", file("none.txt")).failedWith(2, "labels cannot be read");
        Files.write(Path.of(labels), List.of("one"));
        Heed.run("view", npy, "--tokens", labels).failedWith(2, "3 labels", "1 labels");
        Heed.run("view", npy, "--palette", "rainbow").failedWith(2, "rainbow");
        Heed.run("view", npy, "--png", file("x.png"), "--scale", "9").failedWith(2, "1 to 8");
        Heed.run("view", npy, "--svg", file("no/such.svg")).failedWith(1, "cannot be written", "no such file");
    }
}
