package dev.heed.backend.vector.kernels;

import dev.heed.machine.Machine;
import dev.heed.settings.Settings;
import dev.heed.tuning.DeviceTables;
import dev.heed.tuning.MeasuredTable;
import dev.heed.tuning.TuningTable;
import dev.heed.tuning.VectorSize;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Sizes that replace the tables of the jar for the vector loops of this process: sizes in {@code heed.vector.tiles}, and sizes that
 * {@code heed tune --backend vector} stored for this processor, this vector width and this version of Java. Files that cannot be used
 * are ignored. The plain loops have no such sizes.
 */
public final class MeasuredTiles {
    private static final List<MeasuredTable> TABLES =
            List.of(MeasuredTable.VECTOR_PREFILL, MeasuredTable.VECTOR_GEMM, MeasuredTable.VECTOR_BLOCK);
    private static final Map<VectorSize, Integer> ASKED = Lanes.SCALAR ? Map.of() : Settings.VECTOR_TILES.or(Map.of());
    private static final Map<MeasuredTable, TuningTable> MEASURED = measured();

    private MeasuredTiles() {}

    private static Map<MeasuredTable, TuningTable> measured() {
        Map<MeasuredTable, TuningTable> measured = new EnumMap<>(MeasuredTable.class);
        if (!Lanes.SCALAR) {
            DeviceTables tables = tables();
            TABLES.forEach(table -> tables.read(table).ifPresent(read -> measured.put(table, read)));
        }
        return measured;
    }

    /**
     * {@return the stored tables of the vector loops of this process} Without a cache folder nothing is stored, and also if the operating
     * system does not name the processor, because another computer may use the same folder.
     */
    public static DeviceTables tables() {
        Optional<String> processor = Machine.processor();
        return new DeviceTables(
                processor.flatMap(model -> Settings.cacheFolder()).orElse(null),
                processor.orElse("an unknown processor"),
                List.of(
                        Lanes.BACKEND,
                        Lanes.V * Float.SIZE + " bits",
                        Machine.vectorRegisters() + " registers",
                        "Java " + Runtime.version().feature()));
    }

    /** {@return the files whose sizes this process uses} */
    public static List<Path> files() {
        return TABLES.stream()
                .filter(MEASURED::containsKey)
                .flatMap(table -> tables().file(table).stream())
                .toList();
    }

    /** {@return a size that replaces the one of the jar's tables; empty if there is none} */
    static OptionalInt find(VectorSize size, Map<String, String> keys) {
        return Stream.concat(
                        Stream.ofNullable(ASKED.get(size)),
                        Stream.ofNullable(MEASURED.get(size.table()))
                                .flatMap(table -> table.find(keys).stream())
                                .map(row -> row.get(size.column())))
                .mapToInt(Integer::intValue)
                .findFirst();
    }
}
