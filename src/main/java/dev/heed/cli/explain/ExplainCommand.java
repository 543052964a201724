package dev.heed.cli.explain;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.heed.AttentionBackend;
import dev.heed.bert.BertEncoder;
import dev.heed.bert.BertModel;
import dev.heed.bert.BertToken;
import dev.heed.bert.BertTokenizer;
import dev.heed.bert.MiniLm;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.TextTable;
import dev.heed.cli.explain.Sentence.Word;
import dev.heed.cli.explain.WordLinks.Link;
import dev.heed.cli.explain.WordLinks.WordFocus;
import dev.heed.tensor.InvalidInputException;
import dev.heed.view.AttentionPage;
import dev.heed.view.HeatMap;
import dev.heed.view.text.VisibleText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heed explain SENTENCE}: shows which tokens a word attends to in a real model. */
public @Command(
        name = "explain",
        description = {
            "Show what a word of a text attends to in all-MiniLM-L6-v2, a BERT of 6 layers of 12 heads. The attention is"
                    + " drawn as a heat map, here and as an SVG file, and as a page for a browser: one file, no network.",
            ""
        },
        footer = {
            "",
            "Layers and heads count from 0. For a word of several pieces, attention from it is the mean over its pieces, and"
                    + " attention to it is the sum. The table leaves out special tokens and the word itself.",
            "",
            "Examples:",
            "  heed explain \"The animal didn't cross the street because it was too tired.\"",
            "  heed explain \"The cat sat on the mat.\" --word the#2 --layer 2 --head 7 --out cat.svg",
            "  heed explain \"Who was tired?\" --pair \"The animal was tired.\" --open",
            "  heed explain --file notes.txt --word attention --page notes.html",
            "  fortune | heed explain --file -",
            "  heed explain \"Time flies like an arrow\" --word flies --json"
        }) final class ExplainCommand extends HeedCommand {
    private static final int MEAN = -1;
    private static final int SHOWN_TARGETS = 4;
    private static final int LONGEST_TITLE = 160;
    private static final Pattern OCCURRENCE = Pattern.compile("(.+)#([1-9][0-9]{0,3})");

    @Parameters(paramLabel = "SENTENCE", arity = "0..*", description = "The sentence, in English, in quotes.")
    private List<String> sentence = List.of();

    @Option(
            names = "--pair",
            paramLabel = "TEXT",
            description = "A second text that the model reads with the first, such as the passage to a question.")
    private @Nullable String pair;

    @Option(
            names = "--file",
            paramLabel = "FILE",
            description = "Read the text from a file, in UTF-8; - is standard input. The model reads 512 tokens; a"
                    + " note reports the tokens left out.")
    private @Nullable Path file;

    @Option(
            names = "--word",
            paramLabel = "W",
            description =
                    "The word to explain, at its first occurrence; the#2 is the second \"the\". By default \"it\", or"
                            + " if absent the word with the strongest link to another.")
    private @Nullable String word;

    @Option(
            names = "--layer",
            paramLabel = "L",
            description =
                    "The layer of the heat map; by default the one in which the word attends most to other words.")
    private @Nullable Integer layer;

    @Option(names = "--head", paramLabel = "H", description = "The head of the heat map; the mean of all by default.")
    private @Nullable Integer head;

    @Option(
            names = "--top",
            paramLabel = "N",
            defaultValue = "10",
            description = "The number of strongest links to list; ${DEFAULT-VALUE} by default.")
    private int top;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "The backend; auto, the default, selects the fastest that supports the model.")
    private @Nullable String backendName;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            defaultValue = "attention.svg",
            description = "The file for the heat map; ${DEFAULT-VALUE} by default.")
    private Path out = Path.of("attention.svg");

    @Option(
            names = "--page",
            paramLabel = "FILE",
            description = "The file for the page; by default next to the heat map, with the ending .html.")
    private @Nullable Path page;

    @Option(names = "--open", description = "Open the page in the browser: $BROWSER, or the system's.")
    private boolean open;

    public ExplainCommand(CliEnvironment environment) {
        super(environment);
    }

    /** The results to show. */
    private record Findings(
            InputText reading,
            Sentence sentence,
            WordLinks links,
            Word word,
            int layer,
            int head,
            AttentionBackend backend,
            HeatMap map,
            AttentionPage page) {}

    @Override
    public Integer call() {
        if (top < 1) {
            throw new InvalidInputException(
                    "The number of links is out of range", "1 or more", String.valueOf(top), "--top 10");
        }
        Findings found = look();
        Path html = page == null ? beside(out) : page;
        write("heat map", "--out", () -> found.map().svg(out));
        write("page", "--page", () -> found.page().write(html));
        if (asJson()) {
            printJson(found, html);
        } else {
            printText(found, html);
        }
        if (open) {
            Browser.open(html, environment().environment());
        }
        return OK;
    }

    /** An action that writes a file. */
    private interface Writing {
        void run() throws IOException;
    }

    private static void write(String what, String option, Writing writing) {
        try {
            writing.run();
        } catch (IOException e) {
            throw new CommandFailure(
                    "The " + what + " cannot be written, " + ErrorLine.file(e) + ". HINT: " + option
                            + " FILE names another place",
                    e);
        }
    }

    private static Path beside(Path picture) {
        String name = String.valueOf(picture.getFileName()).replaceFirst("\\.[^.]*$", "");
        return picture.resolveSibling(name + ".html");
    }

    private InputText read(BertTokenizer tokenizer, int most) {
        if ((file == null) == sentence.isEmpty()) {
            throw new InvalidInputException(
                    file == null ? "A sentence is missing" : "There are two sentences",
                    "SENTENCE, or --file FILE",
                    file == null ? "neither" : "both",
                    "heed explain \"the cat sat on the mat\"");
        }
        return file == null
                ? InputText.of(tokenizer, String.join(" ", sentence), pair)
                : InputText.of(tokenizer, InputText.file(file), pair).atMost(most);
    }

    private Findings look() {
        try (BertTokenizer tokenizer = MiniLm.tokenizer()) {
            BertModel model = MiniLm.model();
            InputText reading = read(tokenizer, model.maxTokens());
            var pieces = new Sentence(reading.tokens());
            Word asked = word == null ? null : find(pieces, tokenizer, word);
            requireIndex("layer", layer, model.layers());
            requireIndex("head", head, model.heads());
            AttentionBackend backend = environment()
                    .select(backendName, model.problem(pieces.tokens().size(), true));
            AttentionMaps looks = AttentionMaps.of(pieces, model, new BertEncoder(model, backend));
            Word looking = asked == null ? looks.mostInteresting() : asked;
            WordLinks links = looks.from(looking);
            int shownHead = head == null ? MEAN : head;
            int shownLayer = layer == null ? links.busiestLayer(looking, shownHead) : layer;
            String title = "all-MiniLM-L6-v2, layer " + shownLayer + ", "
                    + (shownHead == MEAN ? "mean of " + links.heads() + " heads" : "head " + shownHead);
            HeatMap map = HeatMap.of(WordLinks.matrix(looks.weights(shownLayer), shownHead))
                    .rows(pieces.labels())
                    .columns(pieces.labels())
                    .title(title)
                    .axes("attends from", "attends to");
            AttentionPage drawn = looks.drawnOn(page(reading, model))
                    .opensAt(shownLayer, shownHead)
                    .pinned(IntStream.rangeClosed(looking.first(), looking.last())
                            .toArray());
            return new Findings(reading, pieces, links, looking, shownLayer, shownHead, backend, map, drawn);
        }
    }

    private static AttentionPage page(InputText reading, BertModel model) {
        List<BertToken> tokens = reading.tokens();
        String note = Stream.of(
                        "all-MiniLM-L6-v2, " + model.layers() + " layers of " + model.heads() + " heads",
                        reading.isPair() ? "the two texts have a colour each" : "",
                        reading.note())
                .filter(part -> !part.isEmpty())
                .collect(Collectors.joining("; "));
        AttentionPage page = AttentionPage.of(
                        tokens.stream().map(BertToken::text).toList())
                .title(VisibleText.cut(reading.text().replaceAll("\\s+", " "), LONGEST_TITLE))
                .note(note)
                .special(IntStream.range(0, tokens.size())
                        .filter(i -> tokens.get(i).special())
                        .boxed()
                        .toList());
        if (reading.isPair()) {
            page = page.segments(tokens.stream().mapToInt(BertToken::segment).toArray());
        }
        return page;
    }

    private static Word find(Sentence sentence, BertTokenizer tokenizer, String word) {
        Matcher numbered = OCCURRENCE.matcher(word);
        boolean hasNumber = numbered.matches();
        String text = hasNumber ? numbered.group(1) : word;
        List<BertToken> pieces = text.isBlank()
                ? List.of()
                : tokenizer.encode(text).stream()
                        .filter(token -> !token.special())
                        .toList();
        Word found = sentence.find(text, pieces, hasNumber ? Integer.parseInt(numbered.group(2)) : 1);
        boolean spelt = found.text().equalsIgnoreCase(text); // the model's vocabulary may lack accents
        return spelt ? found : new Word(text, found.first(), found.last());
    }

    private static void requireIndex(String what, @Nullable Integer index, int count) {
        if (index != null && (index < 0 || index >= count)) {
            throw new InvalidInputException(
                    "The model has no such " + what,
                    what + "s 0 to " + (count - 1),
                    what + " " + index,
                    "--" + what + " " + (count - 1) + " is the last");
        }
    }

    private void printText(Findings found, Path html) {
        out().println("tokens   "
                + VisibleText.of(String.join(" ", found.sentence().labels())));
        if (!found.reading().note().isEmpty()) {
            out().println("note     " + found.reading().note());
        }
        out().println("word     " + VisibleText.of(found.word().text()) + " (token "
                + found.word().first()
                + (found.word().length() == 1 ? "" : " to " + found.word().last()) + ")");
        out().println("backend  " + found.backend().name());
        out().println();
        out().println("Strongest links to other words, of all layers and heads:");
        var links = new TextTable("looks at", "token", "weight", "layer", "head");
        for (Link link : strongest(found)) {
            links.row(
                    link.target().text(),
                    String.valueOf(link.target().first()),
                    weight(link.weight()),
                    String.valueOf(link.layer()),
                    String.valueOf(link.head()));
        }
        links.print(out());
        out().println();
        out().println("Mean over the heads of each layer:");
        var layers = new TextTable("layer", "on words", "on itself", "on special", "looks at");
        for (WordFocus wordFocus : wordFocuses(found)) {
            layers.row(
                    String.valueOf(wordFocus.layer()),
                    weight(wordFocus.onWords()),
                    weight(wordFocus.onItself()),
                    weight(wordFocus.onSpecial()),
                    wordFocus.targets().stream()
                            .limit(SHOWN_TARGETS)
                            .map(target -> target.word().text() + " " + weight(target.weight()))
                            .collect(Collectors.joining(", ")));
        }
        layers.print(out());
        out().println();
        out().println(found.map().terminal(environment().colors(), environment().width()));
        out().println("written to " + VisibleText.of(out + " and " + html));
    }

    private List<Link> strongest(Findings found) {
        return found.links().from(found.word()).stream().limit(top).toList();
    }

    private static List<WordFocus> wordFocuses(Findings found) {
        return IntStream.range(0, found.links().layers())
                .mapToObj(layer -> found.links().wordFocus(layer, found.word()))
                .toList();
    }

    private static String weight(double weight) {
        return String.format(Locale.ROOT, "%.3f", weight);
    }

    private void printJson(Findings found, Path html) {
        var root = new JsonObject();
        root.add("tokens", JsonText.texts(found.sentence().labels()));
        root.add("segments", JsonText.array(found.reading().tokens(), token -> new JsonPrimitive(token.segment())));
        root.addProperty("tokensLeftOut", found.reading().omittedTokens());
        root.add("words", JsonText.array(found.sentence().words(), ExplainCommand::json));
        root.add("word", json(found.word()));
        root.addProperty("backend", found.backend().name());
        root.addProperty("layer", found.layer());
        root.addProperty("head", found.head() == MEAN ? null : found.head());
        root.add("links", JsonText.array(strongest(found), link -> {
            JsonObject json = json(link.target());
            json.addProperty("layer", link.layer());
            json.addProperty("head", link.head());
            json.add("weight", JsonText.number(link.weight()));
            return json;
        }));
        root.add("layers", JsonText.array(wordFocuses(found), wordFocus -> {
            var json = new JsonObject();
            json.addProperty("layer", wordFocus.layer());
            json.add("onWords", JsonText.number(wordFocus.onWords()));
            json.add("onItself", JsonText.number(wordFocus.onItself()));
            json.add("onSpecial", JsonText.number(wordFocus.onSpecial()));
            json.add("words", JsonText.array(wordFocus.targets(), target -> {
                JsonObject entry = json(target.word());
                entry.add("weight", JsonText.number(target.weight()));
                return entry;
            }));
            return json;
        }));
        root.addProperty("svg", out.toString());
        root.addProperty("page", html.toString());
        print(root);
    }

    private static JsonObject json(Word word) {
        var json = new JsonObject();
        json.addProperty("text", word.text());
        json.addProperty("firstToken", word.first());
        json.addProperty("lastToken", word.last());
        return json;
    }
}
