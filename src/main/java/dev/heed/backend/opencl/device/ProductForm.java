package dev.heed.backend.opencl.device;

import dev.heed.tensor.DType;

/**
 * The compile-time parameters of one program for a matrix product on matrix units.
 *
 * @param tiles tile sizes
 * @param type storage type of the operands
 * @param to storage type of the result
 * @param left whether the left operand is stored by columns
 * @param right whether the right operand is stored by columns
 */
public record ProductForm(MatrixTiles tiles, DType type, DType to, boolean left, boolean right) {
    /** {@return rows of the result per work-group} */
    public int rows() {
        return tiles.productRows();
    }

    /** {@return columns of the result per work-group} */
    public int columns() {
        return tiles.dv();
    }
}
