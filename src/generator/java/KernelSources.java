import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Writes the sources of the micro-kernels, whose blocks are written out in full. From the root of the checkout:
 *
 * <pre>
 * java src/generator/java/KernelSources.java
 * </pre>
 *
 * <p>An argument names another root folder for the files. The committed files are this output, byte for byte; GeneratedSourcesTest
 * compares them.
 */
class KernelSources extends SourceText {
    /**
     * Most rows of a block. With four vectors, 24 accumulators, four operands and a broadcast take 29 of 32 registers; with two vectors,
     * 12 accumulators, two operands and a broadcast take 15 of 16.
     */
    private static final int ROWS = 6;

    /** Rows of a block of a transposed A. With two vectors, 24 accumulators, two operands and a broadcast take 27 of 32 registers. */
    private static final int TALL = 12;

    static void main(String[] arguments) throws IOException {
        Path folder = folder(arguments).resolve("backend/vector");
        write(folder.resolve("kernels/MicroKernel.java"), new KernelSources().microKernel());
        write(folder.resolve("kernels/NarrowKernel.java"), new KernelSources().narrowKernel());
        write(folder.resolve("f64/F64Kernel.java"), new KernelSources().doubleKernel());
    }

    private String microKernel() {
        text.append("""
                // Written by src/generator/java/KernelSources.java; change that file and run it.
                package dev.heed.backend.vector.kernels;

                import static dev.heed.backend.vector.kernels.Lanes.FUSED;
                import static dev.heed.backend.vector.kernels.Lanes.PANEL;
                import static dev.heed.backend.vector.kernels.Lanes.V;
                import static dev.heed.backend.vector.kernels.Species.SPECIES;

                import jdk.incubator.vector.FloatVector;

                /**
                 * The f32 matrix product of the vector backend: blocks of up to six rows of A by the columns of one panel of B, a panel being
                 * four vectors wide.
                 *
                 * <pre>
                 *                      B   depth x PANEL, rows bDepthStride apart
                 *                    +----+----+----+----+
                 *                    | v0 | v1 | v2 | v3 |  k
                 *                    +----+----+----+----+
                 *        A   k       +----+----+----+----+
                 *      r [.......]   |    |    |    |    |  C[r] (+)= sum over k of A[r][k] * B[k]
                 *                    +----+----+----+----+
                 * A[r][k] is a[aOffset + r * aRowStride + k * aDepthStride], so a transposed A only needs other strides
                 * </pre>
                 *
                 * <p>Six rows by four vectors use 24 accumulators, four operands and one broadcast: 29 of 32 registers. Processors with 16
                 * vector registers compute blocks that are two vectors wide, in 15 registers. The bits of an element are the same in all blocks.
                 *
                 * <p>Each block is written out in full because the JIT keeps accumulators in registers only if they are local variables of
                 * one method that stays below the JIT's node limit for inlining. Accumulators are boxed, which is twenty times slower,
                 * if they are in an array, passed to a method, or initialised with zero on one path and with a load on another.
                 */
                interface MicroKernel extends Kernels {
                """);
        driver("product");
        line(0, "");
        driver("accumulate");
        for (String name : List.of("product", "accumulate")) {
            rows(name, 4);
            rows(name, 2);
            tallRows(name);
        }
        tallBlock(false);
        tallBlock(true);
        for (int vectors : new int[] {4, 2}) {
            for (int rows = ROWS; rows >= 1; rows--) {
                block(false, rows, vectors);
                block(true, rows, vectors);
            }
        }
        return text.append("}\n").toString();
    }

    private static List<String> operands(boolean stride) {
        List<String> operands = new ArrayList<>(List.of("float[] a", "int aOffset"));
        operands.addAll(stride ? List.of("int aRowStride", "int aDepthStride") : List.of("int aDepthStride"));
        operands.addAll(
                List.of("float[] b", "int bOffset", "int bDepthStride", "int depth", "float[] c", "int cOffset"));
        operands.addAll(stride ? List.of("int cRowStride") : List.of());
        return operands;
    }

    private static List<String> withRows(List<String> operands) {
        List<String> more = new ArrayList<>(operands);
        more.add(4, "int rows");
        return more;
    }

    /** Writes the method for all columns of a panel. */
    private void driver(String name) {
        List<String> operands = withRows(operands(true));
        line(1, "@Override");
        method(1, "default void " + name, operands);
        line(2, "int tall = Tiles.BLOCK_TALL && aRowStride == 1 ? rows / " + TALL + " * " + TALL + " : 0;");
        line(2, "if (tall > 0) {");
        call(
                3,
                name + "Tall",
                names(tallOperands()).stream()
                        .map(n -> n.equals("rows") ? "tall" : n)
                        .toList());
        line(2, "}");
        List<String> rest = names(operands).stream()
                .map(n -> n.equals("rows") ? "rows - tall" : n)
                .map(n -> n.equals("aOffset") ? "aOffset + tall * aRowStride" : n)
                .map(n -> n.equals("cOffset") ? "cOffset + tall * cRowStride" : n)
                .toList();
        line(2, "if (Tiles.BLOCK_VECTORS == 4) {");
        call(3, name + "4", rest);
        line(3, "return;");
        line(2, "}");
        line(2, "for (int v = 0; v < PANEL; v += 2 * V) {");
        call(3, name + "2", shifted(rest, "v"));
        line(2, "}");
        line(1, "}");
    }

    /** {@return arguments for the columns of a panel that begin at {@code column}} */
    private static List<String> shifted(List<String> arguments, String column) {
        return arguments.stream()
                .map(n -> n.startsWith("bOffset") || n.startsWith("cOffset") ? n + " + " + column : n)
                .toList();
    }

    /** Writes the method for rows of a transposed A, a multiple of the rows of a tall block, and all columns of a panel. */
    private void tallRows(String name) {
        line(0, "");
        method(1, "static void " + name + "Tall", tallOperands());
        line(2, "for (int r = 0; r < rows; r += " + TALL + ") {");
        line(3, "for (int v = 0; v < PANEL; v += 2 * V) {");
        call(
                4,
                name + TALL + "x2",
                shifted(atRow(blockOperands()), "v").stream()
                        .map(n -> n.equals("aOffset + r * aRowStride") ? "aOffset + r" : n)
                        .toList());
        line(3, "}");
        line(2, "}");
        line(1, "}");
    }

    /**
     * Writes the method that divides rows into blocks. The last 7 to 11 rows are two blocks with four rows or more, if possible: a
     * block of four rows runs at 85 % of the speed of six rows, a block of one row at a third.
     */
    private void rows(String name, int vectors) {
        line(0, "");
        method(1, "static void " + name + vectors, withRows(operands(true)));
        line(2, "int r = 0;");
        line(2, "while (r < rows) {");
        line(3, "int left = rows - r;");
        line(3, "int block = left <= " + ROWS + " ? left : Math.min(" + ROWS + ", Math.max(4, left - 4));");
        line(3, "int at = aOffset + r * aRowStride;");
        line(3, "int to = cOffset + r * cRowStride;");
        line(3, "switch (block) {");
        for (int rows = 1; rows <= ROWS; rows++) {
            String label = rows == ROWS ? "default" : "case " + rows;
            String block = name + rows + "x" + vectors;
            String call = block + "(" + String.join(", ", last(rows)) + ");";
            if (16 + label.length() + 4 + call.length() <= LINE) {
                line(4, label + " -> " + call);
            } else {
                line(4, label + " ->");
                call(5, block, last(rows));
            }
        }
        line(3, "}");
        line(3, "r += block;");
        line(2, "}");
        line(1, "}");
    }

    /** {@return the arguments of a block} */
    private static List<String> last(int rows) {
        return names(operands(rows > 1)).stream()
                .map(n -> n.equals("aOffset") ? "at" : n.equals("cOffset") ? "to" : n)
                .toList();
    }

    private void block(boolean onto, int rows, int vectors) {
        line(0, "");
        block(onto, rows, vectors, operands(rows > 1), r -> plus("p", times(r, "aRowStride")));
    }

    /** {@return the operands of a tall block} */
    private static List<String> blockOperands() {
        List<String> operands = operands(true);
        operands.remove("int aRowStride");
        return operands;
    }

    /** {@return the operands of all tall blocks of a panel} */
    private static List<String> tallOperands() {
        List<String> operands = withRows(operands(true));
        operands.remove("int aRowStride");
        return operands;
    }

    private void tallBlock(boolean onto) {
        line(0, "");
        comment(
                "Multiplies rows of a transposed A: the elements of a column are adjacent, so their addresses are one register and a constant,",
                "and the compiled code checks their indices at once. With headDim 64 and 192 keys, pooling reads the weights, 48 KB,",
                "six times per half panel instead of eleven times per panel.");
        block(onto, TALL, 2, blockOperands(), r -> r == 0 ? "p" : "p + " + r);
    }

    /** Writes a block; {@code index} is the index in {@code a} of the element of a row. */
    private void block(boolean onto, int rows, int vectors, List<String> operands, IntFunction<String> index) {
        method(1, "private static void " + (onto ? "accumulate" : "product") + rows + "x" + vectors, operands);
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < vectors; v++) {
                String start = onto ? "fromArray(SPECIES, c, " + at(r, v) + ")" : "zero(SPECIES)";
                line(2, "FloatVector c" + r + v + " = FloatVector." + start + ";");
            }
        }
        line(2, "for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {");
        for (int v = 0; v < vectors; v++) {
            line(3, "FloatVector b" + v + " = FloatVector.fromArray(SPECIES, b, " + plus("q", times(v, "V")) + ");");
        }
        for (int r = 0; r < rows; r++) {
            line(3, "FloatVector a" + r + " = FloatVector.broadcast(SPECIES, a[" + index.apply(r) + "]);");
            for (int v = 0; v < vectors; v++) {
                line(3, add("c" + r + v, "a" + r, "b" + v));
            }
        }
        line(2, "}");
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < vectors; v++) {
                line(2, "c" + r + v + ".intoArray(c, " + at(r, v) + ");");
            }
        }
        line(1, "}");
    }

    private String narrowKernel() {
        text.append("""
                // Written by src/generator/java/KernelSources.java; change that file and run it.
                package dev.heed.backend.vector.kernels;

                import static dev.heed.backend.vector.kernels.Lanes.FUSED;
                import static dev.heed.backend.vector.kernels.Lanes.PANEL;
                import static dev.heed.backend.vector.kernels.Species.SPECIES;

                import jdk.incubator.vector.FloatVector;

                /**
                 * The product of {@link MicroKernel} for one vector of a panel instead of all four, used for ragged tiles. Eight rows give
                 * eight independent chains of multiply-adds. That is enough to hide the latency on a processor that finishes one 512-bit
                 * or two 256-bit multiply-adds per cycle.
                 */
                interface NarrowKernel extends Kernels {
                    @Override
                    default boolean narrow() {
                        return true;
                    }
                """);
        line(0, "");
        line(1, "@Override");
        method(
                1,
                "default void narrowProduct",
                narrowOperands(List.of("int aRowStride", "int aDepthStride", "int rows"), true));
        line(2, "int r = 0;");
        line(2, "for (; r + 8 <= rows && (aDepthStride == 1 || aRowStride == 1); r += 8) {");
        line(3, "if (aDepthStride == 1) {");
        narrowCall(4, "eightContiguousRows", List.of("int aRowStride"), true);
        line(3, "} else {");
        narrowCall(4, "eightContiguousColumns", List.of("int aDepthStride"), true);
        line(3, "}");
        line(2, "}");
        line(2, "for (; r + 4 <= rows; r += 4) {");
        narrowCall(3, "four", List.of("int aRowStride", "int aDepthStride"), true);
        line(2, "}");
        line(2, "for (; r < rows; r++) {");
        narrowCall(3, "one", List.of("int aDepthStride"), false);
        line(2, "}");
        line(1, "}");
        line(0, "");
        comment(
                "Multiplies eight rows of A by B. The elements of each row must be adjacent, so that the compiled code checks all",
                "indices of A before the loop.");
        narrowBlock("eightContiguousRows", 8, List.of("int aRowStride"), r -> "a" + r + " + k");
        line(0, "");
        comment(
                "Multiplies eight rows of A by B. The elements of each column must be adjacent, so that the compiled code checks",
                "eight indices of A at once.");
        narrowBlock("eightContiguousColumns", 8, List.of("int aDepthStride"), r -> r == 0 ? "p" : "p + " + r);
        line(0, "");
        narrowBlock("four", 4, List.of("int aRowStride", "int aDepthStride"), r -> plus("p", times(r, "aRowStride")));
        line(0, "");
        narrowBlock("one", 1, List.of("int aDepthStride"), r -> "p");
        return text.append("}\n").toString();
    }

    private static List<String> narrowOperands(List<String> strides, boolean rowStride) {
        List<String> operands = new ArrayList<>(List.of("boolean onto", "float[] a", "int aOffset"));
        operands.addAll(strides);
        operands.addAll(List.of("float[] b", "int bOffset", "int depth", "float[] c", "int cOffset"));
        operands.addAll(rowStride ? List.of("int cRowStride") : List.of());
        return operands;
    }

    private void narrowCall(int indent, String name, List<String> strides, boolean rowStride) {
        call(indent, name, atRow(narrowOperands(strides, rowStride)));
    }

    /** Writes a block that is one vector wide; {@code index} is the index in {@code a} of the element of a row. */
    private void narrowBlock(String name, int rows, List<String> strides, IntFunction<String> index) {
        boolean byRows = !strides.contains("int aDepthStride");
        method(1, "private static void " + name, narrowOperands(strides, rows > 1));
        for (int r = 0; byRows && r < rows; r++) {
            line(2, "int a" + r + " = " + plus("aOffset", times(r, "aRowStride")) + ";");
        }
        for (int r = 0; r < rows; r++) {
            line(2, "FloatVector c" + r + " = FloatVector.zero(SPECIES);");
        }
        line(
                2,
                byRows
                        ? "for (int k = 0; k < depth; k++) {"
                        : "for (int k = 0, p = aOffset; k < depth; k++, p += aDepthStride) {");
        line(3, "FloatVector x = FloatVector.fromArray(SPECIES, b, bOffset + k * PANEL);");
        for (int r = 0; r < rows; r++) {
            line(3, "FloatVector y" + r + " = FloatVector.broadcast(SPECIES, a[" + index.apply(r) + "]);");
            line(3, add("c" + r, "y" + r, "x"));
        }
        line(2, "}");
        line(2, "if (onto) {");
        for (int r = 0; r < rows; r++) {
            line(
                    3,
                    "FloatVector.fromArray(SPECIES, c, " + at(r, 0) + ").add(c" + r + ").intoArray(c, " + at(r, 0)
                            + ");");
        }
        line(2, "} else {");
        for (int r = 0; r < rows; r++) {
            line(3, "c" + r + ".intoArray(c, " + at(r, 0) + ");");
        }
        line(2, "}");
        line(1, "}");
    }

    private String doubleKernel() {
        text.append("""
                // Written by src/generator/java/KernelSources.java; change that file and run it.
                package dev.heed.backend.vector.f64;

                import static dev.heed.backend.vector.f64.F64Lanes.V;
                import static dev.heed.backend.vector.f64.F64Species.SPECIES;
                import static dev.heed.backend.vector.kernels.Lanes.FUSED;

                import jdk.incubator.vector.DoubleVector;

                /**
                 * Matrix products in f64. Each element of a product {@code A B} is one sum that starts at 0 and runs in depth order,
                 * regardless of the other rows and lanes in the call.
                 */
                interface F64Kernel extends F64Kernels {
                """);
        doubles("accumulate", true);
        line(0, "");
        method(1, "private static void add", List.of("DoubleVector sum", "double[] c", "int at"));
        line(2, "DoubleVector.fromArray(SPECIES, c, at).add(sum).intoArray(c, at);");
        line(1, "}");
        line(0, "");
        doubles("dots", false);
        return text.append("}\n").toString();
    }

    /** Writes a product of doubles: four rows by two vectors, and smaller blocks for the rest. */
    private void doubles(String name, boolean fused) {
        List<String> operands = inDoubles(withRows(operands(true)));
        operands.add("int lanes");
        line(1, "@Override");
        method(1, "default void " + name, operands);
        line(2, "for (int v = 0; v < lanes; v += 2 * V) {");
        line(3, "boolean pair = v + V < lanes;");
        line(3, "int r = 0;");
        line(3, "for (; r + 4 <= rows; r += 4) {");
        line(4, "if (pair) {");
        doubleCall(5, name + "4x2", true, "v");
        line(4, "} else {");
        doubleCall(5, name + "4x1", true, "v");
        line(4, "}");
        line(3, "}");
        line(3, "for (; r < rows; r++) {");
        doubleCall(4, name + "1x1", false, "v");
        line(4, "if (pair) {");
        doubleCall(5, name + "1x1", false, "v + V");
        line(4, "}");
        line(3, "}");
        line(2, "}");
        line(1, "}");
        doubleBlock(name, 4, 2, fused);
        doubleBlock(name, 4, 1, fused);
        doubleBlock(name, 1, 1, fused);
    }

    private void doubleCall(int indent, String name, boolean stride, String column) {
        call(
                indent,
                name,
                atRow(operands(stride)).stream()
                        .map(n -> n.equals("bOffset") || n.startsWith("cOffset") ? n + " + " + column : n)
                        .toList());
    }

    private void doubleBlock(String name, int rows, int vectors, boolean fused) {
        line(0, "");
        method(1, "private static void " + name + rows + "x" + vectors, inDoubles(operands(rows > 1)));
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < vectors; v++) {
                line(2, "DoubleVector c" + r + v + " = DoubleVector.zero(SPECIES);");
            }
        }
        line(2, "for (int k = 0, p = aOffset, q = bOffset; k < depth; k++, p += aDepthStride, q += bDepthStride) {");
        for (int v = 0; v < vectors; v++) {
            line(3, "DoubleVector b" + v + " = DoubleVector.fromArray(SPECIES, b, " + plus("q", times(v, "V")) + ");");
        }
        for (int r = 0; r < rows; r++) {
            line(
                    3,
                    "DoubleVector a" + r + " = DoubleVector.broadcast(SPECIES, a[" + plus("p", times(r, "aRowStride"))
                            + "]);");
            for (int v = 0; v < vectors; v++) {
                String sum = "c" + r + v;
                line(3, fused ? add(sum, "a" + r, "b" + v) : sum + " = a" + r + ".mul(b" + v + ").add(" + sum + ");");
            }
        }
        line(2, "}");
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < vectors; v++) {
                String sum = "c" + r + v;
                line(2, fused ? "add(" + sum + ", c, " + at(r, v) + ");" : sum + ".intoArray(c, " + at(r, v) + ");");
            }
        }
        line(1, "}");
    }

    private static List<String> inDoubles(List<String> operands) {
        return new ArrayList<>(
                operands.stream().map(o -> o.replace("float[]", "double[]")).toList());
    }

    /** {@return the arguments for the block that begins with row r} */
    private static List<String> atRow(List<String> operands) {
        return names(operands).stream()
                .map(n -> n.equals("aOffset") ? "aOffset + r * aRowStride" : n)
                .map(n -> n.equals("cOffset") ? "cOffset + r * cRowStride" : n)
                .toList();
    }

    private static String at(int row, int vector) {
        return plus(plus("cOffset", times(row, "cRowStride")), times(vector, "V"));
    }
}
