package dev.heed.backend.opencl.device;

import dev.heed.AttentionProblem;
import dev.heed.Problem;
import dev.heed.opencl.Device;
import dev.heed.settings.Settings;
import dev.heed.tuning.DeviceTables;
import dev.heed.tuning.MeasuredTable;
import dev.heed.tuning.TuningTable;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Values measured for a device on this machine: tile sizes ({@code heed tune}), and the crossover in Mflop from which the device
 * is faster than the CPU, including copies ({@code heed devices --probe}). Tile sizes without a usable measurement come from the
 * table in the jar.
 */
public final class Tuned {
    private static final double MEGA = 1e6;
    private static final long FEW_QUERIES = 12; // maximum queries of a decode, as on the CPU

    private static final List<String> PHASES = List.of("prefill", "weights", "backward", "product");
    private static final long[] WIDTHS = {32, 64, 128, 256, 512};

    private final Device device;
    private final Optional<TuningTable> tiles;
    private final Optional<TuningTable> crossover;
    private final long largestGroup;

    private Tuned(Device device, DeviceTables tables) {
        this.device = device;
        this.tiles = tables.read(MeasuredTable.OPENCL_TILES);
        this.crossover = tables.read(MeasuredTable.OPENCL_CROSSOVER);
        this.largestGroup = PHASES.stream()
                .flatMapToLong(phase ->
                        LongStream.of(WIDTHS).map(width -> tiles(phase, width).items()))
                .max()
                .orElseThrow();
    }

    public static Tuned of(Device device) {
        return new Tuned(
                device, new DeviceTables(Settings.cacheFolder().orElse(null), device.name(), device.identity()));
    }

    public TileSizes tiles(String phase, long width) {
        return tiles.flatMap(table -> table.find(Map.of("phase", phase, "width", Long.toString(width))))
                .map(TileSizes::of)
                .filter(sizes ->
                        sizes.isPossible() && sizes.items() <= device.limits().maxWorkGroupSize())
                .orElseGet(() -> TileSizes.shipped(device, phase, width));
    }

    /** {@return work-items of the largest work-group of any phase} */
    public long largestGroup() {
        return largestGroup;
    }

    /** {@return the reason to skip this backend if the CPU was measured to be faster, else an empty list} */
    public List<String> passOverReasons(Problem problem) {
        if (!(problem instanceof AttentionProblem attention)) {
            return List.of();
        }
        String kind = attention.shape().seqLenQ() <= FEW_QUERIES ? "decode" : "prefill";
        double megaflops = problem.flops() / MEGA;
        return crossover
                .flatMap(table -> table.find(Map.of("kind", kind)))
                .map(row -> row.get("megaflops"))
                .filter(from -> megaflops < from)
                .map(from -> List.of(String.format(
                        Locale.ROOT,
                        "%s of %.0f Mflop, and the CPU was measured to be faster %s",
                        kind,
                        megaflops,
                        from == Integer.MAX_VALUE ? "at any size" : "below " + from + " Mflop")))
                .orElse(List.of());
    }
}
