package dev.heed.backend.vector.storage;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.Activation;
import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.kernels.Kernels;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.Tiles;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products built on {@link Kernels#product}. The right operand is packed into panels, and each task computes a block of
 * the result. The depth (the inner dimension) is cut into blocks, so that one block of each operand stays in cache. The
 * strides of the left operand may describe a transposed matrix.
 *
 * <p>The division of the depth into blocks depends only on the depth, so the bits of an element do not depend on the number
 * of rows or threads.
 */
public final class Gemm {
    private static final float[] NONE = new float[0];

    private Gemm() {}

    /**
     * A matrix in panels: panel {@code p} holds columns {@code [p * PANEL, (p + 1) * PANEL)}, row after row, padded with
     * zeros.
     */
    public record Packed(float[] data, int depth, int columns) {
        int panels() {
            return Lanes.panels(columns);
        }
    }

    /**
     * A matrix product {@code C = f(A B + bias)} to be computed.
     *
     * @param bias one element per column, padded with zeros to whole panels, or null
     * @param c the result; its rows are contiguous
     * @param bf16 the operands of a native product, or null; if not null, a and b hold only sizes, no elements
     * @param rounded the result rounded to bf16, or null; if not null, c holds only sizes, no elements
     */
    public record Product(
            Matrix a,
            Packed b,
            float @Nullable [] bias,
            Activation activation,
            Matrix c,
            Bf16Matrix.@Nullable Operands bf16,
            @Nullable Bf16Matrix rounded) {
        public Product(Matrix a, Packed b, float @Nullable [] bias, Activation activation, Matrix c) {
            this(a, b, bias, activation, c, null, null);
        }

        /** Creates a product of bf16 matrices. */
        public Product(Bf16Matrix.Operands bf16, float @Nullable [] bias, Activation activation, Matrix c) {
            this(sizes(bf16.a()), sizes(bf16.b()), bias, activation, c, bf16, null);
        }

        /** Creates a product of bf16 matrices. Each block of the result is rounded to bf16 while it is in cache. */
        public Product(Bf16Matrix.Operands bf16, float @Nullable [] bias, Activation activation, Bf16Matrix rounded) {
            this(sizes(bf16.a()), sizes(bf16.b()), bias, activation, sizes(rounded), bf16, rounded);
        }

        private static Matrix sizes(Bf16Matrix matrix) {
            return Matrix.of(NONE, matrix.rows(), matrix.columns());
        }

        private static Packed sizes(Bf16Matrix.Packed packed) {
            return new Packed(NONE, packed.depth(), packed.columns());
        }

        int tasks(int rowsPerTask) {
            return Math.multiplyExact(Math.ceilDiv(c.rows(), rowsPerTask), b.panels());
        }
    }

    public static Packed pack(Matrix b, Workers workers) {
        int panels = Lanes.panels(b.columns());
        int depth = b.rows();
        float[] packed = new float[Math.multiplyExact(Math.multiplyExact(panels, PANEL), depth)];
        workers.run(panels, (panel, scratch) -> {
            int first = panel * PANEL;
            int width = Math.min(PANEL, b.columns() - first);
            for (int k = 0; k < depth; k++) {
                int from = b.at() + k * b.rowStep() + first * b.columnStep();
                int to = (panel * depth + k) * PANEL;
                if (b.columnStep() == 1) {
                    System.arraycopy(b.data(), from, packed, to, width);
                    continue;
                }
                for (int c = 0; c < width; c++) {
                    packed[to + c] = b.data()[from + c * b.columnStep()];
                }
            }
        });
        return new Packed(packed, depth, b.columns());
    }

    /** Computes several products in one parallel step, so that small products together keep all threads busy. */
    public static void run(List<Product> products, Workers workers) {
        int rowsPerTask = rowsPerTask(products, workers.threads());
        int tasks = 0;
        for (Product product : products) {
            tasks = Math.addExact(tasks, product.tasks(rowsPerTask));
        }
        workers.run(tasks, (task, scratch) -> {
            int rest = task;
            for (Product product : products) {
                int here = product.tasks(rowsPerTask);
                if (rest < here) {
                    int blocks = here / product.b.panels();
                    block(product, rest % blocks * rowsPerTask, rest / blocks, rowsPerTask, scratch);
                    return;
                }
                rest -= here;
            }
        });
    }

    public static void run(Product product, Workers workers) {
        run(List.of(product), workers);
    }

    /** {@return the rows per task, a multiple of the micro-kernel's six rows} */
    private static int rowsPerTask(List<Product> products, int threads) {
        double rows = 0;
        int maxRows = 0;
        for (Product product : products) {
            rows += (double) product.c.rows() * product.b.panels();
            maxRows = Math.max(maxRows, product.c.rows());
        }
        double share = Math.clamp(rows / (4.0 * threads), Tiles.GEMM_FEWEST_ROWS, Tiles.GEMM_ROWS);
        int blocks = (int) Math.ceil(maxRows / share);
        return Math.ceilDiv(Math.ceilDiv(maxRows, blocks), 6) * 6;
    }

    /** Computes one panel of columns of C for at most {@code rowsPerTask} rows, beginning with row {@code first}. */
    private static void block(Product product, int first, int panel, int rowsPerTask, Scratch scratch) {
        Matrix a = product.a;
        Packed b = product.b;
        Matrix c = product.c;
        int rows = Math.min(rowsPerTask, c.rows() - first);
        int column = panel * PANEL;
        int width = Math.min(PANEL, b.columns - column);
        boolean narrow = width < PANEL; // C has no room for the padding of the last panel
        Bf16Matrix rounded = product.rounded;
        float[] to = c.data();
        int at = c.at() + first * c.rowStep() + column;
        int step = c.rowStep();
        if (narrow || rounded != null) {
            to = scratch.tile = ArrayGrowth.atLeast(scratch.tile, rowsPerTask * PANEL);
            at = 0;
            step = PANEL;
        }
        Bf16Matrix.Operands bf16 = product.bf16;
        if (bf16 != null) {
            for (int k = 0; k < b.depth; k += Tiles.GEMM_DEPTH) {
                bf16.multiply(first, rows, panel, k, Math.min(Tiles.GEMM_DEPTH, b.depth - k), to, at, step);
            }
        }
        int depth = Math.ceilDiv(b.depth, Math.ceilDiv(b.depth, Tiles.GEMM_DEPTH));
        for (int k = 0; bf16 == null && k < b.depth; k += depth) {
            int count = Math.min(depth, b.depth - k);
            int aOffset = a.at() + first * a.rowStep() + k * a.columnStep();
            int bOffset = (panel * b.depth + k) * PANEL;
            if (k == 0) {
                KERNELS.product(
                        a.data(),
                        aOffset,
                        a.rowStep(),
                        a.columnStep(),
                        rows,
                        b.data,
                        bOffset,
                        PANEL,
                        count,
                        to,
                        at,
                        step);
            } else {
                KERNELS.accumulate(
                        a.data(),
                        aOffset,
                        a.rowStep(),
                        a.columnStep(),
                        rows,
                        b.data,
                        bOffset,
                        PANEL,
                        count,
                        to,
                        at,
                        step);
            }
        }
        // The bias is added last, because sums that begin with it would be rounded relative to its magnitude.
        KERNELS.finishLinear(product.activation, product.bias, column, to, at, step, rows);
        if (rounded != null) {
            rounded.round(to, at, step, first, rows, column, width);
            return;
        }
        for (int r = 0; narrow && r < rows; r++) {
            System.arraycopy(to, r * PANEL, c.data(), c.at() + (first + r) * c.rowStep() + column, width);
        }
    }
}
