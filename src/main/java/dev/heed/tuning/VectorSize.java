package dev.heed.tuning;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;

/**
 * A size of the vector backend that may be measured, because no result depends on it: every element is the same sum in the
 * same order. The sizes that change the order of a sum (keys of a tile or of a split, depth of a score) are not listed.
 */
public enum VectorSize {
    /** Maximum panels of a task of prefill. */
    PANELS("panels", MeasuredTable.VECTOR_PREFILL, "1 to 64", n -> n >= 1 && n <= 64),
    /** Maximum depth of a block of a matrix product; even, because native kernels multiply pairs. */
    DEPTH("depth", MeasuredTable.VECTOR_GEMM, "an even number, 64 to 65536", n -> n >= 64 && n <= 65536 && n % 2 == 0),
    /** Maximum rows of a task of a matrix product. */
    ROWS("rows", MeasuredTable.VECTOR_GEMM, "6 to 4096", n -> n >= 6 && n <= 4096),
    /** Minimum rows of a task of a matrix product when tasks are made smaller to keep more threads busy. */
    FEWEST_ROWS("fewestRows", MeasuredTable.VECTOR_GEMM, "1 to 4096", n -> n >= 1 && n <= 4096),
    /** Vectors per row in the blocks of the matrix product. */
    VECTORS("vectors", MeasuredTable.VECTOR_BLOCK, "2 or 4", n -> n == 2 || n == 4),
    /** Whether a transposed left operand is multiplied in blocks of 12 rows and two vectors. */
    TALL("tall", MeasuredTable.VECTOR_BLOCK, "0 or 1", n -> n == 0 || n == 1);

    private final String column;
    private final MeasuredTable table;
    private final String expected;
    private final IntPredicate possible;

    VectorSize(String column, MeasuredTable table, String expected, IntPredicate possible) {
        this.column = column;
        this.table = table;
        this.expected = expected;
        this.possible = possible;
    }

    /** {@return its name in a table and in {@code heed.vector.tiles}} */
    public String column() {
        return column;
    }

    /** {@return the table that stores it} */
    public MeasuredTable table() {
        return table;
    }

    /** {@return the sizes that a table stores, in the order of its columns} */
    public static List<VectorSize> of(MeasuredTable table) {
        return Arrays.stream(values()).filter(size -> size.table == table).toList();
    }

    /** {@return sizes written as {@code depth=384,rows=96}; empty if the text has another form or a number is not possible} */
    public static Optional<Map<VectorSize, Integer>> parse(String text) {
        Map<VectorSize, Integer> sizes = new EnumMap<>(VectorSize.class);
        for (String part : text.split(",", -1)) {
            String[] pair = part.split("=", -1);
            Optional<VectorSize> size = Arrays.stream(values())
                    .filter(each -> each.column.equals(pair[0]))
                    .findFirst();
            if (pair.length != 2 || size.isEmpty() || !pair[1].matches("[0-9]{1,9}")) {
                return Optional.empty();
            }
            int number = Integer.parseInt(pair[1]);
            if (!size.get().possible.test(number) || sizes.put(size.get(), number) != null) {
                return Optional.empty();
            }
        }
        return Optional.of(sizes);
    }

    /** {@return the names of all sizes with their possible numbers, in words} */
    public static String expected() {
        return Arrays.stream(values())
                .map(size -> size.column + " (" + size.expected + ")")
                .collect(Collectors.joining(", "));
    }

    /** Checks the numbers of a row of a table; numbers of other tables are not checked. */
    static void check(MeasuredTable table, TuningTable.Numbers row) {
        for (VectorSize size : of(table)) {
            int number = row.get(size.column);
            if (!size.possible.test(number)) {
                throw new IllegalArgumentException(
                        "expected " + size.column + " to be " + size.expected + ", got " + number);
            }
        }
    }
}
