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

/**
 * The parameters of a BERT encoder (Devlin et al. 2019), f32. They do not change after loading, so threads can share a
 * model.
 */
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
     * {@return the parameters in an ONNX graph exported by PyTorch} They are copied, so the graph and its file are no
     * longer needed.
     *
     * @throws InvalidInputException if the graph is not a BERT that {@link BertEncoder} can run, or its data are
     *     damaged
     */
    public static BertModel of(OnnxModel model) {
        return new BertGraph(model).model();
    }

    /** {@return the number of layers} */
    public int layers() {
        return layers.size();
    }

    /** {@return the number of heads of each layer} */
    public int heads() {
        return heads;
    }

    /** {@return the number of elements of the hidden state of a token} */
    public int width() {
        return embeddingNorm.weight().length;
    }

    /** {@return the maximum number of tokens of a sentence} */
    public int maxTokens() {
        return positionEmbeddings.length / width();
    }

    /** {@return the number of tokens in the vocabulary} */
    public int vocabularySize() {
        return wordEmbeddings.length / width();
    }

    /** {@return the maximum number of segments, that is, of texts in one input} */
    public int segments() {
        return segmentEmbeddings.length / width();
    }

    /**
     * {@return the attention problem of each layer, for choosing a backend}
     *
     * @param tokens number of tokens of the sentence
     * @param weights whether the attention weights are requested
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
