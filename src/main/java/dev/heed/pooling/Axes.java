package dev.heed.pooling;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/** Pooling's {@code [length, width]} and {@code [batch, length, width]} as attention's {@code [batch, 1, length, width]}. */
final class Axes {
    private Axes() {}

    static Tensor four(String name, Tensor tensor) {
        return switch (tensor.rank()) {
            case 2 -> tensor.unsqueeze(0).unsqueeze(0);
            case 3 -> tensor.unsqueeze(1);
            default ->
                throw new InvalidInputException(
                        "The " + name + " does not fit",
                        "[length, width] or [batch, length, width]",
                        tensor.toString(),
                        "numbers x_1 ... x_n are a tensor [n, 1]");
        };
    }

    /** {@return attention's tensor in the axes of another} */
    static Tensor back(Tensor four, int rank) {
        Tensor three = four.select(1, 0);
        return rank == 2 ? three.select(0, 0) : three;
    }
}
