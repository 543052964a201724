package dev.heed.layer;

import dev.heed.Activation;

/**
 * A position-wise feed-forward network of two linear layers: {@code f(x W_1 + b_1) W_2 + b_2} (Vaswani et al. 2017,
 * equation 2).
 *
 * @param up the first layer, {@code W_1} and {@code b_1}
 * @param down the second layer, {@code W_2} and {@code b_2}
 * @param activation {@code f}
 */
public record FeedForward(Linear up, Linear down, Activation activation) implements Layer<FeedForward> {
    /** {@return a network with {@code inside} hidden units, Glorot-initialised weights and biases of zeros} */
    public static FeedForward create(Initial initial, long embed, long inside, Activation activation) {
        return new FeedForward(
                Linear.create(initial, embed, inside), Linear.create(initial, inside, embed), activation);
    }

    @Override
    public FeedForward map(Change change) {
        return new FeedForward(up.map(change.in("up")), down.map(change.in("down")), activation);
    }

    /** {@return the network applied to every row of {@code x}, {@code [..., embed]}} */
    public Value forward(Tape tape, Value x) {
        return down.forward(tape, up.forward(tape, x, activation));
    }
}
