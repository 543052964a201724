package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionOptions;
import dev.heed.layer.Products.Attended;
import dev.heed.layer.Products.Viewed;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Key-value attention: what a query is compared with and what it gets are two trained maps of the same elements,
 * {@code k_j = f(x_j W_k + b_k)} and {@code v_j = f(x_j W_v + b_v)} (Miller et al. 2016; Daniluk et al. 2017, section 2.2).
 * With equal maps it is plain attention over {@code k}.
 *
 * @param key the map to keys
 * @param value the map to values
 * @param activation {@code f}
 */
public record KeyValueAttention(Linear key, Linear value, Activation activation) implements Layer<KeyValueAttention> {
    /**
     * Everything on the way.
     *
     * @param key {@code [batch, seqLenKv, width of the query]}
     * @param value {@code [batch, seqLenKv, width]}
     * @param weights {@code [batch, seqLenQ, seqLenKv]}, or null if the options do not ask
     * @param output {@code [batch, seqLenQ, width]}
     */
    public record Steps(Value key, Value value, @Nullable Tensor weights, Value output) {}

    @Override
    public KeyValueAttention map(Change change) {
        return new KeyValueAttention(key.map(change.in("key")), value.map(change.in("value")), activation);
    }

    /**
     * {@return attention of queries over elements}
     *
     * @param query {@code [batch, seqLenQ, width of a key]}
     * @param x the elements, {@code [batch, seqLenKv, embed]}
     * @param options the score function, the mask and the rest
     */
    public Steps forward(Tape tape, Value query, Value x, AttentionOptions options) {
        Value k = key.forward(tape, x, activation);
        Value v = value.forward(tape, x, activation);
        Attended attended = Products.attention(tape, Viewed.oneHead(query), Viewed.oneHead(k), Viewed.oneHead(v), options);
        Value output = tape.reshape(attended.output(), query.size(0), query.size(1), v.size(2));
        return new Steps(k, v, SelfAttention.oneHead(attended.result().weights()), output);
    }
}
