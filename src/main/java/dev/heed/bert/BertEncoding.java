package dev.heed.bert;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The outputs of a BERT for one sentence.
 *
 * @param tokens the tokens of the sentence
 * @param hidden the last hidden state, f32 {@code [tokens, width]}
 * @param weights the attention weights f32 {@code [heads, tokens, tokens]} of each requested layer, by layer index; row
 *     {@code i} holds the weights of query token {@code i}
 */
public record BertEncoding(List<BertToken> tokens, Tensor hidden, SortedMap<Integer, Tensor> weights) {

    /** Copies the collections. */
    public BertEncoding {
        tokens = List.copyOf(tokens);
        weights = Collections.unmodifiableSortedMap(new TreeMap<>(weights));
    }

    /**
     * {@return the attention weights of one layer, {@code [heads, tokens, tokens]}}
     *
     * @throws InvalidInputException if the weights of this layer were not requested
     */
    public Tensor weights(int layer) {
        Tensor requested = weights.get(layer);
        if (requested == null) {
            throw new InvalidInputException(
                    "The weights of layer " + layer + " were not requested",
                    "one of the requested layers " + weights.keySet(),
                    "layer " + layer,
                    "encode(tokens, " + layer + ")");
        }
        return requested;
    }

    /**
     * {@return the sentence as one vector: the mean of the hidden rows, divided by its Euclidean norm (Reimers and
     * Gurevych 2019)} The dot product of two embeddings is the cosine similarity of the sentences.
     */
    public float[] embedding() {
        float[] rows = hidden.toFloatArray();
        int width = Math.toIntExact(hidden.size(1));
        double[] sum = new double[width];
        for (int i = 0; i < rows.length; i++) {
            sum[i % width] += rows[i];
        }
        double squares = 0;
        for (double s : sum) {
            squares += s * s;
        }
        double length = Math.sqrt(squares);
        float[] embedding = new float[width];
        for (int j = 0; j < width; j++) {
            embedding[j] = (float) (sum[j] / length);
        }
        return embedding;
    }
}
