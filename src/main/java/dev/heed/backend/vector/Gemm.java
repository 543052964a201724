package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.PANEL;

/**
 * Matrix products around {@link MicroKernel}: the right operand is packed into panels, depth is cut so that a block of both
 * operands stays in cache, and blocks of the result are tasks. Any operand may be transposed by its strides.
 */
final class Gemm {
    /** Depth of one block. */
    private static final int DEPTH = 256;

    /** Rows of one task. */
    private static final int ROWS = 96;

    private Gemm() {}

    /** A matrix in panels: panel {@code p} holds columns {@code [p * PANEL, (p + 1) * PANEL)}, row after row, padded by zeros. */
    record Packed(float[] data, int depth, int columns) {
        int panels() {
            return Lanes.panels(columns);
        }
    }

    /** Packs a matrix whose element {@code [k][c]} lies at {@code at + k * rowStep + c * columnStep}. */
    static Packed pack(float[] b, int at, int rowStep, int columnStep, int depth, int columns, Workers workers) {
        int panels = Lanes.panels(columns);
        float[] packed = new float[Math.multiplyExact(panels * PANEL, depth)];
        workers.run(panels, (panel, scratch) -> {
            int first = panel * PANEL;
            int width = Math.min(PANEL, columns - first);
            for (int k = 0; k < depth; k++) {
                int from = at + k * rowStep + first * columnStep;
                int to = (panel * depth + k) * PANEL;
                for (int c = 0; c < width; c++) {
                    packed[to + c] = b[from + c * columnStep];
                }
            }
        });
        return new Packed(packed, depth, columns);
    }

    /**
     * {@code C = A B}: element {@code [r][k]} of A lies at {@code at + r * rowStep + k * columnStep}; rows of C are
     * {@code b.panels() * PANEL} apart, padded columns are zero.
     */
    static float[] multiply(float[] a, int at, int rowStep, int columnStep, int rows, Packed b, Workers workers) {
        int step = b.panels() * PANEL;
        float[] c = new float[Math.multiplyExact(rows, step)];
        int blocks = (rows + ROWS - 1) / ROWS;
        workers.run(blocks * b.panels(), (task, scratch) -> {
            int first = task / b.panels() * ROWS;
            int panel = task % b.panels();
            int count = Math.min(ROWS, rows - first);
            for (int k = 0; k < b.depth(); k += DEPTH) {
                int depth = Math.min(DEPTH, b.depth() - k);
                MicroKernel.accumulate(
                        a,
                        at + first * rowStep + k * columnStep,
                        rowStep,
                        columnStep,
                        count,
                        b.data(),
                        (panel * b.depth() + k) * PANEL,
                        PANEL,
                        depth,
                        c,
                        first * step + panel * PANEL,
                        step);
            }
        });
        return c;
    }

    /** Adds a row to every row. */
    static void addRow(float[] c, int rows, int step, float[] row) {
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < row.length; i++) {
                c[r * step + i] += row[i];
            }
        }
    }

    /** The sums of the columns, in double on the way. */
    static float[] columnSums(float[] c, int at, int rows, int step, int columns) {
        double[] sums = new double[columns];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < columns; i++) {
                sums[i] += c[at + r * step + i];
            }
        }
        float[] rounded = new float[columns];
        for (int i = 0; i < columns; i++) {
            rounded[i] = (float) sums[i];
        }
        return rounded;
    }
}
