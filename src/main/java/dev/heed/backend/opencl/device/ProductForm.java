package dev.heed.backend.opencl.device;

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
public record ProductForm(MatrixTiles tiles, DType type, DType to, boolean left, boolean right) {
    public int rows() {
        return tiles.productRows();
    }

    public int columns() {
        return tiles.dv();
    }
}
