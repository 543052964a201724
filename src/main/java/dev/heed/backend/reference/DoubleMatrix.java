package dev.heed.backend.reference;

import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** A dense row-major matrix of doubles with the operations of linear layers and projections. */
record DoubleMatrix(int rows, int columns, double[] cells) {

    /** {@return a tensor as a matrix: the last axis becomes the columns, all other axes become the rows} */
    static DoubleMatrix of(Tensor tensor) {
        int columns = Math.toIntExact(tensor.size(-1));
        return new DoubleMatrix(Math.toIntExact(tensor.elementCount() / columns), columns, tensor.toDoubleArray());
    }

    DoubleMatrix times(DoubleMatrix other) {
        double[] product = new double[Math.multiplyExact(rows, other.columns)];
        for (int i = 0; i < rows; i++) {
            for (int k = 0; k < columns; k++) {
                double cell = cells[i * columns + k];
                for (int j = 0; j < other.columns; j++) {
                    product[i * other.columns + j] += cell * other.cells[k * other.columns + j];
                }
            }
        }
        return new DoubleMatrix(rows, other.columns, product);
    }

    DoubleMatrix transposed() {
        double[] transposed = new double[cells.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                transposed[j * rows + i] = cells[i * columns + j];
            }
        }
        return new DoubleMatrix(columns, rows, transposed);
    }

    /** Adds {@code row}, if not null, to every row of this matrix, and returns this matrix. */
    DoubleMatrix plus(@Nullable Tensor row) {
        if (row != null) {
            double[] added = row.toDoubleArray();
            for (int i = 0; i < cells.length; i++) {
                cells[i] += added[i % columns];
            }
        }
        return this;
    }

    void columnSums(@Nullable Tensor into) {
        if (into != null) {
            double[] sums = new double[columns];
            for (int i = 0; i < cells.length; i++) {
                sums[i % columns] += cells[i];
            }
            into.copyFrom(Tensor.of(sums, columns));
        }
    }

    void into(Tensor tensor) {
        tensor.copyFrom(tensor(tensor.shape()));
    }

    Tensor tensor(long... shape) {
        return Tensor.of(cells, shape);
    }
}
