package dev.heed.backend.vector.storage;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.Tiles;
import dev.heed.ffi.NativeKernels;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A bf16 matrix with contiguous rows: element {@code [r][c]} is element {@code at + r * rowStep + c} of the segment.
 *
 * @param data the memory that holds the elements
 * @param at index of the first element
 * @param rowStep the distance between rows, in elements
 * @param rows number of rows
 * @param columns number of columns
 */
public record Bf16Matrix(MemorySegment data, long at, long rowStep, int rows, int columns) {
    /** Rows per task when a matrix is rounded. */
    private static final int ROUNDED_ROWS = 64;

    /**
     * The operands of a product: the left matrix {@code a} in rows, the right matrix {@code b} packed in panels of pairs.
     */
    public record Operands(Bf16Matrix a, Packed b) {
        /**
         * Multiplies {@code rows} rows of {@code a}, beginning with row {@code first}, by one panel of {@code b}, over
         * {@code count} elements of depth from {@code k} on; {@code k} must be even. Computes {@code c = a b} if {@code k}
         * is 0, else {@code c += a b}. The result begins at {@code c[at]}; its rows are {@code step} elements apart.
         */
        void multiply(int first, int rows, int panel, int k, int count, float[] c, int at, int step) {
            NativeKernels.bf16Product(
                    a.data,
                    a.at + first * a.rowStep + k,
                    a.rowStep,
                    2,
                    rows,
                    MemorySegment.ofArray(b.pairs),
                    ((long) panel * b.pairRows() * 2 + k) * PANEL,
                    PANEL,
                    count,
                    MemorySegment.ofArray(c),
                    at,
                    step,
                    k > 0);
        }
    }

    /**
     * A matrix packed in panels of pairs. Pair {@code t} of a column is its elements {@code 2t} and {@code 2t + 1}. Pair
     * {@code t} of column {@code c} of panel {@code p} begins at {@code pairs[((p * pairRows + t) * PANEL + c) * 2]}.
     */
    public record Packed(short[] pairs, int depth, int columns) {
        int pairRows() {
            return (depth + 1) / 2;
        }
    }

    /**
     * Whether a linear layer uses native products for these tensors: only if all are bf16, the tuning table prefers native
     * products for linear layers, and the processor has them.
     */
    public static boolean serve(Tensor... operands) {
        return Arrays.stream(operands).allMatch(operand -> operand.type() == DType.BF16)
                && Tiles.nativeKernels(DType.BF16).linear()
                && Bf16Panels.works();
    }

    /**
     * {@return a tensor as a matrix, without a copy if possible: the last axis becomes the columns, all other axes become
     * the rows}
     */
    public static Bf16Matrix of(Tensor tensor) {
        Bf16Matrix inPlace = inPlace(tensor);
        return inPlace != null ? inPlace : copy(tensor);
    }

    /**
     * {@return the matrix that {@link #of} would return, but as a view of the tensor's own memory; null if the tensor is not
     * bf16, if its rows are not contiguous and evenly spaced, or if other threads cannot access it}
     */
    public static @Nullable Bf16Matrix inPlace(Tensor tensor) {
        int last = tensor.rank() - 1;
        int columns = Math.toIntExact(tensor.size(last));
        int rows = Math.toIntExact(tensor.elementCount() / columns);
        long step = 0;
        long count = 1;
        boolean even = tensor.type() == DType.BF16 && StoredRows.inPlace(tensor) && !tensor.isConfined();
        for (int axis = last - 1; axis >= 0; axis--) {
            if (tensor.size(axis) != 1) {
                step = count == 1 ? tensor.stride(axis) : step;
                even &= tensor.stride(axis) == count * step;
                count *= tensor.size(axis);
            }
        }
        return even ? new Bf16Matrix(tensor.segment(), tensor.offset(), step, rows, columns) : null;
    }

    private static Bf16Matrix copy(Tensor tensor) {
        int last = tensor.rank() - 1;
        int columns = Math.toIntExact(tensor.size(last));
        int rows = Math.toIntExact(tensor.elementCount() / columns);
        short[] copy = new short[Math.multiplyExact(rows, columns)];
        RowCursor cursor = new RowCursor(tensor, last);
        for (int r = 0; r < rows; r++) {
            long from = cursor.position(r);
            for (int c = 0; c < columns; c++) {
                long there = (from + c * cursor.stride()) * Short.BYTES;
                copy[r * columns + c] = tensor.segment().get(ValueLayout.JAVA_SHORT_UNALIGNED, there);
            }
        }
        return new Bf16Matrix(MemorySegment.ofArray(copy), 0, columns, rows, columns);
    }

    /** {@return a matrix rounded to bf16 and stored in {@code into}; the rows of {@code matrix} must be contiguous} */
    static Bf16Matrix rounded(Matrix matrix, short[] into, Workers workers) {
        int columns = matrix.columns();
        var rounded = new Bf16Matrix(MemorySegment.ofArray(into), 0, columns, matrix.rows(), columns);
        workers.run(Math.ceilDiv(matrix.rows(), ROUNDED_ROWS), (task, scratch) -> {
            int first = task * ROUNDED_ROWS;
            int rows = Math.min(ROUNDED_ROWS, matrix.rows() - first);
            int at = matrix.at() + first * matrix.rowStep();
            rounded.round(matrix.data(), at, matrix.rowStep(), first, rows, 0, columns);
        });
        return rounded;
    }

    /**
     * Rounds rows of floats to {@code width} columns of this matrix, beginning with element {@code [first][column]}. The
     * floats begin at {@code from[at]}; their rows are {@code step} elements apart.
     */
    void round(float[] from, int at, int step, int first, int rows, int column, int width) {
        MemorySegment floats = MemorySegment.ofArray(from);
        NativeKernels.bf16Narrow(floats, at, step, rows, width, data, this.at + first * rowStep + column, rowStep);
    }

    /** {@return this matrix packed as the right operand of products} */
    public Packed pack(Workers workers) {
        int panels = Lanes.panels(columns);
        var packed = new Packed(new short[0], rows, columns);
        long panelLength = Math.multiplyExact(2L * PANEL, packed.pairRows());
        short[] pairs = new short[Math.toIntExact(Math.multiplyExact(panels, panelLength))];
        MemorySegment to = MemorySegment.ofArray(pairs);
        workers.run(panels, (panel, scratch) -> {
            int first = panel * PANEL;
            int width = Math.min(PANEL, columns - first);
            boolean ignored = NativeKernels.bf16Interleave(
                    data, at + first, rowStep, rows, width, to, panel * panelLength, 2L * PANEL);
        });
        return new Packed(pairs, rows, columns);
    }
}
