package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.mask.BoundMask;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A mask in the form that kernels read: for each batch entry a band (a range of key index - query index) and the end of the keys;
 * optionally a span of keys for each query; and optionally cells, the truth values of a dense mask or of blocks. A conjunction of
 * masks has one band and the intersections of their spans. Masks joined by OR are written out as a dense mask, and so are several
 * dense masks and blocks.
 */
public final class DeviceMask {
    private static final int FAR = 1 << 30;
    private static final int FIELDS = 4;

    /** Per batch entry: least and largest key index - query index (both inclusive), end of the keys (exclusive), unused. */
    final int[] bands;

    /** A dense mask or blocks, or null. */
    private @Nullable Mask celled;

    /** The first key and the exclusive end of each query, i64, broadcasts to {@code [batch, heads, queries, 2]}, or null. */
    private @Nullable Tensor spans;

    private final AttentionShape shape;

    private DeviceMask(AttentionShape shape) {
        this.shape = shape;
        this.bands = new int[Math.toIntExact(shape.batch()) * FIELDS];
        for (int b = 0; b < shape.batch(); b++) {
            bands[b * FIELDS] = -FAR;
            bands[b * FIELDS + 1] = FAR;
            bands[b * FIELDS + 2] = Math.toIntExact(shape.seqLenKv());
        }
    }

    public static DeviceMask of(Mask mask, AttentionShape shape) {
        var lowered = new DeviceMask(shape);
        lowered.add(mask);
        return lowered;
    }

    private void add(Mask mask) {
        switch (mask) {
            case Mask.None ignored -> {}
            case Mask.Causal causal -> addBand(causal.window());
            case Mask.Window window -> addBand(window);
            case Mask.KeyLengths(List<Long> lengths) -> {
                for (int b = 0; b < shape.batch(); b++) {
                    int end = Math.toIntExact(lengths.get(b));
                    bands[b * FIELDS + 2] = Math.min(bands[b * FIELDS + 2], end);
                }
            }
            case Mask.And(List<Mask> masks) -> masks.forEach(this::add);
            case Mask.Or or -> addCells(Mask.dense(written(or)));
            case Mask.Spans(Tensor more) -> spans = spans == null ? more : intersection(spans, more);
            case Mask.Dense more -> addCells(more);
            case Mask.Blocks more -> addCells(more);
        }
    }

    private void addBand(Mask.Window window) {
        for (int b = 0; b < shape.batch(); b++) {
            int least = clamp(window.leastDistance(b, shape.seqLenQ(), shape.seqLenKv()));
            int largest = clamp(window.largestDistance(b, shape.seqLenQ(), shape.seqLenKv()));
            bands[b * FIELDS] = Math.max(bands[b * FIELDS], least);
            bands[b * FIELDS + 1] = Math.min(bands[b * FIELDS + 1], largest);
        }
    }

    private static int clamp(long distance) {
        return Math.clamp(distance, -FAR, FAR);
    }

    private void addCells(Mask more) {
        celled = celled == null ? more : Mask.dense(written(new Mask.And(List.of(celled, more))));
    }

    private static Tensor intersection(Tensor a, Tensor b) {
        long[] sizes = new long[4];
        Arrays.setAll(sizes, axis -> Math.max(a.size(axis), b.size(axis)));
        Tensor both = Tensor.zeros(DType.I64, sizes);
        double[] one = a.expand(sizes).toDoubleArray();
        double[] other = b.expand(sizes).toDoubleArray();
        for (int n = 0; n < one.length; n++) {
            both.put(n, n % 2 == 0 ? Math.max(one[n], other[n]) : Math.min(one[n], other[n]));
        }
        return both;
    }

    /** {@return the bytes of the spans and cells of a chunk} */
    public long bytes(Chunk chunk) {
        Tensor cells = cells(chunk);
        Tensor ranges = spans(chunk);
        return (cells == null ? 0 : cells.elementCount())
                + (ranges == null ? 0 : ranges.elementCount() * Integer.BYTES);
    }

    /** {@return the truth values of a chunk, broadcast to {@code [batch, heads, queries, keys]} divided by the cell sizes} */
    @Nullable
    Tensor cells(Chunk chunk) {
        return switch (celled) {
            case Mask.Dense(Tensor takesPart) -> chunk.cells(takesPart);
            case Mask.Blocks(Tensor takesPart, long queries, long keys) -> chunk.cells(takesPart, queries, keys);
            case null, default -> null;
        };
    }

    long cellQueries() {
        return celled instanceof Mask.Blocks blocks ? blocks.queryBlock() : 1;
    }

    long cellKeys() {
        return celled instanceof Mask.Blocks blocks ? blocks.keyBlock() : 1;
    }

    /** {@return the spans of the queries of a chunk} */
    @Nullable
    Tensor spans(Chunk chunk) {
        return spans == null ? null : chunk.ofRowsThatBroadcast(spans);
    }

    /** {@return the dense mask that equals a mask; an axis batch or heads has size 1 if the mask is the same along it} */
    private Tensor written(Mask mask) {
        long batches = perBatch(mask) ? shape.batch() : 1;
        long heads = mask.tensors().stream().anyMatch(tensor -> tensor.size(1) > 1) ? shape.numHeads() : 1;
        BoundMask bound = mask.on(shape.seqLenQ(), shape.seqLenKv());
        Tensor truths = Tensor.zeros(DType.BOOL, batches, heads, shape.seqLenQ(), shape.seqLenKv());
        long position = 0;
        for (long b = 0; b < batches; b++) {
            for (long h = 0; h < heads; h++) {
                for (long i = 0; i < shape.seqLenQ(); i++) {
                    for (long j = 0; j < shape.seqLenKv(); j++) {
                        truths.put(position++, bound.takesPart(b, h, i, j) ? 1 : 0);
                    }
                }
            }
        }
        return truths;
    }

    private static boolean perBatch(Mask mask) {
        return switch (mask) {
            case Mask.None ignored -> false;
            case Mask.Causal(CausalAlignment alignment) -> perBatch(alignment);
            case Mask.Window window -> perBatch(window.alignment());
            case Mask.KeyLengths ignored -> true;
            case Mask.Dense(Tensor takesPart) -> takesPart.size(0) > 1;
            case Mask.Spans(Tensor spans) -> spans.size(0) > 1;
            case Mask.Blocks blocks -> blocks.takesPart().size(0) > 1;
            case Mask.And(List<Mask> masks) -> masks.stream().anyMatch(DeviceMask::perBatch);
            case Mask.Or(List<Mask> masks) -> masks.stream().anyMatch(DeviceMask::perBatch);
        };
    }

    private static boolean perBatch(CausalAlignment alignment) {
        return alignment instanceof CausalAlignment.Offset(List<Long> perBatch) && perBatch.size() > 1;
    }
}
