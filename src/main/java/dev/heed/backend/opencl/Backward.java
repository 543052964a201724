package dev.heed.backend.opencl;

import dev.heed.AttentionShape;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.WorkSize;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The backward pass of an attention on the device: statistics of every row first, then each gradient. */
final class Backward {
    private static final long FIELDS = 4; // max, inverse sum, delta, gradient of the LSE

    private final AttentionCall call;
    private final Work work;
    private final AttentionShape shape;
    private final Placed outputGradient;
    private final DeviceBuffer statistics;
    private final DeviceBuffer sinkRows;
    private final TileSizes sizes;

    Backward(AttentionCall call, Placed outputGradient, @Nullable Placed lseGradient) {
        this.call = call;
        this.work = call.work;
        this.shape = call.shape();
        this.outputGradient = outputGradient;
        this.sizes = work.sizes("backward", shape.headDim());
        long rows = shape.batch() * shape.numHeads() * shape.seqLenQ();
        this.statistics = work.reals(rows * FIELDS);
        this.sinkRows = call.options.sink() == null ? work.nothing() : work.reals(rows);
        work.launch(
                "backward",
                owning(TileSizes.FEWEST),
                "statistics",
                WorkSize.groups(blocks(shape.seqLenQ()) * shape.batch() * shape.numHeads(), sizes.items()),
                call.struct(call.query, outputGradient, 0, lseGradient == null ? 0 : 1),
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                outputGradient.buffer(),
                lseGradient == null ? work.nothing() : lseGradient.buffer(),
                statistics,
                sinkRows,
                call.bands,
                call.denseCells,
                call.biasCells,
                call.slopes,
                call.sinks);
    }

    private long blocks(long rows) {
        return Math.ceilDiv(rows, (long) sizes.rows());
    }

    private String owning(int owned) {
        return call.variant() + sizes.options() + " -DCO=" + owned;
    }

    Placed query() {
        Placed gradient =
                work.place(call.query.type(), shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.headDim());
        int owned = sizes.owned(shape.headDim());
        long groups = Math.ceilDiv(shape.headDim(), (long) owned * sizes.tx())
                * blocks(shape.seqLenQ())
                * shape.batch()
                * shape.numHeads();
        work.launch(
                "backward",
                owning(owned),
                "query_gradient",
                WorkSize.groups(groups, sizes.items()),
                call.struct(gradient, outputGradient, 0, 0),
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                outputGradient.buffer(),
                statistics,
                gradient.buffer(),
                call.bands,
                call.denseCells,
                call.biasCells,
                call.slopes);
        return gradient;
    }

    /** The gradients of keys and values, summed over the query heads that share them. */
    record KeyGradients(Placed key, Placed value) {}

    KeyGradients keys() {
        var gradients = new KeyGradients(
                work.place(call.key.type(), shape.batch(), shape.numKvHeads(), shape.seqLenKv(), shape.headDim()),
                work.place(
                        call.value.type(), shape.batch(), shape.numKvHeads(), shape.seqLenKv(), shape.valueHeadDim()));
        long width = Math.max(shape.headDim(), shape.valueHeadDim());
        int owned = TileSizes.FEWEST; // two sets of sums share the registers
        long groups = Math.ceilDiv(width, (long) owned * sizes.tx())
                * blocks(shape.seqLenKv())
                * shape.batch()
                * shape.numKvHeads();
        work.launch(
                "backward",
                owning(owned),
                "key_gradients",
                WorkSize.groups(groups, sizes.items()),
                call.struct(call.query, outputGradient, 0, 0),
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                outputGradient.buffer(),
                statistics,
                gradients.key().buffer(),
                gradients.value().buffer(),
                call.bands,
                call.denseCells,
                call.biasCells,
                call.slopes);
        return gradients;
    }

    /** The gradient of the bias in its own shape: the gradients of the scores of one head after the other, added up. */
    Placed bias() {
        Placed bias = Objects.requireNonNull(call.bias());
        long[] axes = {1, 1, 1, 1};
        int lead = 4 - bias.shape().length;
        System.arraycopy(bias.shape(), 0, axes, lead, bias.shape().length);
        Placed sums = work.place(work.real(), bias.shape());
        Placed lost = work.place(work.real(), bias.shape());
        work.fillZeros(sums);
        work.fillZeros(lost);
        DeviceBuffer cells = work.reals(shape.seqLenQ() * shape.seqLenKv());
        long groups = Math.ceilDiv(shape.seqLenKv(), sizes.columns()) * blocks(shape.seqLenQ());
        for (long head = 0; head < shape.batch() * shape.numHeads(); head++) {
            work.launch(
                    "backward",
                    owning(TileSizes.FEWEST),
                    "score_gradients",
                    WorkSize.groups(groups, sizes.items()),
                    call.struct(call.query, outputGradient, head, 0),
                    call.query.buffer(),
                    call.key.buffer(),
                    call.value.buffer(),
                    outputGradient.buffer(),
                    statistics,
                    cells,
                    call.bands,
                    call.denseCells,
                    call.biasCells,
                    call.slopes);
            work.launch(
                    "backward",
                    owning(TileSizes.FEWEST),
                    "add_to_bias",
                    WorkSize.covering(sums.count(), work.group()),
                    cells,
                    sums.buffer(),
                    lost.buffer(),
                    shape.numHeads(),
                    shape.seqLenQ(),
                    shape.seqLenKv(),
                    head,
                    1L,
                    axes[0],
                    axes[1],
                    axes[2],
                    axes[3]);
        }
        work.free(cells);
        return sums;
    }

    Placed sink() {
        Placed sums = work.place(work.real(), shape.numHeads());
        work.launch(
                "backward",
                owning(TileSizes.FEWEST),
                "add_to_sinks",
                WorkSize.covering(shape.numHeads(), work.group()),
                sinkRows,
                sums.buffer(),
                shape.batch(),
                shape.numHeads(),
                shape.seqLenQ());
        return sums;
    }
}
