package dev.heed.backend.opencl.device;

import dev.heed.opencl.Device;
import dev.heed.tuning.TuningTable;
import java.util.Map;
import java.util.Optional;

/**
 * The tile sizes of attention and of matrix products on matrix units. The parameters are described for prefill; the header of
 * {@code opencl_mma.tsv} describes them for the other phases.
 *
 * @param d elements per query or key in a tile; those beyond headDim are zeros
 * @param dv elements per value in a work-group; if valueHeadDim is larger, several work-groups compute an output row
 * @param warps warps per work-group
 * @param blocks blocks of 16 queries per warp
 * @param keys keys per tile
 * @param stages 2 for two alternating tiles of keys and of values, 1 for one of each
 */
public record MatrixTiles(int d, int dv, int warps, int blocks, int keys, int stages) {
    private static final int WARP = 32;
    private static final int BLOCK = 16;
    private static final int SLICE = 32;

    private static final class Table {
        private static final TuningTable TILES = TuningTable.resource("opencl_mma.tsv");
    }

    /** {@return the tiles of the shipped table for a phase, headDim and valueHeadDim (product: rows, columns of the result)} */
    public static Optional<MatrixTiles> shipped(Device device, String phase, long width, long valueWidth) {
        return Table.TILES
                .find(Map.of(
                        "vendor",
                        device.vendor(),
                        "phase",
                        phase,
                        "width",
                        Long.toString(width),
                        "values",
                        Long.toString(valueWidth)))
                .map(row -> new MatrixTiles(
                        row.get("d"),
                        row.get("dv"),
                        row.get("warps"),
                        row.get("blocks"),
                        row.get("keys"),
                        row.get("stages")));
    }

    /** {@return small tiles for tests, so that short sequences need several tiles} */
    MatrixTiles small(String phase) {
        if (phase.equals("decode")) {
            return new MatrixTiles(d, dv, 2, 1, 2 * BLOCK, stages);
        }
        if (phase.equals("product")) {
            return new MatrixTiles(SLICE, SLICE, 4, 1, BLOCK, stages);
        }
        int smallD = d <= 2 * SLICE ? SLICE : d;
        return new MatrixTiles(smallD, dv <= 2 * SLICE ? SLICE : dv, 2, 1, BLOCK, stages);
    }

    /** {@return whether a tile can hold queries and keys of {@code width} elements} */
    boolean hold(long width) {
        return width <= d;
    }

    /** {@return work-items per work-group} */
    public int items() {
        return warps * WARP;
    }

    /** {@return queries per work-group of a prefill} */
    public int rows() {
        return warps * blocks * BLOCK;
    }

    /** {@return rows per work-group of a product, which has {@code dv} columns per work-group and {@code keys} per warp} */
    public int productRows() {
        return rows() * keys / dv;
    }

    /** {@return compiler options of prefill and decode} */
    public String options() {
        return options("D", "DV", "ROW_BLOCKS", "KEYS");
    }

    /** {@return compiler options of a backward pass} */
    public String backwardOptions() {
        return options("D", "DV", "COLUMN_BLOCKS", "TILE_ROWS");
    }

    /** {@return compiler options of a product} */
    public String productOptions() {
        return options("DEPTH", "GROUP_COLUMNS", "ROW_BLOCKS", "WARP_COLUMNS");
    }

    private String options(String ofD, String ofDv, String ofBlocks, String ofKeys) {
        return " -D" + ofD + "=" + d + " -D" + ofDv + "=" + dv + " -DWARPS=" + warps + " -D" + ofBlocks + "=" + blocks
                + " -D" + ofKeys + "=" + keys + " -DSTAGES=" + stages;
    }

    /** {@return rows that a work-group of a backward pass owns: one block of 16 rows per warp} */
    public int ownRows() {
        return warps * BLOCK;
    }

    /** {@return the smallest tiles of a backward pass for a headDim and a valueHeadDim, for tests} */
    public MatrixTiles narrowest(long width, long valueWidth) {
        return new MatrixTiles(slices(width), slices(valueWidth), 2, 2, BLOCK, stages);
    }

    private static int slices(long width) {
        return Math.toIntExact(Math.max(1, Math.ceilDiv(width, (long) SLICE)) * SLICE);
    }
}
