package dev.heed.pooling;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/**
 * Conversions, as views, between the axes of pooling, {@code [length, width]} or {@code [batch, length, width]}, and
 * the axes of attention, {@code [batch, 1, length, width]}.
 */
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
                        "give scalars x_1 ... x_n as a tensor [n, 1]");
        };
    }

    /** {@return a tensor with the axes of attention, viewed with {@code rank} axes} */
    static Tensor back(Tensor four, int rank) {
        Tensor three = four.select(1, 0);
        return rank == 2 ? three.select(0, 0) : three;
    }
}
