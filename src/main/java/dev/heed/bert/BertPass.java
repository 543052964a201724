package dev.heed.bert;

import dev.heed.Activation;
import dev.heed.AttentionBackend;
import dev.heed.AttentionOptions;
import dev.heed.LinearPlan;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.mask.Mask;
import dev.heed.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The forward pass of one batch of sentences through all layers; the layers share plans and buffers. */
final class BertPass implements AutoCloseable {
    private final BertModel model;
    private final AttentionBackend backend;
    private final List<List<BertToken>> sentences;
    private final int longest;
    private final int rows;
    private final AttentionOptions options;
    private final Map<MultiHeadProblem, MultiHeadPlan> attentions = new HashMap<>();
    private final LinearPlan up;
    private final LinearPlan down;
    private final float[] x;
    private final float[] change;
    private final Tensor between;

    BertPass(BertModel model, AttentionBackend backend, List<List<BertToken>> sentences) {
        this.model = model;
        this.backend = backend;
        this.sentences = sentences;
        long[] lengths = sentences.stream().mapToLong(List::size).toArray();
        this.longest = sentences.stream().mapToInt(List::size).max().orElseThrow();
        this.rows = Math.multiplyExact(sentences.size(), longest);
        boolean padded = sentences.stream().anyMatch(sentence -> sentence.size() < longest);
        this.options = padded ? AttentionOptions.DEFAULT.withMask(Mask.keyLengths(lengths)) : AttentionOptions.DEFAULT;
        this.x = new float[Math.multiplyExact(rows, model.width())];
        this.change = new float[x.length];
        BertLayer layer = model.layers.getFirst();
        this.up = backend.plan(layer.intermediate().problem(rows, Activation.GELU));
        this.down = backend.plan(layer.output().problem(rows, Activation.IDENTITY));
        this.between = Tensor.zeros(up.problem().type(), rows, up.problem().out());
    }

    /**
     * {@return the last hidden state, {@code [sentences, longest, width]}; the contents of padded rows are undefined}
     *
     * @param requested the optional outputs of the attention, by layer index
     */
    Tensor run(Map<Integer, BertOutputs> requested) {
        embed();
        through(model.layers(), requested);
        return batched(x);
    }

    /** {@return the inputs of the attention of a layer, valid until the next run} */
    MultiHeadInputs inputs(int layer) {
        embed();
        through(layer, Map.of());
        return inputs(model.layers.get(layer), options);
    }

    private void through(int layers, Map<Integer, BertOutputs> requested) {
        Tensor rowsOfX = Tensor.of(x, rows, model.width());
        Tensor rowsOfChange = Tensor.of(change, rows, model.width());
        for (int i = 0; i < layers; i++) {
            BertLayer layer = model.layers.get(i);
            attend(layer, requested.getOrDefault(i, BertOutputs.NOTHING));
            layer.attentionNorm().apply(x, change, rows);
            up.forward(rowsOfX, layer.intermediate(), between);
            down.forward(between, layer.output(), rowsOfChange);
            layer.outputNorm().apply(x, change, rows);
        }
    }

    private Tensor batched(float[] data) {
        return Tensor.of(data, sentences.size(), longest, model.width());
    }

    private void embed() {
        int width = model.width();
        for (int b = 0; b < sentences.size(); b++) {
            List<BertToken> tokens = sentences.get(b);
            for (int i = 0; i < tokens.size(); i++) {
                int word = tokens.get(i).id() * width;
                int segment = tokens.get(i).segment() * width;
                int at = (b * longest + i) * width;
                for (int j = 0; j < width; j++) {
                    x[at + j] = model.wordEmbeddings[word + j]
                            + model.segmentEmbeddings[segment + j]
                            + model.positionEmbeddings[i * width + j];
                }
            }
        }
        model.embeddingNorm.apply(x, rows);
    }

    private void attend(BertLayer layer, BertOutputs requested) {
        MultiHeadInputs inputs = inputs(layer, requested.options(options));
        attentions.computeIfAbsent(inputs.problem(), backend::plan).forward(inputs, requested.result(batched(change)));
    }

    private MultiHeadInputs inputs(BertLayer layer, AttentionOptions options) {
        Tensor hidden = batched(x);
        return MultiHeadInputs.of(hidden, hidden, hidden, layer.attention(), model.heads(), model.heads(), options);
    }

    @Override
    public void close() {
        attentions.values().forEach(MultiHeadPlan::close);
        up.close();
        down.close();
    }
}
