import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Writes the source of the decode kernel, whose blocks are written out in full. From the root of the checkout:
 *
 * <pre>
 * java src/generator/java/DecodeSources.java
 * </pre>
 *
 * <p>An argument names another root folder for the file. The committed file is this output, byte for byte; GeneratedSourcesTest compares
 * them.
 */
class DecodeSources extends SourceText {
    /** Numbers of queries in a block of scores. Two queries by four keys take 8 accumulators, two queries and a key. */
    private static final List<Integer> SCORES = List.of(1, 2);

    /** Keys in a block of scores, one of each run; {@code DotRow.sumFour} sums the lanes of four vectors. */
    private static final int KEYS = 4;

    /** Runs of values in a step of decode. */
    private static final int RUNS = 4;

    /** Blocks of weighted sums. Two queries by eight vectors take 16 accumulators, two weights and a value. */
    private static final List<Sums> SUMS =
            List.of(new Sums(1, 8, false), new Sums(1, 8, true), new Sums(1, 4, true), new Sums(2, 8, true));

    private static final List<String> WORDS =
            List.of("no", "one", "two", "three", "four", "five", "six", "seven", "eight");

    /** A block of weighted sums: queries by vectors, over four runs of values or over one. */
    private record Sums(int queries, int vectors, boolean ofRuns) {
        String name() {
            String word = WORDS.get(vectors);
            return "add" + word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1) + (ofRuns ? "OfRuns" : "");
        }
    }

    static void main(String[] arguments) throws IOException {
        write(
                folder(arguments).resolve("backend/vector/kernels/DecodeKernel.java"),
                new DecodeSources().decodeKernel());
    }

    private String decodeKernel() {
        text.append("""
                // Written by src/generator/java/DecodeSources.java; change that file and run it.
                package dev.heed.backend.vector.kernels;

                import static dev.heed.backend.vector.kernels.Lanes.FUSED;
                import static dev.heed.backend.vector.kernels.Lanes.V;
                import static dev.heed.backend.vector.kernels.Species.SPECIES;

                import jdk.incubator.vector.FloatVector;

                /**
                 * The products of decode: scores of one or two queries, and weighted sums of values for them. Each key and value is loaded
                 * once for all queries of a block, without packing. The bits of a query are the same in all blocks.
                 *
                 * <p>A step of decode reads four runs of keys or values, one row of each run at a time; the runs begin {@code runStride}
                 * elements apart.
                 */
                interface DecodeKernel extends Kernels {
                """);
        scoresOfRuns(SCORES.getFirst());
        SCORES.stream().skip(1).forEach(queries -> {
            line(0, "");
            scoresOfRuns(queries);
        });
        SCORES.forEach(this::scores);
        SUMS.forEach(this::sums);
        return text.append("}\n").toString();
    }

    /** {@return one item of text for each query} */
    private static List<String> each(int queries, IntFunction<String> written) {
        return IntStream.range(0, queries).mapToObj(written).toList();
    }

    /** {@return a name with the number of a query, which is omitted if a block has only one} */
    private static String of(String name, int queries, int query) {
        return queries == 1 ? name : name + query;
    }

    private static List<String> join(List<?>... lists) {
        List<String> all = new ArrayList<>();
        for (List<?> list : lists) {
            list.forEach(item -> all.add((String) item));
        }
        return all;
    }

    private static String queries(int queries) {
        return WORDS.get(queries) + (queries == 1 ? " query" : " queries");
    }

    /** Writes the method for {@code count} keys of each run. */
    private void scoresOfRuns(int queries) {
        line(1, "@Override");
        List<String> parameters = join(
                List.of("float[] queries"),
                each(queries, n -> "int " + of("q", queries, n)),
                List.of("int width", "float[] keys", "int keysOffset", "int step", "int runStride", "int count"),
                List.of("float[] scores"),
                each(queries, n -> "int " + of("to", queries, n)),
                List.of("float[] lanes"));
        method(1, "default void scoresOfRuns", parameters);
        call(
                2,
                block(queries),
                join(
                        List.of("queries"),
                        each(queries, n -> of("q", queries, n)),
                        List.of("width", "keys", "keysOffset", "step", "runStride", "count", "scores"),
                        each(queries, n -> of("to", queries, n)),
                        List.of("1", "count", "lanes")));
        line(1, "}");
    }

    private static String block(int queries) {
        return "scores" + queries + "x" + KEYS;
    }

    /** Writes the loop over blocks of scores. */
    private void scores(int queries) {
        line(0, "");
        comment(
                "Computes the scores of " + queries(queries) + " with {@code count} blocks of " + WORDS.get(KEYS)
                        + " keys. Blocks begin {@code step} elements",
                "apart, the keys of a block {@code stride}. The scores of blocks are {@code toStep} elements apart, the scores of a",
                "block {@code toStride}.");
        List<String> parameters = join(
                List.of("float[] queries"),
                each(queries, n -> "int " + of("q", queries, n)),
                List.of("int width", "float[] keys", "int keysOffset", "int step", "int stride", "int count"),
                List.of("float[] scores"),
                each(queries, n -> "int " + of("to", queries, n)),
                List.of("int toStep", "int toStride", "float[] lanes"));
        method(1, "static void " + block(queries), parameters);
        line(2, "int whole = SPECIES.loopBound(width);");
        line(2, "for (int j = 0; j < count; j++) {");
        line(3, "int at = keysOffset + j * step;");
        for (int n = 0; n < queries; n++) {
            for (int k = 0; k < KEYS; k++) {
                line(3, "FloatVector " + sum(queries, n, k) + " = FloatVector.zero(SPECIES);");
            }
        }
        line(3, "for (int d = 0; d < whole; d += V) {");
        for (int n = 0; n < queries; n++) {
            line(
                    4,
                    "FloatVector " + of("x", queries, n) + " = FloatVector.fromArray(SPECIES, queries, "
                            + of("q", queries, n) + " + d);");
        }
        for (int k = 0; k < KEYS; k++) {
            line(
                    4,
                    "FloatVector k" + k + " = FloatVector.fromArray(SPECIES, keys, " + plus("at", times(k, "stride"))
                            + " + d);");
            for (int n = 0; n < queries; n++) {
                line(4, add(sum(queries, n, k), of("x", queries, n), "k" + k));
            }
        }
        line(3, "}");
        for (int n = 0; n < queries; n++) {
            for (int k = 0; k < KEYS; k++) {
                line(3, sum(queries, n, k) + ".intoArray(lanes, " + lane(n, k) + ");");
            }
        }
        for (int n = 0; n < queries; n++) {
            String to = of("to", queries, n) + " + j * toStep";
            line(3, "DotRow.sumFour(lanes, " + lane(n, 0) + ", scores, " + to + ", toStride);");
        }
        line(2, "}");
        line(2, "if (whole < width) {");
        for (int n = 0; n < queries; n++) {
            call(
                    3,
                    "DotRow.addRests",
                    List.of(
                            "queries",
                            of("q", queries, n),
                            "whole",
                            "width",
                            "keys",
                            "keysOffset",
                            "step",
                            "stride",
                            "count",
                            "scores",
                            of("to", queries, n),
                            "toStep",
                            "toStride"));
        }
        line(2, "}");
        line(1, "}");
    }

    /** {@return the index in {@code lanes} of the accumulator of a query and a key} */
    private static String lane(int query, int key) {
        int n = query * KEYS + key;
        return n == 0 ? "0" : times(n, "V");
    }

    /** {@return the accumulator of a query and of a key or a vector} */
    private static String sum(int queries, int query, int n) {
        return of("s", queries, query) + n;
    }

    /** Writes a block of weighted sums. */
    private void sums(Sums block) {
        int queries = block.queries;
        line(0, "");
        line(1, "@Override");
        List<String> parameters = join(
                List.of("float[] weights"),
                each(queries, n -> "int " + of("w", queries, n)),
                List.of("int count", "float[] rows", "int rowsOffset", "int step"),
                block.ofRuns ? List.of("int runStride") : List.of(),
                List.of("float[] sums"),
                each(queries, n -> "int " + of("to", queries, n)));
        method(1, "default void " + block.name(), parameters);
        for (int n = 0; n < queries; n++) {
            for (int v = 0; v < block.vectors; v++) {
                line(
                        2,
                        "FloatVector " + sum(queries, n, v) + " = FloatVector.fromArray(SPECIES, sums, "
                                + plus(of("to", queries, n), times(v, "V")) + ");");
            }
        }
        if (block.ofRuns) {
            line(2, "for (int j = 0; j < count; j++) {");
            line(3, "for (int run = 0; run < " + RUNS + "; run++) {");
            line(4, "int p = rowsOffset + j * step + run * runStride;");
            rows(4, block, " + j + run * count");
            line(3, "}");
        } else {
            line(2, "for (int j = 0, p = rowsOffset; j < count; j++, p += step) {");
            rows(3, block, " + j");
        }
        line(2, "}");
        for (int n = 0; n < queries; n++) {
            for (int v = 0; v < block.vectors; v++) {
                line(2, sum(queries, n, v) + ".intoArray(sums, " + plus(of("to", queries, n), times(v, "V")) + ");");
            }
        }
        line(1, "}");
    }

    private void rows(int indent, Sums block, String index) {
        int queries = block.queries;
        for (int n = 0; n < queries; n++) {
            line(
                    indent,
                    "FloatVector " + of("y", queries, n) + " = FloatVector.broadcast(SPECIES, weights["
                            + of("w", queries, n) + index + "]);");
        }
        for (int v = 0; v < block.vectors; v++) {
            line(
                    indent,
                    "FloatVector x" + v + " = FloatVector.fromArray(SPECIES, rows, " + plus("p", times(v, "V")) + ");");
            for (int n = 0; n < queries; n++) {
                line(indent, add(sum(queries, n, v), of("y", queries, n), "x" + v));
            }
        }
    }
}
