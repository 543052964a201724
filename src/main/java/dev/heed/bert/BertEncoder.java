package dev.heed.bert;

import dev.heed.AttentionBackend;
import dev.heed.AttentionResult;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadPlan;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Runs a BERT on one sentence, every attention on a backend of Heed and the rest in plain loops:
 *
 * <pre>
 * x = norm(word + position + segment)
 * each layer:  x = norm(x + attention(x, x, x))    x = norm(x + gelu(x W1 + b1) W2 + b2)
 * </pre>
 *
 * <p>No token is masked, for none is padding.
 */
public final class BertEncoder {
    private final BertModel model;
    private final AttentionBackend backend;

    /**
     * Creates an encoder; it holds no resources of its own.
     *
     * @param backend where the attention is computed; {@code Backends.select(model.problem(tokens, weights), name)}
     *     finds one
     */
    public BertEncoder(BertModel model, AttentionBackend backend) {
        this.model = model;
        this.backend = backend;
    }

    /**
     * {@return what the model makes of a sentence}
     *
     * @param tokens the sentence, with the special tokens around it
     * @param keptLayers the layers, from 0, whose attention weights are kept
     * @throws InvalidInputException if the tokens do not fit the model, or a layer does not exist
     */
    public BertEncoding encode(List<BertToken> tokens, int... keptLayers) {
        requireFits(tokens);
        SortedMap<Integer, Tensor> weights = new TreeMap<>();
        for (int layer : keptLayers) {
            requireLayer(layer);
            weights.put(layer, Tensor.zeros(DType.F32, 1, model.heads(), tokens.size(), tokens.size()));
        }
        float[] x = embed(tokens);
        for (int i = 0; i < model.layers(); i++) {
            BertLayer layer = model.layers.get(i);
            add(x, attend(layer, x, tokens.size(), weights.get(i)));
            layer.attentionNorm().apply(x);
            float[] between = layer.intermediate().apply(x);
            Gelu.apply(between);
            add(x, layer.output().apply(between));
            layer.outputNorm().apply(x);
        }
        weights.replaceAll((layer, kept) -> kept.select(0, 0));
        return new BertEncoding(tokens, Tensor.of(x, tokens.size(), model.width()), weights);
    }

    private float[] embed(List<BertToken> tokens) {
        int width = model.width();
        float[] x = new float[tokens.size() * width];
        for (int i = 0; i < tokens.size(); i++) {
            int word = tokens.get(i).id() * width;
            int segment = tokens.get(i).segment() * width;
            for (int j = 0; j < width; j++) {
                x[i * width + j] = model.wordEmbeddings[word + j]
                        + model.segmentEmbeddings[segment + j]
                        + model.positionEmbeddings[i * width + j];
            }
        }
        model.embeddingNorm.apply(x);
        return x;
    }

    private float[] attend(BertLayer layer, float[] x, int tokens, @Nullable Tensor weights) {
        float[] output = new float[x.length];
        Tensor rows = Tensor.of(x, 1, tokens, model.width());
        var inputs = MultiHeadInputs.of(
                rows, rows, rows, layer.attention(), model.heads(), model.heads(), BertModel.options(weights != null));
        var result =
                new AttentionResult(Tensor.of(output, 1, tokens, model.width()), null, weights, null, null, null, null);
        try (MultiHeadPlan plan = backend.plan(inputs.problem())) {
            plan.forward(inputs, result);
        }
        return output;
    }

    private static void add(float[] x, float[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
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
