package dev.heed.bert;

import dev.heed.AttentionBackend;
import dev.heed.MultiHeadInputs;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Runs a BERT on sentences, attention and feed-forward layers on a backend of Heed:
 *
 * <pre>
 * x = norm(word + position + segment)
 * each layer:  x = norm(x + attention(x, x, x))    x = norm(x + gelu(x W1 + b1) W2 + b2)
 * </pre>
 */
public final class BertEncoder {
    /** Tokens that are computed together: what lies between two layers stays in cache. */
    private static final int TOGETHER = 1024;

    private final BertModel model;
    private final AttentionBackend backend;

    /**
     * Creates an encoder; it holds no resources of its own.
     *
     * @param backend where attention and linear layers are computed; {@code Backends.select(model.problem(tokens,
     *     weights), name)} finds one
     */
    public BertEncoder(BertModel model, AttentionBackend backend) {
        this.model = model;
        this.backend = backend;
    }

    /**
     * {@return what the model makes of a sentence}
     *
     * @param tokens the sentence, with the special tokens around it
     * @param layers the layers, from 0, whose attention weights are kept
     * @throws InvalidInputException if the tokens do not fit the model, or a layer does not exist
     */
    public BertEncoding encode(List<BertToken> tokens, int... layers) {
        requireFits(tokens);
        Map<Integer, BertOutputs> requested = new TreeMap<>();
        for (int layer : layers) {
            requireLayer(layer);
            requested.put(layer, BertOutputs.weights(model.heads(), tokens.size()));
        }
        Tensor hidden = run(tokens, requested);
        SortedMap<Integer, Tensor> weights = new TreeMap<>();
        requested.forEach((layer, of) -> weights.put(layer, BertOutputs.only(of.weights())));
        return new BertEncoding(tokens, hidden.select(0, 0), weights);
    }

    /**
     * {@return the largest attention weights of every token, for each layer} Memory grows with the length, not with its
     * square.
     *
     * @param tokens the sentence, with the special tokens around it
     * @param topK how many of each row
     * @throws InvalidInputException if the tokens do not fit the model, or none are asked for
     */
    public List<BertStrongest> strongest(List<BertToken> tokens, int topK) {
        requireFits(tokens);
        if (topK < 1) {
            throw new InvalidInputException(
                    "The largest weights are some", "topK >= 1", String.valueOf(topK), "strongest(tokens, 64)");
        }
        return eachLayer(tokens, () -> BertOutputs.strongest(model.heads(), tokens.size(), topK)).stream()
                .map(requested -> new BertStrongest(BertOutputs.only(requested.topKWeights()), BertOutputs.only(requested.topKKeys())))
                .toList();
    }

    /**
     * {@return the attention weights f32 {@code [heads, rows, tokens]} of some tokens, for each layer}
     *
     * @param tokens the sentence, with the special tokens around it
     * @param rows the places of the tokens that look, from 0
     * @throws InvalidInputException if the tokens do not fit the model, or there is no such row
     */
    public List<Tensor> rows(List<BertToken> tokens, long... rows) {
        requireFits(tokens);
        if (rows.length == 0) {
            throw new InvalidInputException("Chosen rows are some", "1 row or more", "none", "rows(tokens, 3)");
        }
        return eachLayer(tokens, () -> BertOutputs.rows(model.heads(), tokens.size(), rows)).stream()
                .map(requested -> BertOutputs.only(requested.rowWeights()))
                .toList();
    }

    private List<BertOutputs> eachLayer(List<BertToken> tokens, Supplier<BertOutputs> place) {
        SortedMap<Integer, BertOutputs> requested = new TreeMap<>();
        for (int layer = 0; layer < model.layers(); layer++) {
            requested.put(layer, place.get());
        }
        run(tokens, requested);
        return List.copyOf(requested.values());
    }

    private Tensor run(List<BertToken> tokens, Map<Integer, BertOutputs> requested) {
        try (var pass = new BertPass(model, backend, List.of(tokens))) {
            return pass.run(requested);
        }
    }

    /**
     * {@return what the attention of one layer reads: the rows {@code [1, tokens, width]} and the layer's own projections}
     * {@code Attention.multiHead} of it is what the layer computes.
     *
     * @param tokens the sentence, with the special tokens around it
     * @param layer the layer, from 0
     * @throws InvalidInputException if the tokens do not fit the model, or the layer does not exist
     */
    public MultiHeadInputs attention(List<BertToken> tokens, int layer) {
        requireFits(tokens);
        requireLayer(layer);
        try (var pass = new BertPass(model, backend, List.of(tokens))) {
            return pass.inputs(layer);
        }
    }

    /**
     * {@return what the model makes of each sentence, in their order} Sentences of similar length are computed together;
     * the shorter ones are padded, and no token sees the padding.
     *
     * @param sentences each with the special tokens around it
     * @throws InvalidInputException if the tokens of any do not fit the model; nothing is computed then
     */
    public List<BertEncoding> encodeAll(List<List<BertToken>> sentences) {
        sentences.forEach(this::requireFits);
        List<Integer> byLength = IntStream.range(0, sentences.size())
                .boxed()
                .sorted(Comparator.comparing(i -> sentences.get(i).size()))
                .toList();
        BertEncoding[] encodings = new BertEncoding[sentences.size()];
        int from = 0;
        while (from < byLength.size()) {
            int to = from + 1;
            while (to < byLength.size()
                    && (to + 1 - from) * sentences.get(byLength.get(to)).size() <= TOGETHER) {
                to++;
            }
            List<List<BertToken>> batch = new ArrayList<>();
            byLength.subList(from, to).forEach(i -> batch.add(sentences.get(i)));
            try (var pass = new BertPass(model, backend, batch)) {
                Tensor hidden = pass.run(Map.of());
                for (int b = 0; b < batch.size(); b++) {
                    List<BertToken> tokens = batch.get(b);
                    Tensor rows = hidden.select(0, b).slice(0, 0, tokens.size());
                    encodings[byLength.get(from + b)] = new BertEncoding(tokens, rows, new TreeMap<>());
                }
            }
            from = to;
        }
        return Arrays.asList(encodings);
    }

    private void requireFits(List<BertToken> tokens) {
        if (tokens.isEmpty() || tokens.size() > model.maxTokens()) {
            throw new InvalidInputException(
                    tokens.isEmpty() ? "The sentence is empty" : "The sentence is longer than the model's positions",
                    tokens.isEmpty() ? "at least 1 token" : "<= " + model.maxTokens() + " tokens",
                    tokens.size() + " tokens",
                    "split the text into sentences and explain them one by one");
        }
        for (BertToken token : tokens) {
            boolean known = token.id() >= 0
                    && token.id() < model.vocabulary()
                    && token.segment() >= 0
                    && token.segment() < model.segments();
            if (!known) {
                throw new InvalidInputException(
                        "The model does not know a token",
                        "ids below " + model.vocabulary() + " and segments below " + model.segments(),
                        token.toString(),
                        "use the tokenizer that belongs to the model");
            }
        }
    }

    private void requireLayer(int layer) {
        if (layer < 0 || layer >= model.layers()) {
            throw new InvalidInputException(
                    "The model has no such layer",
                    "layers 0 to " + (model.layers() - 1),
                    "layer " + layer,
                    "layers count from 0");
        }
    }
}
