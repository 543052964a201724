package dev.heed.layer;

import dev.heed.AttentionOptions;
import dev.heed.MultiHeadWeights;
import dev.heed.layer.Products.Attended;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A layer of multi-head attention (Vaswani et al. 2017, section 3.2.2): self-attention within one sequence, or
 * cross-attention from one sequence to another. The options of a call set the mask, causal or another. With fewer
 * key/value heads than query heads, the layer is grouped-query attention (Ainslie et al. 2023).
 *
 * @param weights the weights and biases of the projections
 * @param numHeads number of query heads
 * @param numKvHeads number of key/value heads, a divisor of {@code numHeads}
 */
public record MultiHead(MultiHeadWeights weights, long numHeads, long numKvHeads) implements Layer<MultiHead> {
    /**
     * The output and the weights of the attention.
     *
     * @param output {@code [batch, seqLenQ, embed]}
     * @param weights attention weights, {@code [batch, numHeads, seqLenQ, seqLenKv]}, or null if the options do not
     *     request them
     */
    public record Result(Value output, @Nullable Tensor weights) {}

    /**
     * {@return a layer with Glorot-initialised projections, biases of zeros and a headDim of {@code embed / numHeads}}
     */
    public static MultiHead create(Initial initial, long embed, long numHeads, long numKvHeads) {
        long kv = embed / numHeads * numKvHeads;
        return new MultiHead(
                MultiHeadWeights.of(
                                initial.glorot(embed, embed),
                                initial.glorot(embed, kv),
                                initial.glorot(embed, kv),
                                initial.glorot(embed, embed))
                        .withBiases(initial.zeros(embed), initial.zeros(kv), initial.zeros(kv), initial.zeros(embed)),
                numHeads,
                numKvHeads);
    }

    @Override
    public MultiHead map(Change change) {
        return new MultiHead(map(weights, change), numHeads, numKvHeads);
    }

    static MultiHeadWeights map(MultiHeadWeights w, Change change) {
        return MultiHeadWeights.of(
                        change.apply("query", w.query()),
                        change.apply("key", w.key()),
                        change.apply("value", w.value()),
                        change.apply("output", w.output()))
                .withBiases(
                        orNull("queryBias", w.queryBias(), change),
                        orNull("keyBias", w.keyBias(), change),
                        orNull("valueBias", w.valueBias(), change),
                        orNull("outputBias", w.outputBias(), change));
    }

    private static @Nullable Tensor orNull(String name, @Nullable Tensor bias, Change change) {
        return bias == null ? null : change.apply(name, bias);
    }

    /** {@return the self-attention of {@code x}, {@code [batch, sequence, embed]}} */
    public Result forward(Tape tape, Value x, AttentionOptions options) {
        return forward(tape, x, x, options);
    }

    /**
     * {@return the cross-attention of queries from {@code x}, {@code [batch, seqLenQ, embed]}, over keys and values
     * from {@code memory}, {@code [batch, seqLenKv, embed]}}
     */
    public Result forward(Tape tape, Value x, Value memory, AttentionOptions options) {
        Attended attended = Products.multiHead(tape, x, memory, memory, weights, numHeads, numKvHeads, options);
        return new Result(attended.output(), attended.result().weights());
    }
}
