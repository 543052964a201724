package dev.heed.backend.vector.storage;

import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.tensor.Tensor;

/**
 * Memory for a copy of a matrix that cannot be read in place, and for a result that cannot be written in place. It grows as
 * needed and is kept for the next call.
 */
public final class MatrixBuffer {
    private float[] copy = new float[0];
    private short[] bf16 = new short[0];
    private float[] result = new float[0];

    /**
     * {@return a tensor as a matrix to read, in the tensor itself if possible, else copied to this buffer: the last axis
     * becomes the columns, all other axes become the rows}
     */
    public Matrix read(Tensor tensor) {
        Matrix inPlace = Matrix.inPlace(tensor);
        if (inPlace == null) {
            copy = ArrayGrowth.atLeast(copy, Math.toIntExact(tensor.elementCount()));
        }
        return inPlace != null ? inPlace : Matrix.copy(tensor, copy);
    }

    /** {@return a matrix rounded to bf16, in this buffer} */
    public Bf16Matrix rounded(Matrix matrix, Workers workers) {
        int length = Math.multiplyExact(matrix.rows(), matrix.columns());
        bf16 = bf16.length >= length ? bf16 : new short[length];
        return Bf16Matrix.rounded(matrix, bf16, workers);
    }

    /** {@return a matrix for a result that belongs in a tensor: in the tensor itself if possible, else in this buffer} */
    public Matrix place(Tensor tensor) {
        Matrix inPlace = Matrix.inPlace(tensor);
        int columns = (int) tensor.size(-1);
        return inPlace != null ? inPlace : place(Math.toIntExact(tensor.elementCount() / columns), columns);
    }

    /** {@return a matrix for a result, in this buffer} */
    public Matrix place(int rows, long columns) {
        result = ArrayGrowth.atLeast(result, Math.toIntExact(Math.multiplyExact(rows, columns)));
        return Matrix.of(result, rows, (int) columns);
    }

    /** Copies a result to its tensor, unless {@link #place(Tensor)} returned the tensor's own memory. */
    public void deliver(Matrix computed, Tensor tensor) {
        if (Matrix.inPlace(tensor) == null) {
            computed.writeTo(tensor);
        }
    }
}
