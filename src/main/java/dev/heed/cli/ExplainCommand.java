package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.bert.BertEncoder;
import dev.heed.bert.BertModel;
import dev.heed.bert.BertToken;
import dev.heed.bert.BertTokenizer;
import dev.heed.bert.MiniLm;
import dev.heed.cli.Sentence.Word;
import dev.heed.cli.WordLinks.Gaze;
import dev.heed.cli.WordLinks.Link;
import dev.heed.tensor.InvalidInputException;
import dev.heed.view.HeatMap;
import dev.heed.view.VisibleText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heed explain SENTENCE}: where a word looks in a real model. */
@Command(
        name = "explain",
        description = {
            "Show where a word of a sentence looks in all-MiniLM-L6-v2, a BERT of 6 layers of 12 heads, and draw the"
                    + " attention as a heat map, here and as an SVG file.",
            ""
        },
        footer = {
            "",
            "Layers and heads count from 0. A word of several pieces looks with their mean and is looked at with their"
                    + " sum. The table leaves out special tokens and the word itself.",
            "",
            "Examples:",
            "  heed explain \"The animal didn't cross the street because it was too tired.\"",
            "  heed explain \"The cat sat on the mat.\" --word the#2 --layer 2 --head 7 --out cat.svg",
            "  heed explain \"Time flies like an arrow\" --word flies --json"
        })
final class ExplainCommand extends HeedCommand {
    private static final int MEAN = -1;
    private static final int SHOWN_TARGETS = 4;
    private static final Pattern OCCURRENCE = Pattern.compile("(.+)#([1-9][0-9]{0,3})");

    @Parameters(paramLabel = "SENTENCE", arity = "1..*", description = "The sentence, in English; put it in quotes.")
    private List<String> sentence = List.of();

    @Option(
            names = "--word",
            paramLabel = "W",
            description =
                    "The word that looks, its first occurrence; the#2 is the second \"the\". By default \"it\", and"
                            + " where that does not occur the word with the strongest link to another.")
    private @Nullable String word;

    @Option(
            names = "--layer",
            paramLabel = "L",
            description = "The layer of the heat map; by default the one in which the word looks most at other words.")
    private @Nullable Integer layer;

    @Option(names = "--head", paramLabel = "H", description = "The head of the heat map; the mean of all by default.")
    private @Nullable Integer head;

    @Option(
            names = "--top",
            paramLabel = "N",
            defaultValue = "10",
            description = "How many of the strongest links are listed; ${DEFAULT-VALUE} by default.")
    private int top;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "The backend; auto, the default, takes the fastest that can.")
    private @Nullable String backendName;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            defaultValue = "attention.svg",
            description = "Where the heat map goes; ${DEFAULT-VALUE} by default.")
    private Path out = Path.of("attention.svg");

    ExplainCommand(Surroundings surroundings) {
        super(surroundings);
    }

    /** What there is to show. */
    private record Findings(
            Sentence sentence,
            WordLinks links,
            Word word,
            int layer,
            int head,
            AttentionBackend backend,
            HeatMap map) {}

    @Override
    public Integer call() {
        if (top < 1) {
            throw new InvalidInputException("That is no number of links", "1 or more", String.valueOf(top), "--top 10");
        }
        Findings found = look();
        try {
            found.map().svg(out);
        } catch (IOException e) {
            throw new CommandFailure(
                    "The heat map cannot be written, " + ErrorLine.file(e) + ". HINT: --out FILE names another place",
                    e);
        }
        if (asJson()) {
            printJson(found);
        } else {
            printText(found);
        }
        return OK;
    }

    private Findings look() {
        try (BertTokenizer tokenizer = MiniLm.tokenizer()) {
            var pieces = new Sentence(tokenizer.encode(String.join(" ", sentence)));
            Word asked = word == null ? null : find(pieces, tokenizer, word);
            BertModel model = MiniLm.model();
            requireIndex("layer", layer, model.layers());
            requireIndex("head", head, model.heads());
            AttentionBackend backend = surroundings()
                    .select(backendName, model.problem(pieces.tokens().size(), true));
            int[] all = IntStream.range(0, model.layers()).toArray();
            var encoding = new BertEncoder(model, backend).encode(pieces.tokens(), all);
            var links = new WordLinks(
                    pieces, IntStream.of(all).mapToObj(encoding::weights).toList());
            Word looking = asked == null ? links.mostInteresting() : asked;
            int shownHead = head == null ? MEAN : head;
            int shownLayer = layer == null ? links.busiestLayer(looking, shownHead) : layer;
            String title = "all-MiniLM-L6-v2, layer " + shownLayer + ", "
                    + (shownHead == MEAN ? "mean of " + links.heads() + " heads" : "head " + shownHead);
            HeatMap map = HeatMap.of(links.matrix(shownLayer, shownHead))
                    .rows(pieces.labels())
                    .columns(pieces.labels())
                    .title(title)
                    .axes("attends from", "attends to");
            return new Findings(pieces, links, looking, shownLayer, shownHead, backend, map);
        }
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
        return sentence.find(text, pieces, hasNumber ? Integer.parseInt(numbered.group(2)) : 1);
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

    private void printText(Findings found) {
        out().println("tokens   "
                + VisibleText.of(String.join(" ", found.sentence().labels())));
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
        for (Gaze gaze : gazes(found)) {
            layers.row(
                    String.valueOf(gaze.layer()),
                    weight(gaze.onWords()),
                    weight(gaze.onItself()),
                    weight(gaze.onSpecial()),
                    gaze.targets().stream()
                            .limit(SHOWN_TARGETS)
                            .map(target -> target.word().text() + " " + weight(target.weight()))
                            .collect(Collectors.joining(", ")));
        }
        layers.print(out());
        out().println();
        out().println(found.map()
                .terminal(surroundings().colors(), surroundings().width()));
        out().println("written to " + VisibleText.of(out.toString()));
    }

    private List<Link> strongest(Findings found) {
        return found.links().from(found.word()).stream().limit(top).toList();
    }

    private static List<Gaze> gazes(Findings found) {
        return IntStream.range(0, found.links().layers())
                .mapToObj(layer -> found.links().gaze(layer, found.word()))
                .toList();
    }

    private static String weight(double weight) {
        return String.format(Locale.ROOT, "%.3f", weight);
    }

    private void printJson(Findings found) {
        var root = new JsonObject();
        root.add("tokens", JsonText.texts(found.sentence().labels()));
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
        root.add("layers", JsonText.array(gazes(found), gaze -> {
            var json = new JsonObject();
            json.addProperty("layer", gaze.layer());
            json.add("onWords", JsonText.number(gaze.onWords()));
            json.add("onItself", JsonText.number(gaze.onItself()));
            json.add("onSpecial", JsonText.number(gaze.onSpecial()));
            json.add("words", JsonText.array(gaze.targets(), target -> {
                JsonObject entry = json(target.word());
                entry.add("weight", JsonText.number(target.weight()));
                return entry;
            }));
            return json;
        }));
        root.addProperty("svg", out.toString());
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
