package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Arguments;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The mask of a chunk on the device: bands, spans and cells, and the cover of its tiles. */
final class UploadedMask {
    private static final int TILE = 64; // MASK_TILE of the kernels

    private final CallScope scope;
    private final long cellQueries;
    private final long cellKeys;
    private final @Nullable DeviceTensor cells;
    private final @Nullable DeviceTensor spans;
    private final @Nullable DeviceTensor tiles;

    /** The sizes of the mask along batch, heads, queries and keys; 1 where it is the same for all. */
    private final long[] sizes = {1, 1, 1, 1};

    private boolean tilesKnown;

    /** The bands: an argument of kernels. */
    final DeviceBuffer bands;

    /** The spans, and after them the cells: an argument of kernels. */
    final DeviceBuffer rows;

    UploadedMask(CallScope scope, DeviceMask mask, Chunk chunk) {
        this.scope = scope;
        this.bands = scope.upload(chunk.bands(mask.bands));
        this.cellQueries = mask.cellQueries();
        this.cellKeys = mask.cellKeys();
        Tensor truths = mask.cells(chunk);
        Tensor ranges = mask.spans(chunk);
        DeviceTensor uploaded = truths == null ? null : scope.upload(truths);
        if (ranges == null) {
            this.spans = null;
            this.cells = uploaded;
            this.rows = uploaded == null ? scope.nothing() : uploaded.buffer();
        } else {
            int[] pairs = pairs(ranges, chunk.whole());
            long bytes = (long) pairs.length * Integer.BYTES;
            this.rows = scope.upload(pairs, uploaded == null ? 0 : uploaded.count());
            this.spans = DeviceTensor.packed(rows, DType.I32, ranges.size(0), ranges.size(1), ranges.size(2), 1);
            this.cells = uploaded == null ? null : after(bytes, uploaded);
        }
        AttentionShape s = chunk.shape();
        long[] whole = {s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv()};
        for (int axis = 0; axis < 4; axis++) {
            boolean varies = varies(cells, axis) || (axis == 3 ? spans != null : varies(spans, axis));
            sizes[axis] = varies ? whole[axis] : 1;
        }
        this.tiles = cells == null && spans == null
                ? null
                : scope.allocate(
                        DType.BOOL, sizes[0], sizes[1], Math.ceilDiv(sizes[2], TILE), Math.ceilDiv(sizes[3], TILE));
    }

    /** {@return first key and exclusive end of each query, clamped to the keys of the call} */
    private static int[] pairs(Tensor ranges, AttentionShape whole) {
        double[] given = ranges.toDoubleArray();
        int[] pairs = new int[given.length];
        for (int n = 0; n < pairs.length; n++) {
            pairs[n] = (int) Math.clamp(given[n], 0, whole.seqLenKv());
        }
        return pairs;
    }

    /** {@return a copy of the cells in {@link #rows}, after the spans} */
    private DeviceTensor after(long bytes, DeviceTensor uploaded) {
        DeviceTensor all = DeviceTensor.packed(rows, DType.BOOL, bytes + uploaded.count());
        DeviceTensor copy = all.slice(0, bytes, bytes + uploaded.count());
        DeviceTensor shaped = copy.reshape(uploaded.shape());
        scope.copy(uploaded, shaped);
        return shaped;
    }

    private static boolean varies(@Nullable DeviceTensor t, int axis) {
        int own = t == null ? -1 : axis - (4 - t.shape().length);
        return t != null && own >= 0 && t.size(own) > 1;
    }

    @Nullable
    DeviceTensor cells() {
        return cells;
    }

    @Nullable
    DeviceTensor spans() {
        return spans;
    }

    /** Puts the fields {@code cells, maskTiles, spans, cellQueries, cellKeys} of the struct. */
    void put(Arguments struct) {
        AttentionCall.cells(struct, cells);
        AttentionCall.cells(struct, tiles);
        AttentionCall.cells(struct, spans);
        struct.put(cellQueries, cellKeys);
    }

    /** {@return the cover of each tile, which kernels skip if it is 0; unused without spans and cells} */
    DeviceBuffer tiles(Supplier<Arguments> struct) {
        DeviceTensor to = tiles;
        if (to == null) {
            return scope.nothing();
        }
        if (!tilesKnown) {
            scope.launch(
                    "mask",
                    scope.realOption(),
                    "mask_tiles",
                    WorkSize.covering(to.count(), scope.group()),
                    struct.get(),
                    sizes[0],
                    sizes[1],
                    sizes[2],
                    sizes[3],
                    rows,
                    to.buffer());
            tilesKnown = true;
        }
        return to.buffer();
    }
}
