package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionOptions;
import dev.heed.layer.Products.Attended;
import dev.heed.layer.Products.Viewed;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Key-value attention: one trained map of the inputs gives the keys, which a query is scored against, and another map
 * gives the values, whose weighted sum is the output: {@code k_j = f(x_j W_k + b_k)} and {@code v_j = f(x_j W_v + b_v)}
 * (Miller et al. 2016; Daniluk et al. 2017, section 2.2). If both maps are equal, this is ordinary attention with
 * {@code k} as keys and values.
 *
 * @param key the map to keys
 * @param value the map to values
 * @param activation {@code f}
 */
public record KeyValueAttention(Linear key, Linear value, Activation activation) implements Layer<KeyValueAttention> {
    /**
     * The intermediate results and the output.
     *
     * @param key {@code [batch, seqLenKv, headDim]}
     * @param value {@code [batch, seqLenKv, valueHeadDim]}
     * @param weights {@code [batch, seqLenQ, seqLenKv]}, or null if the options do not request them
     * @param output {@code [batch, seqLenQ, valueHeadDim]}
     */
    public record Steps(Value key, Value value, @Nullable Tensor weights, Value output) {}

    @Override
    public KeyValueAttention map(Change change) {
        return new KeyValueAttention(key.map(change.in("key")), value.map(change.in("value")), activation);
    }

    /**
     * {@return the attention of queries over inputs}
     *
     * @param query {@code [batch, seqLenQ, headDim]}
     * @param x the inputs, {@code [batch, seqLenKv, embed]}
     * @param options the score function, the mask and the other options
     */
    public Steps forward(Tape tape, Value query, Value x, AttentionOptions options) {
        Value k = key.forward(tape, x, activation);
        Value v = value.forward(tape, x, activation);
        Attended attended =
                Products.attention(tape, Viewed.oneHead(query), Viewed.oneHead(k), Viewed.oneHead(v), options);
        Value output = tape.reshape(attended.output(), query.size(0), query.size(1), v.size(2));
        return new Steps(k, v, SelfAttention.oneHead(attended.result().weights()), output);
    }
}
