package dev.heed.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceTablesTest {
    private static final MeasuredTable TILES = MeasuredTable.OPENCL_TILES;

    @TempDir
    Path cache;

    private DeviceTables tables(String driver) {
        return new DeviceTables(cache, "Device", List.of(driver));
    }

    private static Optional<Integer> tx(DeviceTables tables, String phase, int width) {
        return tables.read(TILES)
                .flatMap(table -> table.find(Map.of("phase", phase, "width", String.valueOf(width))))
                .map(row -> row.get("tx"));
    }

    @Test
    void rowsAreKeptForOneDriver() throws IOException {
        tables("1").write(TILES, List.of("prefill\t<=64\t|\t8\t1\t1\t1\t1"));
        assertEquals(Optional.of(8), tx(tables("1"), "prefill", 64));
        assertEquals(Optional.empty(), tx(tables("1"), "prefill", 65));
        assertEquals(Optional.empty(), tx(tables("1"), "backward", 64));
        assertEquals(Optional.empty(), tx(tables("2"), "prefill", 64));
    }

    @Test
    void newRowsReplaceThoseOfTheSameKeysOnly() throws IOException {
        tables("1").write(TILES, List.of("prefill\t<=64\t|\t8\t1\t1\t1\t1", "backward\t<=64\t|\t4\t1\t1\t1\t1"));
        tables("1").write(TILES, List.of("prefill\t<=64\t|\t32\t1\t1\t1\t1"));
        assertEquals(Optional.of(32), tx(tables("1"), "prefill", 10));
        assertEquals(Optional.of(4), tx(tables("1"), "backward", 10));
    }

    @Test
    void aDamagedFileIsPassedOverAndReplaced() throws IOException {
        Path file = tables("1").write(TILES, List.of("prefill\t<=64\t|\t8\t1\t1\t1\t1"));
        Files.writeString(file, "nonsense");
        assertEquals(Optional.empty(), tx(tables("1"), "prefill", 64));
        tables("1").write(TILES, List.of("prefill\t<=64\t|\t16\t1\t1\t1\t1"));
        assertEquals(Optional.of(16), tx(tables("1"), "prefill", 64));
    }

    /** A file with other columns is ignored, and a write replaces it: its rows are not mixed with the new rows. */
    @Test
    void aFileOfAnotherVersionIsPassedOverAndReplaced() throws IOException {
        Path file = tables("1").write(TILES, List.of("prefill\t<=64\t|\t8\t1\t1\t1\t1"));
        Files.writeString(file, "phase\twidth\t|\ttx\nbackward\t<=64\t|\t8\n");
        assertEquals(Optional.empty(), tx(tables("1"), "backward", 64));
        tables("1").write(TILES, List.of("prefill\t<=64\t|\t16\t1\t1\t1\t1"));
        assertEquals(Optional.of(16), tx(tables("1"), "prefill", 64));
        assertEquals(Optional.empty(), tx(tables("1"), "backward", 64));
    }

    @Test
    void withoutACacheNothingIsKept() {
        var none = new DeviceTables(null, "Device", List.of());
        assertTrue(none.read(TILES).isEmpty());
        assertThrows(IOException.class, () -> none.write(TILES, List.of()));
    }
}
