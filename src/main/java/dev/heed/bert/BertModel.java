package dev.heed.bert;

import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadProblem;
import dev.heed.layer.RowNorm;
import dev.heed.onnx.OnnxModel;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import java.util.List;

/** The parameters of a BERT encoder (Devlin et al. 2019), f32. Never written after loading, so threads may share it. */
public final class BertModel {
    final float[] wordEmbeddings;
    final float[] positionEmbeddings;
    final float[] segmentEmbeddings;
    final RowNorm embeddingNorm;
    final List<BertLayer> layers;
    private final int heads;

    BertModel(
            float[] wordEmbeddings,
            float[] positionEmbeddings,
            float[] segmentEmbeddings,
            RowNorm embeddingNorm,
            List<BertLayer> layers,
            long heads) {
        this.wordEmbeddings = wordEmbeddings;
        this.positionEmbeddings = positionEmbeddings;
        this.segmentEmbeddings = segmentEmbeddings;
        this.embeddingNorm = embeddingNorm;
        this.layers = List.copyOf(layers);
        this.heads = Math.toIntExact(heads);
    }

    /**
     * {@return the parameters in an ONNX graph that PyTorch exported} They are copied, so the file may go.
     *
     * @throws InvalidInputException if the graph is no BERT of this form, or its data are damaged
     */
    public static BertModel of(OnnxModel model) {
        return new BertGraph(model).model();
    }

    /** {@return how many layers there are} */
    public int layers() {
        return layers.size();
    }

    /** {@return how many heads each layer has} */
    public int heads() {
        return heads;
    }

    /** {@return the width of a hidden row} */
    public int width() {
        return embeddingNorm.weight().length;
    }

    /** {@return how many tokens a sentence may have} */
    public int maxTokens() {
        return positionEmbeddings.length / width();
    }

    /** {@return how many different tokens there are} */
    public int vocabulary() {
        return wordEmbeddings.length / width();
    }

    /** {@return how many segments, that is sentences of one input, the model tells apart} */
    public int segments() {
        return segmentEmbeddings.length / width();
    }

    /**
     * {@return the attention of each layer, for choosing a backend}
     *
     * @param tokens how many tokens the sentence has
     * @param weights whether its weights are kept
     */
    public MultiHeadProblem problem(int tokens, boolean weights) {
        int width = width();
        long headDim = width / heads;
        var shape = new AttentionShape(1, heads, heads, tokens, tokens, headDim, headDim);
        var attention = AttentionProblem.of(shape, DType.F32, options(weights));
        return MultiHeadProblem.of(width, width, width, width, attention).withBiases(true, true, true, true);
    }

    static AttentionOptions options(boolean weights) {
        return weights ? AttentionOptions.DEFAULT.withWeights() : AttentionOptions.DEFAULT;
    }
}
