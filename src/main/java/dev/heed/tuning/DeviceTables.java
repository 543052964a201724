package dev.heed.tuning;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The tables measured on a device of this machine, stored in the cache folder in the format of {@link TuningTable}. They
 * are valid for one device with one driver; another driver has no tables until they are measured with it.
 */
public final class DeviceTables {
    private static final System.Logger LOG = System.getLogger("dev.heed.tuning");
    private static final Set<Path> WARNED = ConcurrentHashMap.newKeySet();
    private static final int DIGITS = 16;

    private final @Nullable Path folder;
    private final String device;
    private final String key;

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
        this.key = hash(device + "\0" + String.join("\0", driver));
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
        return folder == null ? Optional.empty() : Optional.of(folder.resolve(table.file + "-" + key + ".tsv"));
    }

    /**
     * {@return a table; empty if nothing was measured} A file that cannot be read, or that another version of Heed wrote
     * with other columns, is ignored, with one warning per file and process.
     */
    public Optional<TuningTable> read(MeasuredTable table) {
        Path file = file(table).orElse(null);
        if (file == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(TuningTable.parse(file.toString(), Files.readString(file), table.columns));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            if (WARNED.add(file)) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "{0} is ignored, and the defaults of the jar are used: {1}. Delete it, or measure again.",
                        file,
                        e.getMessage());
            }
            return Optional.empty();
        }
    }

    /**
     * Writes rows to the file of a table and returns its path. Existing rows stay unless a new row has the same keys. The
     * file is replaced atomically, so another process reads either the old file or the new one.
     *
     * @param rows tab-separated rows, with a value for each column of the table
     */
    public Path write(MeasuredTable table, List<String> rows) throws IOException {
        Path file = file(table).orElseThrow(() -> new IOException("there is no cache folder (heed.cache=none)"));
        List<String> lines = new ArrayList<>(List.of("# " + device, table.columns));
        lines.addAll(rows);
        if (read(table).isPresent()) {
            Files.readAllLines(file).stream()
                    .filter(line -> !line.isBlank() && !line.startsWith("#") && !line.equals(table.columns))
                    .filter(line -> rows.stream().noneMatch(row -> keys(row).equals(keys(line))))
                    .forEach(lines::add);
        }
        Files.createDirectories(file.getParent());
        Path aside = Files.createTempFile(file.getParent(), table.file, ".new");
        Files.write(aside, lines);
        return Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static String keys(String row) {
        return row.substring(0, Math.max(0, row.indexOf('|')));
    }
}
