package dev.heed.backend.opencl;

import dev.heed.tensor.DType;

/**
 * What one program of a matrix product on matrix units is compiled for.
 *
 * @param tiles its tiles
 * @param type of the operands
 * @param to of the result
 * @param left whether the left operand lies in columns
 * @param right whether the right one does
 */
record ProductForm(MatrixTiles tiles, DType type, DType to, boolean left, boolean right) {
    int rows() {
        return tiles.productRows();
    }

    int columns() {
        return tiles.dv();
    }
}
