package dev.heed.backend.vector;

import static dev.heed.backend.vector.kernels.Kernels.KERNELS;
import static dev.heed.backend.vector.kernels.Lanes.PANEL;
import static dev.heed.backend.vector.kernels.Lanes.V;

import dev.heed.backend.vector.kernels.ArrayGrowth;
import dev.heed.backend.vector.kernels.Kernels;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.storage.LongSums;
import dev.heed.backend.vector.storage.Rows;
import dev.heed.backend.vector.storage.Scratch;
import dev.heed.backend.vector.storage.StoredRows;
import dev.heed.ffi.NativeKernels;
import dev.heed.mask.BoundMask;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Up to {@link Lanes#PANEL} queries of one head, one per lane, with the softmax statistics and the weighted sums of the
 * values for the keys read so far.
 */
final class Panel {
    long batch;
    long head;

    /** Index of the first query. */
    long from;

    /** Index of the first key that any of the queries may attend to. */
    long firstKey;

    /** Exclusive end of the keys that any of the queries may attend to. */
    long endKey;

    /** Whether no tile has been read yet; {@link #sums} is then undefined. */
    boolean fresh;

    /** Number of lanes in use. */
    int queries;

    /** The queries: element {@code d} of query {@code i} at {@code d * PANEL + i}. */
    float[] packed = new float[0];

    /**
     * The queries in the layout of native products: elements {@code 2p} and {@code 2p + 1} of query {@code i} at
     * {@code (p * PANEL + i) * 2}.
     */
    short[] pairs = new short[0];

    /**
     * The scores of one tile of keys, then its weights: key {@code j} and query {@code i} at {@code j * PANEL + i}. All panels of a thread
     * share this array, 48 KB for 192 keys and 128 KB for 512, so that it stays in the cache.
     */
    float[] tile = new float[0];

    /** Weighted sums of values: element {@code d} of query {@code i} at {@code d * PANEL + i}. */
    float[] sums = new float[0];

    /** Row maxima, row sums, rescaling factors and inverse row sums, PANEL floats each; see {@link Kernels}. */
    float[] statistics = new float[0];

    /** First key of each vector's run in a {@link RaggedTile}, relative to the first key of the tile. */
    final int[] runFrom = new int[PANEL / V];

    /** Exclusive end of each vector's run in a {@link RaggedTile}, relative to the first key of the tile. */
    final int[] runTo = new int[PANEL / V];

    /** The statistics and sums of the blocks of keys before the current one. */
    private final LongSums totals = new LongSums();

    private final double[] maximaOfTotals = new double[PANEL];
    private final double[] rowSumsOfTotals = new double[PANEL];
    private final double[] rescaling = new double[PANEL];

    private final float[] factors = new float[V];
    private final StoredRows stored = new StoredRows();
    private float[] copy = new float[0];
    private final float[] block = new float[V * V];

    /** The panels of one thread. */
    private static final class Pool implements Scratch.Section {
        private final List<Panel> panels = new ArrayList<>();
        private float[] tile = new float[0];

        @Override
        public void forget() {
            // panels have copies only, no references to arrays of the caller
        }
    }

    /**
     * {@return the panels of a thread, at least {@code count}} All panels of a task read the same keys and values.
     *
     * @param tileKeys the most keys of a tile
     */
    static List<Panel> of(Scratch scratch, int count, int tileKeys) {
        Pool pool = scratch.section(Pool.class, Pool::new);
        pool.tile = ArrayGrowth.atLeast(pool.tile, tileKeys * PANEL);
        while (pool.panels.size() < count) {
            pool.panels.add(new Panel());
        }
        for (int p = 0; p < count; p++) {
            pool.panels.get(p).tile = pool.tile;
        }
        return pool.panels;
    }

    /** {@return the exclusive end of the panel's queries} */
    long to() {
        return from + queries;
    }

    /**
     * Moves the panel to the queries that begin at index {@code from} and resets the statistics. The caller must then pack
     * the queries.
     */
    void moveTo(BoundMask mask, long batch, long head, long from, long seqLenQ) {
        this.batch = batch;
        this.head = head;
        this.fresh = true;
        this.from = from;
        this.queries = (int) Math.min(PANEL, seqLenQ - from);
        firstKey = mask.firstKey(batch, head, from, to());
        endKey = mask.endKey(batch, head, from, to());
        statistics = ArrayGrowth.atLeast(statistics, 4 * PANEL);
        Arrays.fill(statistics, 0, PANEL, Kernels.NOTHING);
        Arrays.fill(statistics, PANEL, 4 * PANEL, 0);
        totals.clear();
    }

    /**
     * Adds the row sums and the weighted sums of a block of keys to totals in f64, and starts the next block with the same maxima.
     *
     * @param unit the factor of the maxima
     */
    void endBlock(int width, double unit) {
        for (int i = 0; i < PANEL; i++) {
            double factor = totals.inUse() ? Math.exp((maximaOfTotals[i] - statistics[i]) * unit) : 0;
            rescaling[i] = factor;
            rowSumsOfTotals[i] = (totals.inUse() ? rowSumsOfTotals[i] * factor : 0) + statistics[PANEL + i];
            maximaOfTotals[i] = statistics[i];
            statistics[PANEL + i] = 0;
        }
        totals.scale(rescaling);
        addToTotals(width);
    }

    /** Writes the totals of all blocks, rounded to f32, to the statistics and the sums, if there is more than one block. */
    void endBlocks(int width, double unit) {
        if (totals.inUse()) {
            endBlock(width, unit);
            for (int i = 0; i < PANEL; i++) {
                statistics[PANEL + i] = (float) rowSumsOfTotals[i];
            }
            addTotals();
        }
    }

    /** Adds the sums of a block of keys to totals in f64 and clears them. */
    void addToTotals(int width) {
        totals.add(sums, 0, width * PANEL, width * PANEL);
    }

    /** Adds the totals, if there are any, to the sums. */
    void addTotals() {
        totals.addTo(sums);
    }

    /** Packs the queries, multiplied by a factor, into {@link #packed}. */
    void packQueries(Tensor query, float factor) {
        packed = ArrayGrowth.atLeast(packed, (int) query.size(3) * PANEL);
        pack(query, factor, packed);
    }

    /** Packs bf16 queries into {@link #pairs}; negates them if {@code negative}. */
    void packPairs(Tensor query, boolean negative) {
        stored.load(query, batch, head, from, queries);
        int headDim = (int) query.size(3);
        int length = (headDim + 1) / 2 * 2 * PANEL;
        pairs = pairs.length >= length ? pairs : new short[length];
        NativeKernels.bf16Transpose(
                stored.data, stored.at, stored.row, queries, headDim, negative, MemorySegment.ofArray(pairs), 0, PANEL);
        stored.forget();
    }

    void clearSums(int width) {
        sums = ArrayGrowth.atLeast(sums, width * PANEL);
        Arrays.fill(sums, 0, width * PANEL, 0);
        fresh = false;
    }

    /** Allocates the sums without clearing them; the caller must overwrite or clear them before it adds to them. */
    void makeRoom(int width) {
        sums = ArrayGrowth.atLeast(sums, width * PANEL);
    }

    /**
     * Copies the panel's rows of a tensor, multiplied by a factor, to {@code into} in the layout of {@link #packed}; unused
     * lanes are zero.
     */
    void pack(Tensor tensor, float factor, float[] into) {
        int width = (int) tensor.size(3);
        if (queries < PANEL) {
            Arrays.fill(into, 0, width * PANEL, 0);
        }
        float[] array = Rows.array(tensor);
        boolean inBlocks = KERNELS.transposesBlocks();
        int wholeWidth = inBlocks ? width / V * V : 0;
        int wholeQueries = inBlocks ? queries / V * V : 0;
        int step = array != null ? (int) tensor.stride(2) : width;
        float[] source = array != null ? array : copyOf(tensor, width);
        Arrays.fill(factors, factor);
        for (int i = 0; i < queries; i++) {
            int at = i * width;
            if (array != null) {
                at = (int) (tensor.segment().address() / Float.BYTES + tensor.position(batch, head, from + i, 0));
            }
            if (i < wholeQueries && i % V == 0) {
                for (int d = 0; d < wholeWidth; d += V) {
                    KERNELS.transposeBlock(source, at + d, step, factors, 0, into, d * PANEL + i, PANEL, block);
                }
            }
            for (int d = i < wholeQueries ? wholeWidth : 0; d < width; d++) {
                into[d * PANEL + i] = source[at + d] * factor;
            }
        }
    }

    /** {@return a contiguous copy of the panel's rows of a tensor, widened to f32} */
    private float[] copyOf(Tensor tensor, int width) {
        copy = ArrayGrowth.atLeast(copy, queries * width);
        for (int i = 0; i < queries; i++) {
            long position = tensor.position(batch, head, from + i, 0);
            Rows.read(tensor, position, tensor.stride(3), copy, i * width, width);
        }
        return copy;
    }

    /**
     * Writes the sums to the panel's rows of a tensor, each row multiplied by its factor. With a factor of 0 the row is 0,
     * even if its sums are non-finite.
     *
     * @param scales contains one factor per row, the first at index {@code scalesAt}
     */
    void write(Tensor tensor, float[] scales, int scalesAt) {
        int width = (int) tensor.size(3);
        float[] array = Rows.array(tensor);
        boolean inBlocks = KERNELS.transposesBlocks();
        int wholeWidth = inBlocks ? width / V * V : 0;
        int wholeQueries = inBlocks ? queries / V * V : 0;
        copy = array != null ? copy : ArrayGrowth.atLeast(copy, queries * width);
        float[] to = array != null ? array : copy;
        int step = array != null ? (int) tensor.stride(2) : width;
        for (int i = 0; i < queries; i++) {
            int at = i * width;
            if (array != null) {
                at = (int) (tensor.segment().address() / Float.BYTES + tensor.position(batch, head, from + i, 0));
            }
            if (i < wholeQueries && i % V == 0) {
                for (int d = 0; d < wholeWidth; d += V) {
                    KERNELS.transposeBlock(sums, d * PANEL + i, PANEL, scales, scalesAt + i, to, at + d, step, block);
                }
            }
            float scale = scales[scalesAt + i];
            for (int d = i < wholeQueries ? wholeWidth : 0; d < width; d++) {
                to[at + d] = scale == 0 ? 0 : sums[d * PANEL + i] * scale;
            }
        }
        if (array == null) {
            long position = tensor.position(batch, head, from, 0);
            Rows.write(copy, tensor, position, tensor.stride(2), tensor.stride(3), queries, width);
        }
    }
}
