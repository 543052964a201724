package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionOptions;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A decoder block that normalises first (Vaswani et al. 2017, section 3.1, in the order of Xiong et al. 2020):
 *
 * <pre>
 * a = x + causal attention(norm(x))      b = a + attention(norm(a), memory)      y = b + feedForward(norm(b))
 * </pre>
 *
 * @param selfNorm before the causal attention
 * @param self causal self-attention
 * @param crossNorm before the attention over the memory
 * @param cross attention over the memory
 * @param feedForwardNorm before the feed-forward layers
 * @param feedForward two layers
 */
public record TransformerDecoderBlock(
        LayerNorm selfNorm,
        MultiHead self,
        LayerNorm crossNorm,
        MultiHead cross,
        LayerNorm feedForwardNorm,
        FeedForward feedForward)
        implements Layer<TransformerDecoderBlock> {
    /**
     * What was computed.
     *
     * @param output {@code [batch, sequence, embed]}
     * @param selfWeights of the causal attention, per head, or null if the options do not ask
     * @param crossWeights of the attention over the memory, per head, or null if the options do not ask
     */
    public record Result(
            Value output,
            @Nullable Tensor selfWeights,
            @Nullable Tensor crossWeights) {}

    /** {@return a block after Glorot} */
    public static TransformerDecoderBlock create(
            Initial initial, long embed, long numHeads, long numKvHeads, long inside) {
        return new TransformerDecoderBlock(
                LayerNorm.create(initial, embed),
                MultiHead.create(initial, embed, numHeads, numKvHeads),
                LayerNorm.create(initial, embed),
                MultiHead.create(initial, embed, numHeads, numKvHeads),
                LayerNorm.create(initial, embed),
                FeedForward.create(initial, embed, inside, Activation.GELU));
    }

    @Override
    public TransformerDecoderBlock map(Change change) {
        return new TransformerDecoderBlock(
                selfNorm.map(change.in("selfNorm")),
                self.map(change.in("self")),
                crossNorm.map(change.in("crossNorm")),
                cross.map(change.in("cross")),
                feedForwardNorm.map(change.in("feedForwardNorm")),
                feedForward.map(change.in("feedForward")));
    }

    /**
     * {@return the block}
     *
     * @param x {@code [batch, seqLenQ, embed]}
     * @param memory what the encoder made, {@code [batch, seqLenKv, embed]}
     * @param selfOptions of the first attention; it is made causal
     * @param crossOptions of the second, with the memory's mask
     */
    public Result forward(
            Tape tape, Value x, Value memory, AttentionOptions selfOptions, AttentionOptions crossOptions) {
        MultiHead.Result own = self.forward(tape, selfNorm.forward(tape, x), selfOptions.causal());
        Value a = tape.add(x, own.output());
        MultiHead.Result other = cross.forward(tape, crossNorm.forward(tape, a), memory, crossOptions);
        Value b = tape.add(a, other.output());
        Value y = tape.add(b, feedForward.forward(tape, feedForwardNorm.forward(tape, b)));
        return new Result(y, own.weights(), other.weights());
    }
}
