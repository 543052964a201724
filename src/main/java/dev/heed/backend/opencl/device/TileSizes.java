package dev.heed.backend.opencl.device;

import dev.heed.opencl.Device;
import dev.heed.settings.Settings;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tuning.TuningTable;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * The tile sizes of the portable kernels for GPUs.
 *
 * @param tx work-items of a work-group across the columns
 * @param ty work-items of a work-group down the rows
 * @param rm rows per work-item
 * @param rn columns per work-item
 * @param depth elements per row in a slice; slices of the rows are staged in local memory one after another
 */
public record TileSizes(int tx, int ty, int rm, int rn, int depth) {
    public static final int FEWEST = 4; // minimum of owned(); a smaller one would save registers but need more variants
    private static final int MOST = 8;
    private static final int LARGEST = 1024;

    private static final class Table {
        private static final TuningTable TILES = TuningTable.resource("opencl_tiles.tsv");
    }

    /** {@return the sizes in the shipped table for a device, a phase, and a headDim (product: columns of the result)} */
    public static TileSizes shipped(Device device, String phase, long width) {
        return of(Table.TILES.best(Map.of(
                "vendor",
                device.vendor(),
                "type",
                device.type().toString(),
                "phase",
                phase,
                "width",
                Long.toString(width))));
    }

    static TileSizes of(TuningTable.Numbers row) {
        return new TileSizes(row.get("tx"), row.get("ty"), row.get("rm"), row.get("rn"), row.get("depth"));
    }

    /**
     * {@return the sizes in a list}
     *
     * @param listed tx, ty, rm, rn and depth, in this order
     * @throws InvalidInputException if no kernel can be compiled for these sizes
     */
    public static TileSizes of(List<Integer> listed) {
        return require(listed, Settings.OPENCL_TILES.to("16,16,4,4,16"));
    }

    /** {@return the sizes in a list, like {@link #of(List)}, with a hint for the message of the exception} */
    public static TileSizes require(List<Integer> listed, String hint) {
        TileSizes sizes = new TileSizes(listed.get(0), listed.get(1), listed.get(2), listed.get(3), listed.get(4));
        if (!sizes.isPossible()) {
            throw new InvalidInputException(
                    "Tiles of these sizes are not possible",
                    "five numbers from 1 to " + LARGEST + ", the first times the second at most " + LARGEST
                            + ", and the last a divisor of the first times the fourth",
                    listed.toString(),
                    hint);
        }
        return sizes;
    }

    /** {@return whether kernels can be compiled} The sizes and the work-group are from 1 to 1024; depth divides the columns. */
    boolean isPossible() {
        List<Integer> sizes = List.of(tx, ty, rm, rn, depth);
        return Collections.min(sizes) >= 1
                && Collections.max(sizes) <= LARGEST
                && items() <= LARGEST
                && columns() % depth == 0;
    }

    /** {@return work-items per work-group} */
    public int items() {
        return tx * ty;
    }

    /** {@return rows of a tile} */
    public int rows() {
        return ty * rm;
    }

    /** {@return columns of a tile} */
    public int columns() {
        return tx * rn;
    }

    /**
     * {@return columns per work-item of a kernel's second product, for example weights times values}
     *
     * @param width columns of the second product
     */
    public int owned(long width) {
        return (long) FEWEST * tx < width ? MOST : FEWEST;
    }

    /** {@return sizes with half the work-items in both directions, for doubles} */
    TileSizes halved() {
        int across = Math.max(1, tx / 2);
        return new TileSizes(across, Math.max(1, ty / 2), rm, rn, Math.min(depth, across * rn));
    }

    public String options() {
        return " -DTX=" + tx + " -DTY=" + ty + " -DRM=" + rm + " -DRN=" + rn + " -DDEPTH=" + depth;
    }
}
