package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionShape;
import dev.heed.mask.BoundMask;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A mask in the form that kernels read: for each batch entry a band (a range of key index - query index) and the end of the keys,
 * and optionally one dense mask. A conjunction of bands and key lengths needs no dense mask. Spans, blocks,
 * masks joined by OR, and several dense masks are converted to one dense mask.
 */
public final class DeviceMask {
    private static final int FAR = 1 << 30;
    private static final int FIELDS = 4;

    /** Per batch entry: least and largest key index - query index (both inclusive), end of the keys (exclusive), unused. */
    final int[] bands;

    /** Truth values (1 attended, 0 masked) that broadcast to {@code [batch, heads, queries, keys]}, or null. */
    public @Nullable Tensor dense;

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
            case Mask.Dense(Tensor takesPart) -> addDense(takesPart);
            case Mask.And(List<Mask> masks) -> masks.forEach(this::add);
            case Mask.Or or -> addDense(written(or));
            case Mask.Spans spans -> addDense(written(spans));
            case Mask.Blocks blocks -> addDense(written(blocks));
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

    private void addDense(Tensor more) {
        Tensor first = dense;
        dense = first == null ? more : written(new Mask.And(List.of(Mask.dense(first), Mask.dense(more))));
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
