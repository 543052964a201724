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
    private static final String COLUMNS = "phase\twidth\t|\ttx";

    @TempDir
    Path cache;

    private DeviceTables tables(String driver) {
        return new DeviceTables(cache, "Device", List.of(driver));
    }

    private static Optional<Integer> tx(DeviceTables tables, String phase, int width) {
        return tables.read("tiles")
                .flatMap(table -> table.find(Map.of("phase", phase, "width", String.valueOf(width))))
                .map(row -> row.get("tx"));
    }

    @Test
    void rowsAreKeptForOneDriver() throws IOException {
        tables("1").write("tiles", COLUMNS, List.of("prefill\t<=64\t|\t8"));
        assertEquals(Optional.of(8), tx(tables("1"), "prefill", 64));
        assertEquals(Optional.empty(), tx(tables("1"), "prefill", 65));
        assertEquals(Optional.empty(), tx(tables("1"), "backward", 64));
        assertEquals(Optional.empty(), tx(tables("2"), "prefill", 64));
    }

    @Test
    void newRowsReplaceThoseOfTheSameKeysOnly() throws IOException {
        tables("1").write("tiles", COLUMNS, List.of("prefill\t<=64\t|\t8", "backward\t<=64\t|\t4"));
        tables("1").write("tiles", COLUMNS, List.of("prefill\t<=64\t|\t32"));
        assertEquals(Optional.of(32), tx(tables("1"), "prefill", 10));
        assertEquals(Optional.of(4), tx(tables("1"), "backward", 10));
    }

    @Test
    void aDamagedFileIsPassedOverAndReplaced() throws IOException {
        Path file = tables("1").write("tiles", COLUMNS, List.of("prefill\t<=64\t|\t8"));
        Files.writeString(file, "nonsense");
        assertEquals(Optional.empty(), tx(tables("1"), "prefill", 64));
        tables("1").write("tiles", COLUMNS, List.of("prefill\t<=64\t|\t16"));
        assertEquals(Optional.of(16), tx(tables("1"), "prefill", 64));
    }

    @Test
    void withoutACacheNothingIsKept() {
        var none = new DeviceTables(null, "Device", List.of());
        assertTrue(none.read("tiles").isEmpty());
        assertThrows(IOException.class, () -> none.write("tiles", COLUMNS, List.of()));
    }
}
