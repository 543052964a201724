package dev.heed.cli.bench;

import dev.heed.verify.Case;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The attention cases whose kernels are timed, read from {@value #FILE}. A bundle contains this file, and {@code
 * torch_sdpa.py} reads it too.
 */
final class KernelGrid {
    static final String FILE = "/bundle/grid.tsv";

    private static final int COLUMNS = 10;

    private KernelGrid() {}

    /**
     * One attention case.
     *
     * @param group the kind of workload
     * @param text the case string, which identifies the row in the reports of several programs
     */
    record Row(String group, String text) {
        Case parsed() {
            return Case.parse(text);
        }
    }

    /** {@return the rows in the order of the file, with lengths divided by {@code scale}, but at least 1} */
    static List<Row> rows(int scale) {
        List<Row> rows = new ArrayList<>();
        for (String line : text().lines().toList()) {
            String[] words = line.split("\t");
            if (line.startsWith("#") || words[0].equals("group")) {
                continue;
            }
            if (words.length != COLUMNS) {
                throw new IllegalStateException(FILE + ": expected " + COLUMNS + " columns, got \"" + line + "\"");
            }
            String queries = scaled(words[4], scale);
            String sizes = "q" + words[1] + "x" + words[2] + "x" + queries + "x" + words[6] + " kv" + words[3] + "x"
                    + scaled(words[5], scale);
            for (String type : words[8].split(",")) {
                for (String mode : words[9].split(",")) {
                    rows.add(new Row(
                            words[0],
                            sizes + " " + type.replaceAll("\\+.*", "")
                                    + (words[7].equals("1") ? " mask=causal:br" : "")
                                    + (type.endsWith("+tf32") ? " tf32" : "")
                                    + (mode.equals("backward") ? " backward" : "")));
                }
            }
        }
        return rows;
    }

    private static String scaled(String length, int scale) {
        return String.valueOf(Math.max(1, Integer.parseInt(length) / scale));
    }

    private static String text() {
        try (InputStream in = KernelGrid.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new IllegalStateException("the jar has no " + FILE);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(FILE + " cannot be read", e);
        }
    }
}
