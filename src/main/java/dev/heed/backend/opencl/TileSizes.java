package dev.heed.backend.opencl;

import dev.heed.opencl.Device;
import dev.heed.tuning.TuningTable;
import java.util.Map;

/**
 * The sizes of the tiles of a GPU's kernels.
 *
 * @param tx work-items of a group across
 * @param ty work-items of a group down
 * @param rm rows of a work-item
 * @param rn columns of a work-item
 * @param depth elements of a slice
 */
record TileSizes(int tx, int ty, int rm, int rn, int depth) {
    /** Fits 32 KiB of local memory in f32. */
    static final TileSizes DEFAULT = new TileSizes(16, 16, 4, 4, 16);

    static final int FEWEST = 4; // fewer would spare registers and cost compiled variants
    private static final int MOST = 8;

    /** {@return what the table of tiles has for a device, a phase and a width} */
    static TileSizes tuned(Device device, String phase, long width) {
        TuningTable.Numbers row = Table.TILES.best(Map.of(
                "vendor",
                device.vendor(),
                "type",
                device.type().toString(),
                "phase",
                phase,
                "width",
                Long.toString(width)));
        return new TileSizes(row.get("tx"), row.get("ty"), row.get("rm"), row.get("rn"), row.get("depth"));
    }

    private static final class Table {
        private static final TuningTable TILES = TuningTable.resource("opencl_tiles.tsv");
    }

    int items() {
        return tx * ty;
    }

    int rows() {
        return ty * rm;
    }

    int columns() {
        return tx * rn;
    }

    /** {@return columns of the second product that an item owns, for a width} */
    int owned(long width) {
        return (long) FEWEST * tx < width ? MOST : FEWEST;
    }

    /** {@return half the tile in both directions, for elements of twice the size} */
    TileSizes halved() {
        return new TileSizes(Math.max(1, tx / 2), Math.max(1, ty / 2), rm, rn, depth);
    }

    String options() {
        return " -DTX=" + tx + " -DTY=" + ty + " -DRM=" + rm + " -DRN=" + rn + " -DDEPTH=" + depth;
    }
}
