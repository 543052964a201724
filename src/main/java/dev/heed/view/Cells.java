package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/**
 * The cells of a heat map: the values of a matrix, or pooled values of its tiles.
 *
 * @param rows the number of cells from top to bottom
 * @param columns the number of cells from left to right
 * @param values the values in row-major order
 * @param tileRows rows of the matrix per cell; the last cell may cover fewer
 * @param tileColumns columns of the matrix per cell; the last cell may cover fewer
 * @param wholeRows rows of the matrix
 * @param wholeColumns columns of the matrix
 * @param pooling the pooling of the values in a tile
 */
record Cells(
        int rows,
        int columns,
        double[] values,
        int tileRows,
        int tileColumns,
        int wholeRows,
        int wholeColumns,
        Pooling pooling) {

    private static Cells whole(int rows, int columns, double[] values) {
        return new Cells(rows, columns, values, 1, 1, rows, columns, Pooling.MEAN);
    }

    static Cells of(Tensor weights) {
        if (weights.rank() != 2 || weights.size(0) > Integer.MAX_VALUE / weights.size(1)) {
            throw new InvalidInputException(
                    "A heat map must have two axes, rows and columns",
                    "[rows, columns] of at most " + Integer.MAX_VALUE + " numbers",
                    weights.toString(),
                    "weights.select(0, batch).select(0, head) is one head");
        }
        return whole((int) weights.size(0), (int) weights.size(1), weights.toDoubleArray());
    }

    static Cells of(double[][] weights) {
        int columns = weights.length == 0 ? 0 : weights[0].length;
        double[] values = new double[Math.multiplyExact(weights.length, columns)];
        for (int row = 0; row < weights.length; row++) {
            if (columns == 0 || weights[row].length != columns) {
                break;
            }
            System.arraycopy(weights[row], 0, values, row * columns, columns);
            if (row == weights.length - 1) {
                return whole(weights.length, columns, values);
            }
        }
        throw new InvalidInputException(
                "The rows of a heat map must have the same length",
                "at least one row, at least one number in each, the same count in all",
                weights.length + " rows, the first of " + columns,
                "fill short rows with Double.NaN");
    }

    double at(int row, int column) {
        return values[row * columns + column];
    }

    boolean isTiled() {
        return tileRows > 1 || tileColumns > 1;
    }

    /**
     * {@return these cells if they fit the maximum; otherwise fewer cells, pooled over the smallest tiles that are
     * sufficient}
     */
    Cells atMost(int maxRows, int maxColumns, Pooling with) {
        int tallness = -Math.floorDiv(-rows, maxRows);
        int wideness = -Math.floorDiv(-columns, maxColumns);
        if (tallness <= 1 && wideness <= 1) {
            return this;
        }
        int fewRows = -Math.floorDiv(-rows, tallness);
        int fewColumns = -Math.floorDiv(-columns, wideness);
        double[] pooled = new double[fewRows * fewColumns];
        for (int row = 0; row < fewRows; row++) {
            for (int column = 0; column < fewColumns; column++) {
                pooled[row * fewColumns + column] = pool(
                        with,
                        row * tallness,
                        Math.min(rows, (row + 1) * tallness),
                        column * wideness,
                        Math.min(columns, (column + 1) * wideness));
            }
        }
        return new Cells(fewRows, fewColumns, pooled, tallness, wideness, wholeRows, wholeColumns, with);
    }

    /** Pools the finite values of a tile; NaN if there are none, so that a masked region stays visible. */
    private double pool(Pooling with, int fromRow, int toRow, int fromColumn, int toColumn) {
        double mean = 0;
        double largest = Double.NEGATIVE_INFINITY;
        int count = 0;
        for (int row = fromRow; row < toRow; row++) {
            for (int column = fromColumn; column < toColumn; column++) {
                double value = at(row, column);
                if (Double.isFinite(value)) {
                    count++;
                    largest = Math.max(largest, value);
                    mean += value / count - mean / count; // a running mean cannot overflow
                }
            }
        }
        return count == 0 ? Double.NaN : with == Pooling.MAX ? largest : mean;
    }

    /** {@return the caption about pooling into tiles, empty if every cell is one value} */
    String note() {
        return isTiled()
                ? "Each cell is the " + pooling.word() + " of " + tileRows + " × " + tileColumns + " values ("
                        + wholeRows + " × " + wholeColumns + " in all)."
                : "";
    }

    boolean hasGaps() {
        for (double value : values) {
            if (!Double.isFinite(value)) {
                return true;
            }
        }
        return false;
    }
}
