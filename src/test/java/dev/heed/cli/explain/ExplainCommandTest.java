package dev.heed.cli.explain;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.bert.BertEncoder;
import dev.heed.bert.BertModel;
import dev.heed.bert.BertTokenizer;
import dev.heed.bert.MiniLm;
import dev.heed.cli.Heed;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.view.AttentionPage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class ExplainCommandTest {
    private static final String SENTENCE = "The animal didn't cross the street because it was too tired.";

    @TempDir
    Path directory;

    private String file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("map.svg").toString();
    }

    private String page() {
        return file.replace(".svg", ".html");
    }

    @Test
    void itMeansTheAnimal() throws IOException {
        Heed run = Heed.run("explain", SENTENCE, "--out", file).succeeded();
        assertTrue(run.out().contains("word     it (token 10)"), run.out());
        assertTrue(run.out().lines().anyMatch(line -> line.matches("animal +2 +0\\.6\\d\\d +3 +1")), run.out());
        assertTrue(run.out().contains("░"), "the heat map is drawn");
        assertFalse(run.out().contains("\u001b"), "no escapes if piped");
        assertEquals("written to " + file + " and " + page(), run.lastLine());
        assertTrue(
                Files.readString(Path.of(page())).contains("<title>The animal didn&#39;t cross"), "the page beside it");
        String svg = Files.readString(Path.of(file));
        assertTrue(svg.contains(">animal</text>") && svg.contains("mean of 12 heads"), svg);
    }

    @Test
    void oneHead() throws IOException {
        Heed run = Heed.run("explain", SENTENCE, "--layer", "3", "--head", "1", "--top", "3", "--out", file)
                .succeeded();
        assertTrue(run.out().contains("layer 3, head 1"), run.out());
        String svg = Files.readString(Path.of(file));
        assertTrue(svg.contains("it → animal: 0.67"), "the picture shows what the table says");
    }

    @Test
    void words() {
        assertTrue(said("didn't").contains("word     didn't (token 3 to 5)"));
        assertTrue(said("THE#2").contains("word     the (token 7)"));
        assertTrue(said("tired").contains("word     tired (token 13)"));
        Heed accents = Heed.run("explain", "Das ist schön", "--word", "schön", "--out", file)
                .succeeded();
        assertTrue(accents.out().contains("word     schön (token 3 to 4)"), accents::out);
    }

    private String said(String word) {
        return Heed.run("explain", SENTENCE, "--word", word, "--out", file)
                .succeeded()
                .out();
    }

    @Test
    void json() {
        JsonObject json = Heed.run("explain", SENTENCE, "--json", "--out", file, "--head", "1")
                .succeeded()
                .json();
        assertEquals(16, json.getAsJsonArray("tokens").size());
        assertEquals("it", json.getAsJsonObject("word").get("text").getAsString());
        assertEquals(1, json.get("head").getAsInt());
        assertEquals(10, json.getAsJsonArray("links").size());
        assertEquals(6, json.getAsJsonArray("layers").size());
        for (var layer : json.getAsJsonArray("layers")) {
            JsonObject wordFocus = layer.getAsJsonObject();
            double sum = wordFocus.get("onWords").getAsDouble()
                    + wordFocus.get("onItself").getAsDouble()
                    + wordFocus.get("onSpecial").getAsDouble();
            assertEquals(1, sum, 1e-5);
        }
        assertEquals(file, json.get("svg").getAsString());
        assertEquals(page(), json.get("page").getAsString());
        assertEquals(0, json.get("tokensLeftOut").getAsInt());
    }

    @Test
    void aQuestionAndItsPassage() throws IOException {
        String other = directory.resolve("other.html").toString();
        JsonObject json = Heed.run(
                        "explain", "who was tired?", "--pair", SENTENCE, "--json", "--out", file, "--page", other)
                .succeeded()
                .json();
        assertEquals(21, json.getAsJsonArray("tokens").size());
        assertEquals(
                "[0,0,0,0,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
                flat(json.get("segments").toString()));
        String html = Files.readString(Path.of(other));
        assertTrue(html.contains("\"segments\":[0,0,0,0,0,0,1,"), "the segments to colour");
        assertTrue(html.contains("\"specialLeft\":[0,5,20]"), "the tokens that can be hidden");
        assertTrue(html.contains("the two texts have a colour each"), "and the page states it");
        assertFalse(Files.exists(Path.of(page())), "only at the requested path");
        Heed.run("explain", "who?", "--pair", " ", "--out", file).failedWith(2, "second text is empty");
    }

    private static String flat(String json) {
        return json.replaceAll("\\s", "");
    }

    @Test
    void aFile() throws IOException {
        Path text = directory.resolve("text.txt");
        Files.writeString(text, SENTENCE + "\n");
        assertTrue(Heed.run("explain", "--file", text.toString(), "--out", file)
                .succeeded()
                .out()
                .contains("word     it (token 10)"));
        Files.writeString(text, "the animal was tired . ".repeat(30));
        JsonObject json = Heed.run(
                        List.of(new VectorBackend()),
                        "explain",
                        "--file",
                        text.toString(),
                        "--word",
                        "tired",
                        "--json",
                        "--out",
                        file)
                .succeeded()
                .json();
        assertEquals(152, json.getAsJsonArray("tokens").size());
        assertEquals(0, json.get("tokensLeftOut").getAsInt());
        assertEquals("tired", json.getAsJsonObject("word").get("text").getAsString());
        for (var layer : json.getAsJsonArray("layers")) {
            JsonObject wordFocus = layer.getAsJsonObject();
            double sum = wordFocus.get("onWords").getAsDouble()
                    + wordFocus.get("onItself").getAsDouble()
                    + wordFocus.get("onSpecial").getAsDouble();
            assertEquals(1, sum, 1e-4, "the weights of a row sum to 1");
        }
        assertTrue(Files.size(Path.of(page())) < 2_500_000, Files.size(Path.of(page())) + " bytes");
        Files.write(text, new byte[] {(byte) 0xE4, 't'});
        Heed.run("explain", "--file", text.toString(), "--out", file).failedWith(2, "UTF-8", "text.txt");
        Files.writeString(text, " ");
        Heed.run("explain", "--file", text.toString(), "--out", file).failedWith(2, "The sentence is empty");
        Files.writeString(text, "word ".repeat(300_000));
        Heed.run("explain", "--file", text.toString(), "--out", file).failedWith(2, "1048576 bytes");
        Heed.run("explain", "--file", directory.resolve("none").toString(), "--out", file)
                .failedWith(1, "cannot be read", "no such file");
        Heed.run("explain", SENTENCE, "--file", text.toString(), "--out", file).failedWith(2, "both");
        Heed.run("explain", "--out", file).failedWith(2, "A sentence is missing", "neither");
    }

    @Test
    void aLongTextIsCutAndSaysSo() {
        try (BertTokenizer tokenizer = MiniLm.tokenizer()) {
            InputText whole = InputText.of(tokenizer, "the animal was tired . ".repeat(120), null);
            InputText cut = whole.atMost(512);
            assertEquals(512, cut.tokens().size());
            assertEquals(whole.tokens().getLast(), cut.tokens().getLast(), "the closing token is kept");
            assertEquals("only the first 512 of 602 tokens: the model reads no more", cut.note());
            assertEquals("", whole.note());
            assertEquals(whole, whole.atMost(602));
        }
    }

    /**
     * For up to 128 tokens, explain computes all weights; for more, it computes only the weights that are shown. The output
     * must be the same.
     */
    @Test
    void partsSayWhatTheWholeSays() {
        BertModel model = MiniLm.model();
        var encoder = new BertEncoder(model, new ReferenceBackend());
        try (BertTokenizer tokenizer = MiniLm.tokenizer()) {
            for (String text : List.of(SENTENCE, "Unaffordable houses were sold to the animals of the street .")) {
                var sentence = new Sentence(tokenizer.encode(text));
                AttentionMaps whole = AttentionMaps.of(sentence, model, encoder);
                AttentionMaps parts = new AttentionMaps.Parts(
                        sentence,
                        encoder,
                        encoder.strongest(sentence.tokens(), sentence.tokens().size()));
                assertTrue(whole instanceof AttentionMaps.Whole);
                Sentence.Word word = whole.mostInteresting();
                assertEquals(word, parts.mostInteresting());
                var links = whole.from(word).from(word);
                var same = parts.from(word).from(word);
                assertEquals(links.size(), same.size());
                for (int i = 0; i < 5; i++) {
                    assertEquals(links.get(i).target(), same.get(i).target());
                    assertEquals(links.get(i).weight(), same.get(i).weight(), 1e-5);
                }
                assertArrayEquals(
                        whole.weights(3).toDoubleArray(), parts.weights(3).toDoubleArray(), 1e-6);
                AttentionPage page = AttentionPage.of(sentence.labels());
                assertEquals(
                        whole.drawnOn(page).html().length(),
                        parts.drawnOn(page).html().length(),
                        1000,
                        "all weights either way");
            }
        }
    }

    @Test
    void standardInput() {
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(SENTENCE.getBytes(StandardCharsets.UTF_8)));
            assertTrue(Heed.run("explain", "--file", "-", "--out", file)
                    .succeeded()
                    .out()
                    .contains("word     it (token 10)"));
        } finally {
            System.setIn(before);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // the browser of this test is a shell script
    void theBrowserOnlyWhenAsked() throws IOException, InterruptedException {
        Path browser = directory.resolve("browser");
        Path opened = directory.resolve("opened");
        Files.writeString(
                browser, "#!/bin/sh\nprintf %s \"$1\" >" + opened + ".new && mv " + opened + ".new " + opened + "\n");
        assertTrue(browser.toFile().setExecutable(true));
        var here = environment(browser.toString());
        Heed.run(here, "explain", "it works", "--out", file).succeeded();
        Heed.run(here, "explain", "it works", "--out", file, "--open").succeeded();
        for (int i = 0; i < 600 && !Files.exists(opened); i++) {
            Thread.sleep(50);
        }
        assertEquals(Path.of(page()).toUri().toString(), Files.readString(opened));
        Heed failed =
                Heed.run(environment(directory.resolve("no").toString()), "explain", "it", "--out", file, "--open");
        assertEquals(1, failed.code());
        assertTrue(
                failed.err().contains("The page is written, but")
                        && failed.err().contains("HINT: open file:"),
                failed.err());
        assertEquals(List.of("xdg-open"), Browser.command("", "Linux"));
        assertEquals(List.of("open"), Browser.command(" ", "Mac OS X"));
        assertEquals("rundll32", Browser.command("", "Windows 11").getFirst());
    }

    private static CliEnvironment environment(String browser) {
        return new CliEnvironment(
                Heed.PIPED.backends(), Map.of("BROWSER", browser), false, false, StandardCharsets.UTF_8);
    }

    @Test
    void unusualSentences() {
        for (String sentence : List.of("!", "it", "注意 力", "<script>alert('x')</script>", "😀 \u001b[31m")) {
            Heed run = Heed.run("explain", sentence, "--out", file).succeeded();
            assertFalse(run.out().contains("\u001b"), run.out());
            assertEquals("written to " + file + " and " + page(), run.lastLine());
        }
        Heed.run("explain", "注意 😀", "--json", "--out", file).succeeded().json();
    }

    @Test
    void coloursOnATerminal() {
        var terminal = new CliEnvironment(
                Heed.PIPED.backends(),
                Map.of("TERM", "xterm", "COLORTERM", "truecolor", "COLUMNS", "60"),
                true,
                true,
                StandardCharsets.UTF_8);
        assertTrue(
                Heed.run(terminal, "explain", "it works", "--out", file).out().contains("\u001b[48;2;"));
        var noColor = new CliEnvironment(
                Heed.PIPED.backends(), Map.of("TERM", "xterm", "NO_COLOR", "1"), true, true, StandardCharsets.US_ASCII);
        String plain = Heed.run(noColor, "explain", "it works", "--out", file).out();
        assertFalse(plain.contains("\u001b") || plain.contains("█"), plain);
    }

    @Test
    void badInput() {
        Heed.run("explain", "", "--out", file).failedWith(2, "The sentence is empty");
        Heed.run("explain", " \t\n", "--out", file).failedWith(2, "The sentence is empty");
        Heed.run("explain", "word ".repeat(511), "--out", file).failedWith(2, "<= 512 tokens", "513 tokens");
        Heed.run("explain", SENTENCE, "--word", "cat", "--out", file).failedWith(2, "does not occur", "animal", "cat");
        Heed.run("explain", SENTENCE, "--word", "", "--out", file).failedWith(2, "does not occur", "nothing");
        Heed.run("explain", SENTENCE, "--word", "the#3", "--out", file).failedWith(2, "the 2 times");
        Heed.run("explain", SENTENCE, "--word", "tire", "--out", file).failedWith(2, "does not occur");
        Heed.run("explain", SENTENCE, "--layer", "6", "--out", file).failedWith(2, "layers 0 to 5", "layer 6");
        Heed.run("explain", SENTENCE, "--layer", "-1", "--out", file).failedWith(2, "layers 0 to 5");
        Heed.run("explain", SENTENCE, "--head", "12", "--out", file).failedWith(2, "heads 0 to 11");
        Heed.run("explain", SENTENCE, "--head", "one", "--out", file).failedWith(2, "'one'");
        Heed.run("explain", SENTENCE, "--top", "0", "--out", file).failedWith(2, "1 or more");
        Heed.run("explain", SENTENCE, "--backend", "gpu", "--out", file).failedWith(2, "Unknown backend");
        assertFalse(Files.exists(Path.of(file)), "errors write no file");
    }

    @Test
    void whereNothingCanBeWritten() {
        String nowhere = directory.resolve("no/such/place.svg").toString();
        Heed.run("explain", SENTENCE, "--out", nowhere)
                .failedWith(1, "cannot be written", "no such file or directory", nowhere);
        Heed.run("explain", SENTENCE, "--out", directory.toString()).failedWith(1, "cannot be written");
        Heed.run("explain", SENTENCE, "--out", "").failedWith(1, "cannot be written");
        Heed.run("explain", SENTENCE, "--out", file, "--page", nowhere)
                .failedWith(1, "The page cannot be written", "--page FILE");
    }
}
