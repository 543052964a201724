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
        int last = tensor.rank() - 1;
        int columns = Math.toIntExact(tensor.size(last));
        int rows = Math.toIntExact(tensor.elementCount() / columns);
        long step = 0;
        long count = 1;
        boolean even =
                StoredRows.inPlace(tensor) && !tensor.isConfined(); // a confined tensor cannot be read by other threads
        for (int axis = last - 1; axis >= 0; axis--) {
            if (tensor.size(axis) != 1) {
                step = count == 1 ? tensor.stride(axis) : step;
                even &= tensor.stride(axis) == count * step;
                count *= tensor.size(axis);
            }
        }
        if (even) {
            return new Bf16Matrix(tensor.segment(), tensor.offset(), step, rows, columns);
        }
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
    static Bf16Matrix rounded(Matrix matrix, short[] into) {
        MemorySegment to = MemorySegment.ofArray(into);
        MemorySegment from = MemorySegment.ofArray(matrix.data());
        for (int r = 0; r < matrix.rows(); r++) {
            long at = matrix.at() + (long) r * matrix.rowStep();
            NativeKernels.bf16Narrow(from, at, matrix.columns(), to, (long) r * matrix.columns());
        }
        return new Bf16Matrix(to, 0, matrix.columns(), matrix.rows(), matrix.columns());
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
