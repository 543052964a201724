package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionOptions;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A pre-norm transformer decoder block, which normalises before each sub-layer (Vaswani et al. 2017, section 3.1, in
 * the order of Xiong et al. 2020):
 *
 * <pre>
 * a = x + causal attention(norm(x))      b = a + attention(norm(a), memory)      y = b + feedForward(norm(b))
 * </pre>
 *
 * @param selfNorm normalisation before the causal attention
 * @param self causal self-attention
 * @param crossNorm normalisation before the attention over the memory
 * @param cross attention over the memory
 * @param feedForwardNorm normalisation before the feed-forward network
 * @param feedForward the feed-forward network
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
     * The output of the block and the weights of its attentions.
     *
     * @param output {@code [batch, sequence, embed]}
     * @param selfWeights weights of the causal attention, {@code [batch, numHeads, sequence, sequence]}, or null if the
     *     options do not request them
     * @param crossWeights weights of the attention over the memory, {@code [batch, numHeads, sequence, seqLenKv]}, or null
     *     if the options do not request them
     */
    public record Result(
            Value output,
            @Nullable Tensor selfWeights,
            @Nullable Tensor crossWeights) {}

    /** {@return a Glorot-initialised block with {@code inside} hidden units and GELU in the feed-forward network} */
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
     * {@return the block applied to {@code x}}
     *
     * @param x {@code [batch, seqLenQ, embed]}
     * @param memory the encoder's output, {@code [batch, seqLenKv, embed]}
     * @param selfOptions options of the self-attention, to which the causal mask is added
     * @param crossOptions options of the attention over the memory, including the mask of the memory
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
