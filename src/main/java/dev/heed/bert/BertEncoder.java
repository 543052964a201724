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
 * An encoder that runs a BERT on sentences, with attention and feed-forward layers on a backend of Heed:
 *
 * <pre>
 * x = norm(word + position + segment)
 * each layer:  x = norm(x + attention(x, x, x))    x = norm(x + gelu(x W1 + b1) W2 + b2)
 * </pre>
 */
public final class BertEncoder {
    /** Maximum tokens per batch of several sentences, so that the intermediate results of a layer stay in cache. */
    private static final int TOGETHER = 1024;

    private final BertModel model;
    private final AttentionBackend backend;

    /**
     * Creates an encoder, which need not be closed.
     *
     * @param backend backend for attention and linear layers, such as
     *     {@code Backends.select(model.problem(tokens, weights), name)}
     */
    public BertEncoder(BertModel model, AttentionBackend backend) {
        this.model = model;
        this.backend = backend;
    }

    /**
     * {@return the hidden states and the requested attention weights of a sentence}
     *
     * @param tokens the sentence, including the special tokens around it
     * @param layers indices, from 0, of the layers whose attention weights are returned
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
        return new BertEncoding(tokens, hidden, weights);
    }

    /**
     * {@return the largest attention weights of every query token, for each layer} Memory use grows linearly with the
     * number of tokens, not quadratically.
     *
     * @param tokens the sentence, including the special tokens around it
     * @param topK number of weights per row
     * @throws InvalidInputException if the tokens do not fit the model, or {@code topK} is below 1
     */
    public List<BertStrongest> strongest(List<BertToken> tokens, int topK) {
        requireFits(tokens);
        if (topK < 1) {
            throw new InvalidInputException(
                    "The number of largest weights does not fit",
                    "topK >= 1",
                    String.valueOf(topK),
                    "strongest(tokens, 64)");
        }
        return eachLayer(tokens, () -> BertOutputs.strongest(model.heads(), tokens.size(), topK)).stream()
                .map(requested -> new BertStrongest(
                        BertOutputs.only(requested.topKWeights()), BertOutputs.only(requested.topKKeys())))
                .toList();
    }

    /**
     * {@return the attention weights f32 {@code [heads, rows, tokens]} of the chosen query tokens, for each layer}
     *
     * @param tokens the sentence, including the special tokens around it
     * @param rows indices, from 0, of the query tokens
     * @throws InvalidInputException if the tokens do not fit the model, {@code rows} is empty, or a row does not exist
     */
    public List<Tensor> rows(List<BertToken> tokens, long... rows) {
        requireFits(tokens);
        if (rows.length == 0) {
            throw new InvalidInputException("No rows were chosen", "1 row or more", "none", "rows(tokens, 3)");
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
     * {@return the inputs of the attention of one layer: the rows {@code [1, tokens, width]} and the projections of the
     * layer} The attention of the layer is {@code Attention.multiHead} of these inputs.
     *
     * @param tokens the sentence, including the special tokens around it
     * @param layer the index of the layer, from 0
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
     * {@return the hidden states of each sentence, in the given order} Sentences of similar length are computed in one
     * batch, without padding. On the vector backend and the reference, the bits of a sentence do not depend on the others.
     *
     * @param sentences the sentences, each including the special tokens around it
     * @throws InvalidInputException if the tokens of a sentence do not fit the model; then nothing is computed
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
            int tokensOfBatch = sentences.get(byLength.get(from)).size();
            while (to < byLength.size()
                    && tokensOfBatch + sentences.get(byLength.get(to)).size() <= TOGETHER) {
                tokensOfBatch += sentences.get(byLength.get(to)).size();
                to++;
            }
            List<List<BertToken>> batch = new ArrayList<>();
            byLength.subList(from, to).forEach(i -> batch.add(sentences.get(i)));
            try (var pass = new BertPass(model, backend, batch)) {
                Tensor hidden = pass.run(Map.of());
                int row = 0;
                for (int b = 0; b < batch.size(); b++) {
                    List<BertToken> tokens = batch.get(b);
                    Tensor rows = hidden.slice(0, row, row + tokens.size());
                    encodings[byLength.get(from + b)] = new BertEncoding(tokens, rows, new TreeMap<>());
                    row += tokens.size();
                }
            }
            from = to;
        }
        return Arrays.asList(encodings);
    }

    private void requireFits(List<BertToken> tokens) {
        if (tokens.isEmpty() || tokens.size() > model.maxTokens()) {
            throw new InvalidInputException(
                    tokens.isEmpty() ? "The sentence is empty" : "The sentence has too many tokens for the model",
                    tokens.isEmpty() ? "at least 1 token" : "<= " + model.maxTokens() + " tokens",
                    tokens.size() + " tokens",
                    "split the text into sentences and explain them one by one");
        }
        for (BertToken token : tokens) {
            boolean known = token.id() >= 0
                    && token.id() < model.vocabularySize()
                    && token.segment() >= 0
                    && token.segment() < model.segments();
            if (!known) {
                throw new InvalidInputException(
                        "A token does not fit the model",
                        "ids below " + model.vocabularySize() + " and segments below " + model.segments(),
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
                    "the first layer is layer 0");
        }
    }
}
