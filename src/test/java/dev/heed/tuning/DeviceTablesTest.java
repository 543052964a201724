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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    /** The first matching row is chosen, so a row for small widths must come before a row for larger ones. */
    @Test
    void smallerBoundsComeFirst() throws IOException {
        tables("1").write(TILES, List.of("prefill\t<=64\t|\t8\t1\t1\t1\t1"));
        tables("1").write(TILES, List.of("prefill\t<=128\t|\t32\t1\t1\t1\t1"));
        assertEquals(Optional.of(8), tx(tables("1"), "prefill", 64));
        assertEquals(Optional.of(32), tx(tables("1"), "prefill", 65));
    }

    /** Files of the vector backend's tables that must be ignored: other columns, other rows, impossible numbers, text. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "|\tdepth\trows\n|\t384\t96\n",
                "|\tdepth\trows\tfewestRows\ttileKeys\n|\t384\t96\t24\t64\n",
                "width\t|\tdepth\trows\tfewestRows\n<=64\t|\t384\t96\t24\n",
                "|\tdepth\trows\tfewestRows\n|\t384\t96\n",
                "|\tdepth\trows\tfewestRows\n|\t383\t96\t24\n",
                "|\tdepth\trows\tfewestRows\n|\t384\t0\t24\n",
                "|\tdepth\trows\tfewestRows\n|\t384\t96\t-1\n",
                "|\tdepth\trows\tfewestRows\n|\t384\t96\tmany\n",
                "|\tdepth\trows\tfewestRows\n|\t384\t96\t99999999999\n",
                "|\tdepth\trows\tfewestRows\n",
                "nonsense",
                ""
            })
    void aTableThatCannotBeUsedIsIgnored(String text) throws IOException {
        MeasuredTable gemm = MeasuredTable.VECTOR_GEMM;
        Path file = tables("1").write(gemm, List.of("|\t384\t96\t24"));
        assertTrue(tables("1").read(gemm).isPresent());
        Files.writeString(file, text);
        assertTrue(tables("1").read(gemm).isEmpty());
    }

    @Test
    void aFileThatCannotBeReadIsIgnored() throws IOException {
        MeasuredTable gemm = MeasuredTable.VECTOR_GEMM;
        Path file = tables("1").file(gemm).orElseThrow();
        Files.createDirectories(file);
        assertTrue(tables("1").read(gemm).isEmpty());
        Files.delete(file);
        Files.write(file, new byte[] {(byte) 0xFF, (byte) 0xC0});
        assertTrue(tables("1").read(gemm).isEmpty());
    }

    @Test
    void withoutACacheNothingIsKept() {
        var none = new DeviceTables(null, "Device", List.of());
        assertTrue(none.read(TILES).isEmpty());
        assertThrows(IOException.class, () -> none.write(TILES, List.of()));
    }
}
