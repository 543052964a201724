package dev.heed.tuning;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A table of tuning parameters, from {@code src/main/resources/tuning} or from the cache folder. Columns are separated by
 * tabs, and a line that begins with {@code #} is a comment. The first other line names the columns; the columns before
 * {@code |} are keys, the columns after it are integers.
 *
 * <p>A key matches every requested value that contains it, ignoring case. A key {@code <=64} matches numbers up to 64, and
 * {@code *} matches anything. The matching row with the fewest {@code *} is chosen; among equals, the first one. The last row
 * of a table from {@code resources/tuning} matches everything.
 */
public final class TuningTable {
    private static final String ANY = "*";
    static final String AT_MOST = "<=";
    private static final String BORDER = "|";

    /** The integers of one row, by column name. */
    public record Numbers(Map<String, Integer> byColumn) {
        /** {@return the number in a column} */
        public int get(String column) {
            Integer number = byColumn.get(column);
            if (number == null) {
                throw new IllegalArgumentException("no column " + column + " among " + byColumn.keySet());
            }
            return number;
        }
    }

    private record Row(List<String> keys, Map<String, Integer> numbers) {
        long specific() {
            return keys.stream().filter(key -> !key.equals(ANY)).count();
        }
    }

    private final String name;
    private final List<String> columns;
    private final List<Row> rows;

    private TuningTable(String name, List<String> columns, List<Row> rows) {
        this.name = name;
        this.columns = columns;
        this.rows = rows;
    }

    /** {@return the integers of all rows} */
    List<Numbers> rows() {
        return rows.stream().map(row -> new Numbers(row.numbers())).toList();
    }

    /** {@return the table {@code tuning/NAME} of the jar} */
    public static TuningTable resource(String name) {
        try (InputStream in = TuningTable.class.getResourceAsStream("/tuning/" + name)) {
            if (in == null) {
                throw new IllegalArgumentException("the jar has no tuning/" + name);
            }
            return parse(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("tuning/" + name + " cannot be read", e);
        }
    }

    /** Parses a table like {@link #parse(String, String)}, and checks that its header line is {@code columns}. */
    static TuningTable parse(String name, String text, String columns) {
        String found = text.lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .findFirst()
                .orElse("");
        if (!found.equals(columns)) {
            throw new IllegalArgumentException("expected the columns " + words(columns) + ", got " + words(found));
        }
        return parse(name, text);
    }

    private static String words(String columns) {
        return columns.replace('\t', ' ');
    }

    static TuningTable parse(String name, String text) {
        List<String[]> lines = text.lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .map(line -> line.split("\t", -1))
                .toList();
        if (lines.size() < 2) {
            throw new IllegalArgumentException(name + ": expected a line of columns and rows, got " + lines.size());
        }
        List<String> header = Arrays.asList(lines.getFirst());
        int keys = header.indexOf(BORDER);
        List<Row> rows = new ArrayList<>();
        for (String[] line : lines.subList(1, lines.size())) {
            if (keys < 0 || line.length != header.size()) {
                throw new IllegalArgumentException(
                        name + ": expected " + header.size() + " columns, got " + Arrays.toString(line));
            }
            Map<String, Integer> numbers = new LinkedHashMap<>();
            for (int n = keys + 1; n < line.length; n++) {
                numbers.put(header.get(n), Integer.valueOf(line[n]));
            }
            List<String> own = List.copyOf(Arrays.asList(line).subList(0, keys));
            own.stream()
                    .filter(key -> key.startsWith(AT_MOST))
                    .forEach(TuningTable::bound); // an invalid bound fails here, not in a later call
            rows.add(new Row(own, Map.copyOf(numbers)));
        }
        return new TuningTable(name, List.copyOf(header.subList(0, Math.max(0, keys))), rows);
    }

    /**
     * {@return the integers of the matching row with the fewest {@code *}}
     *
     * @param keys the requested values, one for each key column
     */
    public Numbers best(Map<String, String> keys) {
        return find(keys)
                .orElseThrow(() -> new IllegalArgumentException(
                        name + ": no row for " + keys + ", the last one should match everything"));
    }

    /** {@return the integers of the matching row with the fewest {@code *}; empty if no row matches} */
    public Optional<Numbers> find(Map<String, String> keys) {
        Row best = null;
        for (Row row : rows) {
            if (matches(row, keys) && (best == null || row.specific() > best.specific())) {
                best = row;
            }
        }
        return best == null ? Optional.empty() : Optional.of(new Numbers(best.numbers()));
    }

    private boolean matches(Row row, Map<String, String> asked) {
        for (int n = 0; n < columns.size(); n++) {
            String key = row.keys().get(n);
            String value = asked.getOrDefault(columns.get(n), "");
            if (!key.equals(ANY) && !matches(key, value)) {
                return false;
            }
        }
        return true;
    }

    private static boolean matches(String key, String value) {
        return key.startsWith(AT_MOST)
                ? Long.parseLong(value) <= bound(key)
                : value.toLowerCase(Locale.ROOT).contains(key.toLowerCase(Locale.ROOT));
    }

    static long bound(String key) {
        return Long.parseLong(key.substring(AT_MOST.length()));
    }
}
