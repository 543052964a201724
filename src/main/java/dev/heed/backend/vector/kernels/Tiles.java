package dev.heed.backend.vector.kernels;

import dev.heed.machine.Machine;
import dev.heed.tensor.DType;
import dev.heed.tuning.TuningTable;
import dev.heed.tuning.VectorSize;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The sizes of tiles and tasks for the loops of this process: from the tables {@code tuning/vector_*.tsv}, except for sizes without
 * influence on any result that {@link MeasuredTiles} has.
 */
public final class Tiles {
    private static final TuningTable PREFILL = TuningTable.resource("vector_prefill.tsv");
    private static final TuningTable DECODE = TuningTable.resource("vector_decode.tsv");
    private static final TuningTable NATIVE = TuningTable.resource("vector_native.tsv");
    private static final TuningTable BLOCK = TuningTable.resource("vector_block.tsv");
    private static final TuningTable GEMM = TuningTable.resource("vector_gemm.tsv");

    private static final Map<Long, Prefill> PREFILLS = new ConcurrentHashMap<>();
    private static final Map<Long, Prefill> NATIVE_PREFILLS = new ConcurrentHashMap<>();
    private static final Map<DType, Native> NATIVES = new ConcurrentHashMap<>();
    private static final Map<Long, Decode> DECODES = new ConcurrentHashMap<>();

    /** Vectors per row in the blocks of {@link MicroKernel}: 2 or 4. */
    static final int BLOCK_VECTORS = block(VectorSize.VECTORS);

    /** Whether {@link MicroKernel} multiplies a transposed A in blocks of 12 rows and two vectors. */
    static final boolean BLOCK_TALL = block(VectorSize.TALL) != 0;

    /** Maximum depth per block of a matrix product. */
    public static final int GEMM_DEPTH = gemm(VectorSize.DEPTH);

    /** Maximum rows per task of a matrix product. */
    public static final int GEMM_ROWS = gemm(VectorSize.ROWS);

    /**
     * Minimum rows per task of a matrix product. Tasks have fewer than {@link #GEMM_ROWS} rows if more tasks keep more
     * threads busy.
     */
    public static final int GEMM_FEWEST_ROWS = Math.min(GEMM_ROWS, gemm(VectorSize.FEWEST_ROWS));

    private Tiles() {}

    /**
     * Sizes of prefill for one headDim.
     *
     * @param panels maximum panels per task: a tile of keys and values is fetched once for all of them
     * @param tileKeys keys per tile if no key of the tile is masked for any query of the panel, else {@link Lanes#TILE}; must
     *     be a multiple of {@link Lanes#TILE}
     * @param depth maximum elements of a row per product; for a longer row, several products are added
     */
    public record Prefill(int panels, int tileKeys, int depth) {
        public Prefill {
            if (panels < 1 || tileKeys < 1 || tileKeys % Lanes.TILE != 0 || depth < 1) {
                throw new IllegalArgumentException("vector_prefill.tsv: " + panels + " panels, tiles of " + tileKeys
                        + " keys, depth " + depth + ", expected tiles in multiples of " + Lanes.TILE);
            }
        }
    }

    /**
     * Sizes of decode for one headDim.
     *
     * @param queries maximum queries; with more, prefill is faster
     * @param split keys per split
     * @param fewRows maximum query rows for which values are added row by row; with more, the micro-kernel, which shares
     *     each value among six rows, is faster
     */
    public record Decode(int queries, int split, int fewRows) {}

    /** Whether native kernels, if available, compute prefill, decode and linear layers for a storage type. */
    public record Native(boolean prefill, boolean decode, boolean linear) {}

    public static Native nativeKernels(DType type) {
        return NATIVES.computeIfAbsent(type, t -> {
            TuningTable.Numbers row = NATIVE.best(
                    Map.of("loops", Lanes.BACKEND, "bits", String.valueOf(Lanes.V * Float.SIZE), "type", t.label()));
            return new Native(row.get("prefill") != 0, row.get("decode") != 0, row.get("linear") != 0);
        });
    }

    /**
     * {@return the sizes of prefill for one headDim}
     *
     * @param nativeProducts whether native kernels compute the products
     */
    public static Prefill prefill(long width, boolean nativeProducts) {
        return (nativeProducts ? NATIVE_PREFILLS : PREFILLS).computeIfAbsent(width, w -> {
            Map<String, String> asked = new HashMap<>(asked(w));
            asked.put("products", nativeProducts ? "native" : "java");
            TuningTable.Numbers row = PREFILL.best(asked);
            int panels = MeasuredTiles.find(VectorSize.PANELS, asked(w)).orElseGet(() -> row.get("panels"));
            return new Prefill(panels, row.get("tileKeys"), row.get("depth"));
        });
    }

    public static Decode decode(long width) {
        return DECODES.computeIfAbsent(width, w -> {
            TuningTable.Numbers row = DECODE.best(asked(w));
            return new Decode(row.get("queries"), row.get("split"), row.get("fewRows"));
        });
    }

    /** {@return the current number of a size; {@code width} is the headDim for sizes of prefill} */
    public static int current(VectorSize size, long width) {
        return switch (size) {
            case PANELS -> prefill(width, false).panels();
            case DEPTH -> GEMM_DEPTH;
            case ROWS -> GEMM_ROWS;
            case FEWEST_ROWS -> GEMM_FEWEST_ROWS;
            case VECTORS -> BLOCK_VECTORS;
            case TALL -> BLOCK_TALL ? 1 : 0;
        };
    }

    private static int block(VectorSize size) {
        String registers = Lanes.SCALAR ? "" : String.valueOf(Machine.vectorRegisters()); // plain loops have no blocks
        return size(size, BLOCK, Map.of("bits", String.valueOf(Lanes.V * Float.SIZE), "registers", registers));
    }

    private static int gemm(VectorSize size) {
        return size(size, GEMM, asked(0));
    }

    private static int size(VectorSize size, TuningTable table, Map<String, String> keys) {
        return MeasuredTiles.find(size, keys).orElseGet(() -> table.best(keys).get(size.column()));
    }

    private static Map<String, String> asked(long width) {
        return Map.of(
                "loops", Lanes.BACKEND, "bits", String.valueOf(Lanes.V * Float.SIZE), "width", String.valueOf(width));
    }
}
