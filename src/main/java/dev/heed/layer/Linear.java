package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer with an activation, {@code f(x W + b)}, over the last axis of {@code x}.
 *
 * @param weight {@code W}, {@code [in, out]}
 * @param bias {@code b}, {@code [out]}, or null
 */
public record Linear(Tensor weight, @Nullable Tensor bias) implements Layer<Linear> {
    /** {@return a layer with a Glorot-initialised weight and a bias of zeros} */
    public static Linear create(Initial initial, long in, long out) {
        return new Linear(initial.glorot(in, out), initial.zeros(out));
    }

    @Override
    public Linear map(Change change) {
        return new Linear(change.apply("weight", weight), bias == null ? null : change.apply("bias", bias));
    }

    /** {@return {@code x W + b}, {@code [..., out]}, for {@code x} {@code [..., in]}} */
    public Value forward(Tape tape, Value x) {
        return forward(tape, x, Activation.IDENTITY);
    }

    /** {@return {@code f(x W + b)}, {@code [..., out]}, for {@code x} {@code [..., in]}} */
    public Value forward(Tape tape, Value x, Activation activation) {
        return tape.linear(x, tape.parameter(weight), tape.parameterOrNull(bias), activation);
    }
}
