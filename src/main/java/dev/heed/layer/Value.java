package dev.heed.layer;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A tensor on a {@link Tape}: what was computed, row-major without gaps, and later its gradient. */
public final class Value {
    private final Tape tape;
    private final Elements data;
    private final Tensor tensor;
    private @Nullable Elements gradient;

    Value(Tape tape, Elements data, long... shape) {
        this.tape = tape;
        this.data = data;
        this.tensor = data.tensor(shape);
    }

    /** {@return the numbers; they live until {@link Tape#clear}, so {@linkplain Tensor#copy copy} what is to stay} */
    public Tensor tensor() {
        return tensor;
    }

    /** {@return the gradient, zeros if nothing reached the value; it lives until {@link Tape#clear}} */
    public Tensor gradient() {
        return gradientElements().tensor(shape());
    }

    /** {@return the sizes of the axes} */
    public long[] shape() {
        return tensor.shape();
    }

    /** {@return the size of an axis; a negative one counts from the last} */
    public long size(int axis) {
        return tensor.size(axis);
    }

    Tape tape() {
        return tape;
    }

    /** {@return the size of the last axis} */
    int width() {
        return (int) tensor.size(-1);
    }

    int rows() {
        return data.count() / width();
    }

    Elements data() {
        return data;
    }

    /** {@return where the gradient is summed up} */
    Elements gradientElements() {
        if (gradient == null) {
            gradient = tape.zeros(data.count());
        }
        return gradient;
    }

    /** {@return whether a gradient reached the value} */
    boolean reached() {
        return gradient != null;
    }

    Value require(String name, long... shape) {
        if (!tensor.hasShape(shape)) {
            throw new InvalidInputException(
                    "The " + name + " does not fit the layer",
                    Arrays.toString(shape),
                    tensor.toString(),
                    "the sizes follow from the layer's parameters and the batch");
        }
        return this;
    }

    @Override
    public String toString() {
        return tensor.toString();
    }
}
