package dev.heed.backend.vector.storage;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A matrix in an array: element {@code [r][c]} is {@code data[at + r * rowStep + c * columnStep]}.
 *
 * @param data the array
 * @param at index of the first element
 * @param rowStep the distance between rows, in elements
 * @param columnStep the distance between columns, in elements
 * @param rows number of rows
 * @param columns number of columns
 */
public record Matrix(float[] data, int at, int rowStep, int columnStep, int rows, int columns) {

    /** {@return the first {@code rows * columns} elements of an array as a row-major matrix} */
    public static Matrix of(float[] data, int rows, int columns) {
        return new Matrix(data, 0, columns, 1, rows, columns);
    }

    /**
     * {@return a tensor copied to an array of floats as a matrix: the last axis becomes the columns, all other axes become
     * the rows}
     */
    static Matrix copy(Tensor tensor, float[] into) {
        RowCursor rows = new RowCursor(tensor, tensor.rank() - 1);
        int width = rows.length();
        int count = Math.toIntExact(rows.count());
        for (int r = 0; r < count; r++) {
            Rows.read(tensor, rows.position(r), rows.stride(), into, r * width, width);
        }
        return of(into, count, width);
    }

    /**
     * {@return the matrix that {@link #copy} would return, but as a view of the tensor's own array; null if the tensor is
     * not in a {@code float[]} with contiguous, evenly spaced rows}
     */
    static @Nullable Matrix inPlace(Tensor tensor) {
        float[] array = Rows.array(tensor);
        int last = tensor.rank() - 1;
        if (array == null) {
            return null;
        }
        long step = 0;
        long rows = 1;
        for (int axis = last - 1; axis >= 0; axis--) {
            if (tensor.size(axis) != 1) {
                step = rows == 1 ? tensor.stride(axis) : step;
                if (tensor.stride(axis) != rows * step) {
                    return null;
                }
                rows *= tensor.size(axis);
            }
        }
        int at = (int) (tensor.segment().address() / Float.BYTES + tensor.offset());
        return new Matrix(array, at, (int) step, 1, Math.toIntExact(rows), (int) tensor.size(last));
    }

    /**
     * Copies the rows of this matrix to the rows of a tensor, rounded to the tensor's type. The rows must be contiguous.
     */
    void writeTo(Tensor tensor) {
        RowCursor to = new RowCursor(tensor, tensor.rank() - 1);
        for (int r = 0; r < rows; r++) {
            Rows.write(data, at + r * rowStep, tensor, to.position(r), to.stride(), columns);
        }
    }

    /** {@return a tensor of the given shape over the same memory; the matrix must be contiguous} */
    public Tensor tensor(long... shape) {
        MemorySegment used =
                MemorySegment.ofArray(data).asSlice((long) at * Float.BYTES, (long) rows * columns * Float.BYTES);
        return Tensor.of(used, DType.F32, shape);
    }

    /** {@return the sum of each column, added in double and rounded to f32} */
    public float[] columnSums() {
        double[] sums = new double[columns];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                sums[c] += data[at + r * rowStep + c * columnStep];
            }
        }
        float[] rounded = new float[columns];
        for (int c = 0; c < columns; c++) {
            rounded[c] = (float) sums[c];
        }
        return rounded;
    }

    public Matrix transposed() {
        return new Matrix(data, at, columnStep, rowStep, columns, rows);
    }
}
