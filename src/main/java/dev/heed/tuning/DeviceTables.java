package dev.heed.tuning;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The tables measured on a device or a processor, stored in the cache folder in the format of {@link TuningTable}. They are valid
 * for one device with one driver, or for one processor with one kind of loops; any other has no tables until they are measured
 * with it.
 */
public final class DeviceTables {
    private static final Set<Path> WARNED = ConcurrentHashMap.newKeySet();
    private static final int DIGITS = 16;

    private final @Nullable Path folder;
    private final String device;
    private final String identity;

    /**
     * Creates the tables of a device.
     *
     * @param cache the cache folder, or null for none: then there are no tables and {@link #write} throws
     * @param device the device's name, written as a comment for people who read the file
     * @param driver texts that identify the driver, for example its name and version
     */
    public DeviceTables(@Nullable Path cache, String device, List<String> driver) {
        this.folder = cache == null ? null : cache.resolve("tuning");
        this.device = device.replaceAll("\\s+", " ");
        this.identity = device + "\0" + String.join("\0", driver);
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** {@return the path of a table's file, whether or not it exists; empty if there is no cache folder} */
    public Optional<Path> file(MeasuredTable table) {
        return folder == null
                ? Optional.empty()
                : Optional.of(folder.resolve(table.file + "-" + hash(identity) + ".tsv"));
    }

    /**
     * {@return a table; empty if nothing was measured} A file that cannot be read, that has other columns because another
     * version of Heed wrote it, or that has impossible sizes is ignored, with one warning per file and process.
     */
    public Optional<TuningTable> read(MeasuredTable table) {
        if (folder == null || !Files.isDirectory(folder)) {
            return Optional.empty(); // without the 30 ms that a first hash takes
        }
        Path file = file(table).orElseThrow();
        try {
            TuningTable read = TuningTable.parse(file.toString(), Files.readString(file), table.columns);
            read.rows().forEach(row -> VectorSize.check(table, row));
            return Optional.of(read);
        } catch (IOException | IllegalArgumentException e) {
            // Whether there is a file in a folder that may not be read is unknown; then nothing is reported.
            if (Files.exists(file) && WARNED.add(file)) {
                System.getLogger("dev.heed.tuning")
                        .log(
                                System.Logger.Level.WARNING,
                                "{0} is ignored, and the defaults of the jar are used: {1}. Delete it, or measure again.",
                                file,
                                e instanceof IOException ? "it cannot be read, " + e : e.getMessage());
            }
            return Optional.empty();
        }
    }

    /**
     * Writes rows to the file of a table and returns its path. Existing rows stay unless a new row has the same keys. Smaller
     * bounds come first, because the first matching row is chosen. The file is replaced atomically, so another process reads either
     * the old file or the new one.
     *
     * @param rows tab-separated rows, with a value for each column of the table
     */
    public Path write(MeasuredTable table, List<String> rows) throws IOException {
        Path file = file(table).orElseThrow(() -> new IOException("there is no cache folder (heed.cache=none)"));
        List<String> lines = new ArrayList<>(rows);
        if (read(table).isPresent()) {
            Files.readAllLines(file).stream()
                    .filter(line -> !line.isBlank() && !line.startsWith("#") && !line.equals(table.columns))
                    .filter(line -> rows.stream().noneMatch(row -> keys(row).equals(keys(line))))
                    .forEach(lines::add);
        }
        lines.sort(Comparator.comparingLong(DeviceTables::bound));
        lines.addAll(0, List.of("# " + device, table.columns));
        Files.createDirectories(file.getParent());
        Path aside = Files.createTempFile(file.getParent(), table.file, ".new");
        Files.write(aside, lines);
        return Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** {@return the number of the first key {@code <=NUMBER} of a row; the largest number if it has none} */
    private static long bound(String row) {
        return Arrays.stream(keys(row).split("\t"))
                .filter(key -> key.startsWith(TuningTable.AT_MOST))
                .mapToLong(TuningTable::bound)
                .findFirst()
                .orElse(Long.MAX_VALUE);
    }

    private static String keys(String row) {
        return row.substring(0, Math.max(0, row.indexOf('|')));
    }
}
