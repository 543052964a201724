package dev.heed.backend.vector.f64;

import static dev.heed.backend.vector.f64.F64Kernels.KERNELS;
import static dev.heed.backend.vector.f64.F64Lanes.PANEL;

import dev.heed.backend.vector.storage.Workers;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The projections of multi-head attention and the linear layers in f64; blocks of rows and columns run in parallel. */
public final class F64Gemm {
    /**
     * Maximum depth per block. A block of a panel stays in cache, and a long sum is computed as a sum of block sums of at
     * most this number of terms.
     */
    private static final int DEPTH = 256;

    /** Maximum rows per task. */
    private static final int ROWS = 96;

    private F64Gemm() {}

    /** {@return {@code x W + b} as {@code [batch, sequence, out]}} */
    public static Tensor project(Tensor x, Tensor w, @Nullable Tensor bias, Workers workers) {
        int in = (int) w.size(0);
        int out = (int) w.size(1);
        int rows = Math.toIntExact(x.elementCount() / in);
        double[] y = multiply(doubles(x), in, 1, rows, in, doubles(w), out, 1, out, workers);
        int step = F64Lanes.panels(out) * PANEL;
        if (bias != null) {
            double[] row = bias.toDoubleArray();
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < out; i++) {
                    y[r * step + i] += row[i];
                }
            }
        }
        return Tensor.of(y, x.size(0), x.size(1), step).slice(2, 0, out);
    }

    /**
     * Computes the gradients of {@link #project}: returns {@code dx = dy W'}, and writes {@code dW = x' dy} and, if not
     * null, {@code db}, the column sums of {@code dy}.
     */
    public static Tensor projectBackward(
            Tensor x, Tensor w, Tensor dy, Tensor dw, @Nullable Tensor db, Workers workers) {
        int in = (int) w.size(0);
        int out = (int) w.size(1);
        int rows = Math.toIntExact(x.elementCount() / in);
        double[] gradient = doubles(dy);
        double[] weights = multiply(doubles(x), 1, in, in, rows, gradient, out, 1, out, workers);
        dw.copyFrom(Tensor.of(weights, in, F64Lanes.panels(out) * PANEL).slice(1, 0, out));
        if (db != null) {
            db.copyFrom(Tensor.of(columnSums(gradient, rows, out), out));
        }
        double[] dx = multiply(gradient, out, 1, rows, out, doubles(w), 1, out, in, workers);
        return Tensor.of(dx, x.size(0), x.size(1), F64Lanes.panels(in) * PANEL).slice(2, 0, in);
    }

    private static double[] doubles(Tensor tensor) {
        return tensor.type() == DType.F64
                        && tensor.isContiguous()
                        && tensor.offset() == 0
                        && tensor.segment().heapBase().orElse(null) instanceof double[] array
                        && tensor.segment().address() == 0
                ? array
                : tensor.toDoubleArray();
    }

    /**
     * Computes {@code C = A B}: element {@code [r][k]} of A is {@code a[r * aRowStride + k * aDepth]}, element {@code [k][c]} of
     * B is {@code b[k * bDepth + c * bColumn]}. Rows of C are padded with zeros to whole panels.
     */
    private static double[] multiply(
            double[] a,
            int aRowStride,
            int aDepth,
            int rows,
            int depth,
            double[] b,
            int bDepth,
            int bColumn,
            int columns,
            Workers workers) {
        int panels = F64Lanes.panels(columns);
        int step = panels * PANEL;
        double[] packed = new double[Math.multiplyExact(step, depth)];
        workers.run(panels, (panel, scratch) -> {
            int first = panel * PANEL;
            int width = Math.min(PANEL, columns - first);
            for (int k = 0; k < depth; k++) {
                for (int c = 0; c < width; c++) {
                    packed[(panel * depth + k) * PANEL + c] = b[k * bDepth + (first + c) * bColumn];
                }
            }
        });
        double[] c = new double[Math.multiplyExact(rows, step)];
        int blocks = (rows + ROWS - 1) / ROWS;
        workers.run(Math.multiplyExact(blocks, panels), (task, scratch) -> {
            int first = task / panels * ROWS;
            int panel = task % panels;
            int count = Math.min(ROWS, rows - first);
            for (int k = 0; k < depth; k += DEPTH) {
                int aOffset = first * aRowStride + k * aDepth;
                int bOffset = (panel * depth + k) * PANEL;
                int cOffset = first * step + panel * PANEL;
                int slice = Math.min(DEPTH, depth - k);
                KERNELS.accumulate(
                        a, aOffset, aRowStride, aDepth, count, packed, bOffset, PANEL, slice, c, cOffset, step, PANEL);
            }
        });
        return c;
    }

    /** {@return the sums of the columns, added block by block} */
    private static double[] columnSums(double[] c, int rows, int columns) {
        double[] sums = new double[columns];
        for (int from = 0; from < rows; from += DEPTH) {
            double[] block = new double[columns];
            for (int r = from; r < Math.min(rows, from + DEPTH); r++) {
                for (int i = 0; i < columns; i++) {
                    block[i] += c[r * columns + i];
                }
            }
            for (int i = 0; i < columns; i++) {
                sums[i] += block[i];
            }
        }
        return sums;
    }
}
