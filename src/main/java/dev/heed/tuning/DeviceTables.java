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
 * What was measured on a device of this machine: tables in the cache folder, in the form of {@link TuningTable}, for one
 * device with one driver. Another driver begins anew.
 */
public final class DeviceTables {
    private static final System.Logger LOG = System.getLogger("dev.heed.tuning");
    private static final Set<Path> SAID = ConcurrentHashMap.newKeySet();
    private static final int DIGITS = 16;

    private final @Nullable Path folder;
    private final String device;
    private final String key;

    /**
     * The tables of a device; none where there is no cache.
     *
     * @param cache the cache folder, or null
     * @param device its name, for readers of the file
     * @param driver all that tells it from others
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

    /** {@return where a table lies or would lie} */
    public Optional<Path> file(MeasuredTable table) {
        return folder == null ? Optional.empty() : Optional.of(folder.resolve(table.file + "-" + key + ".tsv"));
    }

    /**
     * {@return a table, or nothing where nothing was measured} A file that cannot be read, or that another version of Heed wrote
     * with other columns, is passed over with one warning in the life of the process.
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
            if (SAID.add(file)) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "{0} is passed over, what the jar knows serves instead: {1}. Delete it, or measure again.",
                        file,
                        e.getMessage());
            }
            return Optional.empty();
        }
    }

    /**
     * Writes rows; those that were there stay unless their keys are the same. Another process sees the old file or the new.
     *
     * @param rows tab-separated, keys and numbers as the columns say
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
