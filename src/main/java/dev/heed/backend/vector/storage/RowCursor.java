package dev.heed.backend.vector.storage;

import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Positions of the rows of a tensor along one axis. The rows are numbered over the other axes in row-major order. */
public final class RowCursor {
    private final Tensor tensor;
    private final int axis;

    public RowCursor(Tensor tensor, int axis) {
        this.tensor = tensor;
        this.axis = axis;
    }

    public int length() {
        return Math.toIntExact(tensor.size(axis));
    }

    public long stride() {
        return tensor.stride(axis);
    }

    /** {@return the array that holds the rows, or null if they cannot be used without a copy} */
    public float @Nullable [] array() {
        return Rows.array(axis == tensor.rank() - 1 ? tensor : tensor.transpose(axis, -1));
    }

    public long count() {
        return tensor.elementCount() / tensor.size(axis);
    }

    /** {@return the index of the first element of a row in the tensor's memory} */
    public long position(long row) {
        long position = tensor.offset();
        long rest = row;
        for (int a = tensor.rank() - 1; a >= 0; a--) {
            if (a != axis) {
                position += rest % tensor.size(a) * tensor.stride(a);
                rest /= tensor.size(a);
            }
        }
        return position;
    }
}
