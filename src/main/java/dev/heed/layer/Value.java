package dev.heed.layer;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A tensor on a {@link Tape}, row-major without gaps: an input, a parameter or a result, with its gradient after the
 * backward pass.
 */
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

    /**
     * {@return the elements, valid until {@link Tape#clear}; {@linkplain Tensor#copy copy} them to keep them longer}
     */
    public Tensor tensor() {
        return tensor;
    }

    /** {@return the gradient, zeros if the backward pass did not reach the value; valid until {@link Tape#clear}} */
    public Tensor gradient() {
        return gradientElements().tensor(shape());
    }

    /** {@return the sizes of the axes} */
    public long[] shape() {
        return tensor.shape();
    }

    /** {@return the size of an axis; -1 is the last axis, -2 the axis before it} */
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

    /** {@return the elements in which the gradient is summed, zeros at the first call} */
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
