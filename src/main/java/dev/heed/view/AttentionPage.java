package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.view.page.PageDocument;
import dev.heed.view.page.PageJson;
import dev.heed.view.page.PageLayer;
import dev.heed.view.text.SvgText;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Attention as one HTML file that opens in any browser, without a server or a network: lines between words, a heat map,
 * and all heads at once. Immutable; methods that add or set something return a new page.
 *
 * <pre>{@code
 * AttentionPage.of(tokens).layer(weights0).layer(weights1).write(Path.of("attention.html"));
 * AttentionPage.of(outputs, inputs).layer("cross-attention", weights).write(Path.of("translation.html"));
 * }</pre>
 *
 * <p>Weights are {@code [heads, query tokens, key tokens]}. The page contains the {@value #PER_ROW} largest weights of
 * each row ({@link #perRow} changes the count) and shows the sum of the others. A weight is stored in 16 bits, within
 * 1.6e-5 of its value if no weight is above 1. For long texts the kernels can return only the largest weights: {@code
 * AttentionOptions.withTopK} and {@link #strongest}.
 */
public final class AttentionPage {
    /** Default number of largest weights kept per row. */
    public static final int PER_ROW = 64;

    /** Maximum number of weights kept per row. */
    private static final int LARGEST_ROW = 0xFFFF;

    private final Texts texts;
    private final Opening opening;
    private final String title;
    private final String note;
    private final int perRow;
    private final List<PageLayer> layers;

    /** The query tokens (left) and the key tokens (right), which are the same for self-attention. */
    private record Texts(
            List<String> left,
            List<String> right,
            boolean self,
            List<Integer> segments,
            List<Integer> specialLeft,
            List<Integer> specialRight) {}

    /** The initial view of the page. */
    private record Opening(int layer, int head, List<Integer> pinned) {}

    private AttentionPage(Texts texts, Opening opening, String title, String note, int perRow, List<PageLayer> layers) {
        this.texts = texts;
        this.opening = opening;
        this.title = title;
        this.note = note;
        this.perRow = perRow;
        this.layers = layers;
    }

    /**
     * {@return a page for one text whose tokens attend to each other}
     *
     * @throws InvalidInputException if there are no tokens
     */
    public static AttentionPage of(List<String> tokens) {
        return of(new Texts(requireTokens(tokens), requireTokens(tokens), true, List.of(), List.of(), List.of()));
    }

    /**
     * {@return a page for tokens that attend to another text, such as the outputs of a decoder to its inputs}
     *
     * @throws InvalidInputException if a text has no tokens
     */
    public static AttentionPage of(List<String> outputs, List<String> inputs) {
        return of(new Texts(requireTokens(outputs), requireTokens(inputs), false, List.of(), List.of(), List.of()));
    }

    private static AttentionPage of(Texts texts) {
        return new AttentionPage(texts, new Opening(-1, -1, List.of()), "Attention", "", PER_ROW, List.of());
    }

    private static List<String> requireTokens(List<String> tokens) {
        if (tokens.isEmpty()) {
            throw new InvalidInputException("A page needs tokens", "1 or more", "none", "AttentionPage.of(tokens)");
        }
        return List.copyOf(tokens);
    }

    /** {@return this page with a title} */
    public AttentionPage title(String text) {
        return new AttentionPage(texts, opening, Objects.requireNonNull(text), note, perRow, layers);
    }

    /** {@return this page with a line below its title, such as the source of the weights} */
    public AttentionPage note(String text) {
        return new AttentionPage(texts, opening, title, Objects.requireNonNull(text), perRow, layers);
    }

    /**
     * {@return this page with the tokens coloured by the segment they belong to, such as question and passage}
     *
     * @param segments a segment index from 0 for each token
     * @throws InvalidInputException if the page has two texts, the counts of segments and tokens differ, or a segment
     *     is negative
     */
    public AttentionPage segments(int... segments) {
        if (!texts.self
                || segments.length != texts.left.size()
                || Arrays.stream(segments).anyMatch(s -> s < 0)) {
            throw new InvalidInputException(
                    "Every token must have one segment",
                    texts.self ? texts.left.size() + " numbers from 0" : "a page of one text",
                    texts.self ? Arrays.toString(segments) : "a page of two texts",
                    "AttentionPage.of(tokens).segments(0, 0, 0, 1, 1)");
        }
        return with(new Texts(
                texts.left,
                texts.right,
                true,
                Arrays.stream(segments).boxed().toList(),
                texts.specialLeft,
                texts.specialRight));
    }

    /**
     * {@return this page with tokens that can be hidden together, such as {@code [CLS]} and {@code [SEP]}}
     *
     * @param positions the indices of these tokens, from 0
     * @throws InvalidInputException if there is no token at an index, or the page has two texts
     */
    public AttentionPage special(Collection<Integer> positions) {
        if (!texts.self) {
            throw new InvalidInputException(
                    "Special tokens of two texts must be given for both sides",
                    "indices of outputs and indices of inputs",
                    "one collection",
                    "special(outputPositions, inputPositions)");
        }
        return special(positions, positions);
    }

    /**
     * {@return this page with tokens that can be hidden together}
     *
     * @param outputs the indices of these tokens among the query tokens, from 0
     * @param inputs the indices of these tokens among the key tokens, from 0
     * @throws InvalidInputException if there is no token at an index
     */
    public AttentionPage special(Collection<Integer> outputs, Collection<Integer> inputs) {
        outputs.forEach(at -> requirePlace(at, texts.left));
        inputs.forEach(at -> requirePlace(at, texts.right));
        return with(new Texts(
                texts.left,
                texts.right,
                texts.self,
                texts.segments,
                outputs.stream().distinct().sorted().toList(),
                inputs.stream().distinct().sorted().toList()));
    }

    private static void requirePlace(int at, List<String> tokens) {
        if (at < 0 || at >= tokens.size()) {
            throw new InvalidInputException(
                    "There is no token at this index",
                    "0 to " + (tokens.size() - 1),
                    String.valueOf(at),
                    "indices start at 0");
        }
    }

    private AttentionPage with(Texts changed) {
        return new AttentionPage(changed, opening, title, note, perRow, layers);
    }

    /**
     * {@return this page with a limit of {@code count} weights per row for the layers that {@link #layer(String,
     * Tensor)} adds after this call}
     *
     * @throws InvalidInputException if {@code count} is below 1 or above 65535
     */
    public AttentionPage perRow(int count) {
        if (count < 1 || count > LARGEST_ROW) {
            throw new InvalidInputException(
                    "The number of weights per row is out of range",
                    "1 to " + LARGEST_ROW,
                    String.valueOf(count),
                    "perRow(" + PER_ROW + ")");
        }
        return new AttentionPage(texts, opening, title, note, count, layers);
    }

    /**
     * {@return this page with one more layer, named by its index}
     *
     * @param weights {@code [heads, query tokens, key tokens]}; the elements are copied
     * @throws InvalidInputException if the shape does not fit, or a weight is negative
     */
    public AttentionPage layer(Tensor weights) {
        return layer(String.format(Locale.ROOT, "layer %d", layers.size()), weights);
    }

    /**
     * {@return this page with one more layer}
     *
     * @param name the name of the layer on the page
     * @param weights {@code [heads, query tokens, key tokens]}; the elements are copied
     * @throws InvalidInputException if the shape does not fit, or a weight is negative
     */
    public AttentionPage layer(String name, Tensor weights) {
        return with(PageLayer.dense(name, weights, texts.left.size(), texts.right.size(), perRow));
    }

    /**
     * {@return this page with one more layer, given by the largest weights of each row} If the weights of a row sum to
     * less than 1, the page shows the difference as the sum of the weights left out.
     *
     * @param name the name of the layer on the page
     * @param weights {@code [heads, query tokens, topK]}, as in {@code AttentionResult.topKWeights()} without the batch
     *     axis; the elements are copied
     * @param keys i64 of the same shape: the indices of the keys among the key tokens, -1 for none
     * @throws InvalidInputException if the shapes do not fit, a weight is negative, or a key is out of range or listed
     *     twice
     */
    public AttentionPage strongest(String name, Tensor weights, Tensor keys) {
        return with(PageLayer.listed(name, weights, keys, texts.left.size(), texts.right.size()));
    }

    private AttentionPage with(PageLayer layer) {
        return new AttentionPage(
                texts,
                opening,
                title,
                note,
                perRow,
                Stream.concat(layers.stream(), Stream.of(layer)).toList());
    }

    /** {@return this page, which opens with one head; by default it opens with the mean over the heads of the last layer} */
    public AttentionPage opensAt(int layer, int head) {
        return new AttentionPage(texts, new Opening(layer, head, opening.pinned), title, note, perRow, layers);
    }

    /** {@return this page, which opens with the mean over the heads of a layer} */
    public AttentionPage opensAt(int layer) {
        return opensAt(layer, -1);
    }

    /**
     * {@return this page, which opens with pinned tokens: only the lines of these tokens are drawn}
     *
     * @param positions the indices of the pinned tokens among the query tokens, from 0
     * @throws InvalidInputException if there is no token at an index
     */
    public AttentionPage pinned(int... positions) {
        List<Integer> places = Arrays.stream(positions).boxed().toList();
        places.forEach(at -> requirePlace(at, texts.left));
        return new AttentionPage(texts, new Opening(opening.layer, opening.head, places), title, note, perRow, layers);
    }

    /**
     * Writes the page, replacing an existing file.
     *
     * @throws InvalidInputException if the page has no layer, or lacks the layer or head that it opens with
     * @throws IOException if the file cannot be written
     */
    public void write(Path file) throws IOException {
        requireLayers();
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
            write(out);
        }
    }

    /**
     * {@return the page as text}
     *
     * @throws InvalidInputException if the page has no layer, or lacks the layer or head that it opens with
     */
    public String html() {
        requireLayers();
        var out = new ByteArrayOutputStream();
        try {
            write(out);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    private void requireLayers() {
        if (layers.isEmpty()) {
            throw new InvalidInputException("A page needs weights", "1 layer or more", "none", "layer(weights)");
        }
        int layer = opening.layer;
        boolean known = layer < 0
                || (layer < layers.size()
                        && opening.head < layers.get(layer).heads().size());
        if (!known) {
            throw new InvalidInputException(
                    "The page cannot open with this head",
                    "layers 0 to " + (layers.size() - 1) + " and heads 0 to "
                            + (layers.get(Math.min(layer, layers.size() - 1))
                                            .heads()
                                            .size()
                                    - 1),
                    "layer " + layer + ", head " + opening.head,
                    "opensAt(0, 0)");
        }
    }

    private void write(OutputStream out) throws IOException {
        PageDocument.write(out, title, json(), layers);
    }

    private String json() {
        List<String> described = new ArrayList<>();
        for (PageLayer layer : layers) {
            described.add(PageJson.object(
                    "name",
                    PageJson.text(layer.name()),
                    "heads",
                    String.valueOf(layer.heads().size()),
                    "scale",
                    String.valueOf(layer.scale())));
        }
        List<String> palettes = new ArrayList<>();
        for (Palette palette : Palette.values()) {
            List<String> stops = new ArrayList<>();
            for (int i = 0; i <= 32; i++) {
                stops.add(SvgText.colour(palette.rgb(i / 32.0)));
            }
            palettes.add(PageJson.object(
                    "name", PageJson.text(palette.name().toLowerCase(Locale.ROOT)), "stops", PageJson.texts(stops)));
        }
        return PageJson.object(
                "title",
                PageJson.text(title),
                "note",
                PageJson.text(note),
                "left",
                PageJson.texts(texts.left),
                "right",
                texts.self ? "null" : PageJson.texts(texts.right),
                "segments",
                PageJson.numbers(texts.segments),
                "specialLeft",
                PageJson.numbers(texts.specialLeft),
                "specialRight",
                PageJson.numbers(texts.specialRight),
                "layers",
                array(described),
                "palettes",
                array(palettes),
                "open",
                PageJson.object(
                        "layer",
                        String.valueOf(opening.layer),
                        "head",
                        String.valueOf(opening.head),
                        "pinned",
                        PageJson.numbers(opening.pinned)));
    }

    private static String array(List<String> values) {
        return values.stream().collect(Collectors.joining(",", "[", "]"));
    }
}
