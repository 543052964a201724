package dev.heed.bert;

import dev.heed.Activation;
import dev.heed.AttentionBackend;
import dev.heed.AttentionOptions;
import dev.heed.LinearPlan;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The forward pass of one batch of sentences through all layers; the layers share plans and buffers. The rows of all
 * sentences follow each other without padding. Neighbouring sentences of one length attend in one call. So the loops that
 * compute a sentence depend on its length alone, and its bits do not depend on the other sentences.
 */
final class BertPass implements AutoCloseable {
    /** Sentences of one length: {@code count} sentences of {@code length} tokens from row {@code from} on. */
    private record Group(int from, int count, int length) {}

    private final BertModel model;
    private final AttentionBackend backend;
    private final List<List<BertToken>> sentences;
    private final List<Group> groups;
    private final int rows;
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
        this.groups = groups(sentences);
        this.rows = sentences.stream().mapToInt(List::size).reduce(0, Math::addExact);
        this.x = new float[Math.multiplyExact(rows, model.width())];
        this.change = new float[x.length];
        BertLayer layer = model.layers.getFirst();
        this.up = backend.plan(layer.intermediate().problem(rows, Activation.GELU));
        this.down = backend.plan(layer.output().problem(rows, Activation.IDENTITY));
        this.between = Tensor.zeros(up.problem().type(), rows, up.problem().out());
    }

    private static List<Group> groups(List<List<BertToken>> sentences) {
        List<Group> groups = new ArrayList<>();
        int from = 0;
        for (int first = 0, next; first < sentences.size(); first = next) {
            int length = sentences.get(first).size();
            for (next = first; next < sentences.size() && sentences.get(next).size() == length; ) {
                next++;
            }
            groups.add(new Group(from, next - first, length));
            from += (next - first) * length;
        }
        return groups;
    }

    /**
     * {@return the last hidden state, {@code [tokens of all sentences, width]}, in the order of the sentences}
     *
     * @param requested the optional outputs of the attention, by layer index
     */
    Tensor run(Map<Integer, BertOutputs> requested) {
        embed();
        through(model.layers(), requested);
        return Tensor.of(x, rows, model.width());
    }

    /** {@return the inputs of the attention of a layer for the first sentences of one length, valid until the next run} */
    MultiHeadInputs inputs(int layer) {
        embed();
        through(layer, Map.of());
        return inputs(groups.getFirst(), model.layers.get(layer), AttentionOptions.DEFAULT);
    }

    private void through(int layers, Map<Integer, BertOutputs> requested) {
        Tensor rowsOfX = Tensor.of(x, rows, model.width());
        Tensor rowsOfChange = Tensor.of(change, rows, model.width());
        for (int i = 0; i < layers; i++) {
            BertLayer layer = model.layers.get(i);
            for (Group group : groups) {
                attend(group, layer, requested.getOrDefault(i, BertOutputs.NOTHING));
            }
            layer.attentionNorm().apply(x, change, rows);
            up.forward(rowsOfX, layer.intermediate(), between);
            down.forward(between, layer.output(), rowsOfChange);
            layer.outputNorm().apply(x, change, rows);
        }
    }

    private Tensor batched(Group group, float[] data) {
        return Tensor.of(data, rows, model.width())
                .slice(0, group.from, group.from + group.count * group.length)
                .reshape(group.count, group.length, model.width());
    }

    private void embed() {
        int width = model.width();
        int row = 0;
        for (List<BertToken> tokens : sentences) {
            for (int i = 0; i < tokens.size(); i++) {
                int word = tokens.get(i).id() * width;
                int segment = tokens.get(i).segment() * width;
                int at = row++ * width;
                for (int j = 0; j < width; j++) {
                    x[at + j] = model.wordEmbeddings[word + j]
                            + model.segmentEmbeddings[segment + j]
                            + model.positionEmbeddings[i * width + j];
                }
            }
        }
        model.embeddingNorm.apply(x, rows);
    }

    private void attend(Group group, BertLayer layer, BertOutputs requested) {
        MultiHeadInputs inputs = inputs(group, layer, requested.options(AttentionOptions.DEFAULT));
        attentions
                .computeIfAbsent(inputs.problem(), backend::plan)
                .forward(inputs, requested.result(batched(group, change)));
    }

    private MultiHeadInputs inputs(Group group, BertLayer layer, AttentionOptions options) {
        Tensor hidden = batched(group, x);
        return MultiHeadInputs.of(hidden, hidden, hidden, layer.attention(), model.heads(), model.heads(), options);
    }

    @Override
    public void close() {
        attentions.values().forEach(MultiHeadPlan::close);
        up.close();
        down.close();
    }
}
