package dev.heed.layer;

import dev.heed.Activation;

/**
 * Two layers at every position alone: {@code f(x W_1 + b_1) W_2 + b_2} (Vaswani et al. 2017, equation 2).
 *
 * @param up to the wider inside
 * @param down back
 * @param activation {@code f}
 */
public record FeedForward(Linear up, Linear down, Activation activation) implements Layer<FeedForward> {
    /** {@return layers after Glorot} */
    public static FeedForward create(Initial initial, long embed, long inside, Activation activation) {
        return new FeedForward(
                Linear.create(initial, embed, inside), Linear.create(initial, inside, embed), activation);
    }

    @Override
    public FeedForward map(Change change) {
        return new FeedForward(up.map(change.in("up")), down.map(change.in("down")), activation);
    }

    /** {@return every row mapped} */
    public Value forward(Tape tape, Value x) {
        return down.forward(tape, up.forward(tape, x, activation));
    }
}
