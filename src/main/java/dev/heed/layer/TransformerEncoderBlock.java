package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionOptions;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A pre-norm transformer encoder block, which normalises before each sub-layer (Xiong et al. 2020, figure 1b):
 *
 * <pre>
 * a = x + attention(norm(x))      y = a + feedForward(norm(a))
 * </pre>
 *
 * @param attentionNorm normalisation before the attention
 * @param attention self-attention
 * @param feedForwardNorm normalisation before the feed-forward network
 * @param feedForward the feed-forward network
 */
public record TransformerEncoderBlock(
        LayerNorm attentionNorm, MultiHead attention, LayerNorm feedForwardNorm, FeedForward feedForward)
        implements Layer<TransformerEncoderBlock> {
    /**
     * The output of the block and the weights of its attention.
     *
     * @param output {@code [batch, sequence, embed]}
     * @param weights attention weights, {@code [batch, numHeads, sequence, sequence]}, or null if the options do not
     *     request them
     */
    public record Result(Value output, @Nullable Tensor weights) {}

    /** {@return a Glorot-initialised block with {@code inside} hidden units and GELU in the feed-forward network} */
    public static TransformerEncoderBlock create(
            Initial initial, long embed, long numHeads, long numKvHeads, long inside) {
        return new TransformerEncoderBlock(
                LayerNorm.create(initial, embed),
                MultiHead.create(initial, embed, numHeads, numKvHeads),
                LayerNorm.create(initial, embed),
                FeedForward.create(initial, embed, inside, Activation.GELU));
    }

    @Override
    public TransformerEncoderBlock map(Change change) {
        return new TransformerEncoderBlock(
                attentionNorm.map(change.in("attentionNorm")),
                attention.map(change.in("attention")),
                feedForwardNorm.map(change.in("feedForwardNorm")),
                feedForward.map(change.in("feedForward")));
    }

    /** {@return the block applied to {@code x}, {@code [batch, sequence, embed]}} */
    public Result forward(Tape tape, Value x, AttentionOptions options) {
        MultiHead.Result attended = attention.forward(tape, attentionNorm.forward(tape, x), options);
        Value a = tape.add(x, attended.output());
        Value y = tape.add(a, feedForward.forward(tape, feedForwardNorm.forward(tape, a)));
        return new Result(y, attended.weights());
    }
}
