package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.TileSizes;
import dev.heed.backend.opencl.product.RowKernels;
import dev.heed.backend.opencl.score.Lowering;
import dev.heed.backend.opencl.score.ParameterGradients;
import dev.heed.backend.opencl.score.ParameterSlice;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.WorkSize;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The backward pass of an attention on the device: first the statistics of each row, then the gradients, summed in the compute
 * type. If the keys are cut into chunks, each chunk is added to the statistics and dQ; if the queries are, to dK and dV.
 */
public final class BackwardKernels {
    private static final long FIELDS = 4; // per row: m, 1 / l, delta, gradient of the LSE

    private final AttentionCall call;
    private final CallScope scope;
    private final AttentionShape shape;
    private final DeviceTensor outputGradient;
    private final DeviceTensor statistics;
    private final DeviceBuffer dSinkRows;
    private final @Nullable DeviceTensor partials;
    private final TileSizes sizes;
    private final @Nullable MatrixBackward units;

    /**
     * Creates the backward pass of a call.
     *
     * @param statistics the statistics of the rows, either complete or to be computed by {@link #read}
     * @param dSinkRows for each row, the term that it adds to the gradient of its head's sink; {@link #read} writes it
     * @param partials a tensor from {@link #partials} for the gradient of the pairwise score's parameter; null if not requested
     */
    public BackwardKernels(
            AttentionCall call,
            DeviceTensor outputGradient,
            DeviceTensor statistics,
            DeviceBuffer dSinkRows,
            @Nullable DeviceTensor partials) {
        this.call = call.withFewVariants();
        this.scope = call.scope;
        this.shape = call.shape();
        this.outputGradient = this.call == call ? outputGradient : scope.converted(outputGradient, scope.real());
        this.statistics = statistics;
        this.dSinkRows = dSinkRows;
        this.partials = partials;
        this.sizes = scope.sizes("backward", shape.headDim());
        this.units = MatrixBackward.of(this.call, this.outputGradient).orElse(null);
    }

    /** {@return the backward pass of a call with all keys of its queries; the statistics are complete} */
    public static BackwardKernels of(
            AttentionCall call,
            DeviceTensor outputGradient,
            @Nullable DeviceTensor lseGradient,
            @Nullable ParameterGradients sums,
            @Nullable Given given) {
        var backward = new BackwardKernels(
                call,
                outputGradient,
                statistics(call.scope, call.shape()),
                dSinkRows(call.scope, call.shape()),
                partials(call.scope, call.lowering, sums));
        if (given == null) {
            backward.read(lseGradient, true, true);
        } else {
            backward.use(given, lseGradient);
        }
        return backward;
    }

    /**
     * A forward result of more keys than the call has, packed in the compute type.
     *
     * @param output {@code [batch, heads, queries, valueHeadDim]}
     * @param outputGradient the gradient of the output
     * @param rowMax {@code [batch, heads, queries]}
     * @param rowSum {@code [batch, heads, queries]}
     */
    public record Given(DeviceTensor output, DeviceTensor outputGradient, DeviceTensor rowMax, DeviceTensor rowSum) {}

    /** Computes the statistics of the rows from the forward result. */
    public void use(Given given, @Nullable DeviceTensor lseGradient) {
        scope.launch(
                "given",
                call.fewVariants(),
                "given_statistics",
                WorkSize.covering(shape.batch() * shape.numHeads() * shape.seqLenQ(), scope.group()),
                call.struct(call.query, outputGradient, 0, lseGradient == null ? 0 : 1, true, true),
                given.output().buffer(),
                given.outputGradient().buffer(),
                given.rowMax().buffer(),
                given.rowSum().buffer(),
                lseGradient == null ? scope.nothing() : lseGradient.buffer(),
                statistics.buffer(),
                dSinkRows,
                call.sinks);
    }

    /** {@return a new tensor for the statistics of the rows, {@code [batch, heads, queries, 4]}} */
    public static DeviceTensor statistics(CallScope scope, AttentionShape s) {
        return scope.allocate(scope.real(), s.batch(), s.numHeads(), s.seqLenQ(), FIELDS);
    }

    /** {@return a new buffer for the terms that rows add to the gradient of the sinks, {@code [batch, heads, queries]}} */
    public static DeviceBuffer dSinkRows(CallScope scope, AttentionShape s) {
        return scope.reals(s.batch() * s.numHeads() * s.seqLenQ());
    }

    /**
     * {@return a new tensor for partial sums of the gradient of the pairwise score's parameter, one per block of queries:
     * {@code [batch, heads, blocks, headDim]}; null if the gradient is not requested}
     */
    public static @Nullable DeviceTensor partials(
            CallScope scope, Lowering lowering, @Nullable ParameterGradients sums) {
        ParameterSlice slice = lowering.scoreParameter();
        if (sums == null || slice == null) {
            return null;
        }
        AttentionShape s = lowering.shape();
        long blocks = Math.ceilDiv(
                s.seqLenQ(), (long) scope.sizes("backward", s.headDim()).rows());
        return scope.allocate(scope.real(), s.batch(), s.numHeads(), blocks, s.headDim());
    }

    /** Adds the gradient of the pairwise score's parameter to {@code sums}; {@link #query} must have read all keys before. */
    public void parameterGradient(@Nullable ParameterGradients sums) {
        ParameterSlice slice = call.lowering.scoreParameter();
        if (sums == null || slice == null || partials == null) {
            return;
        }
        var kernels = new RowKernels(scope);
        long heads = call.parameterPerHead() ? shape.numHeads() : 1;
        DeviceTensor sum = kernels.sum(partials, 1, heads, 1, shape.headDim());
        if (call.scoresBySquares()) {
            sum = kernels.sum(sum, 1, heads, 1, 1);
        }
        sums.add(scope, slice, sum.reshape(slice.tensor().shape()));
    }

    /** Adds the keys of this call to the statistics. {@code begins} marks the first chunk of the keys, {@code ends} the last. */
    public void read(@Nullable DeviceTensor lseGradient, boolean begins, boolean ends) {
        if (units != null) {
            units.read(lseGradient, statistics, dSinkRows, begins, ends);
            return;
        }
        scope.launch(
                "backward",
                owning(TileSizes.FEWEST),
                "statistics",
                WorkSize.groups(blocks(shape.seqLenQ()) * shape.batch() * shape.numHeads(), sizes.items()),
                call.struct(call.query, outputGradient, 0, lseGradient == null ? 0 : 1, begins, ends),
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                outputGradient.buffer(),
                lseGradient == null ? scope.nothing() : lseGradient.buffer(),
                statistics.buffer(),
                dSinkRows,
                call.mask.bands,
                call.mask.rows,
                call.maskTiles(),
                call.biasCells,
                call.slopes,
                call.sinks,
                call.scoreParameter);
    }

    private long blocks(long rows) {
        return Math.ceilDiv(rows, (long) sizes.rows());
    }

    private String owning(int owned) {
        return call.fewVariants() + sizes.options() + " -DCO=" + owned;
    }

    /** {@return a new tensor for the gradient of the queries, {@code [batch, heads, queries, headDim]}} */
    public static DeviceTensor queryGradient(CallScope scope, AttentionShape s) {
        return scope.allocate(scope.real(), s.batch(), s.numHeads(), s.seqLenQ(), s.headDim());
    }

    public DeviceTensor query() {
        DeviceTensor gradient = queryGradient(scope, shape);
        query(gradient, true);
        return gradient;
    }

    /** Adds the terms of this call's keys to the gradient of the queries; overwrites it if {@code begins}. */
    public void query(DeviceTensor gradient, boolean begins) {
        if (units != null) {
            units.query(gradient, statistics, begins);
            return;
        }
        int owned = sizes.owned(shape.headDim());
        long groups = Math.ceilDiv(shape.headDim(), (long) owned * sizes.tx())
                * blocks(shape.seqLenQ())
                * shape.batch()
                * shape.numHeads();
        scope.launch(
                "backward",
                owning(owned),
                "query_gradient",
                WorkSize.groups(groups, sizes.items()),
                call.struct(gradient, outputGradient, 0, partials == null ? 0 : 1, begins, true),
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                outputGradient.buffer(),
                statistics.buffer(),
                gradient.buffer(),
                call.mask.bands,
                call.mask.rows,
                call.maskTiles(),
                call.biasCells,
                call.slopes,
                call.scoreParameter,
                partials == null ? scope.nothing() : partials.buffer());
    }

    /** The gradients of keys and values, summed over the query heads that share a key/value head. */
    public record KeyGradients(DeviceTensor key, DeviceTensor value) {}

    /** {@return new tensors for the gradients of keys and values} */
    public static KeyGradients keyGradients(CallScope scope, AttentionShape s) {
        return new KeyGradients(
                scope.allocate(scope.real(), s.batch(), s.numKvHeads(), s.seqLenKv(), s.headDim()),
                scope.allocate(scope.real(), s.batch(), s.numKvHeads(), s.seqLenKv(), s.valueHeadDim()));
    }

    public KeyGradients keys() {
        KeyGradients gradients = keyGradients(scope, shape);
        keys(gradients, true);
        return gradients;
    }

    /** Adds the terms of this call's queries to the gradients of keys and values; overwrites them if {@code begins}. */
    public void keys(KeyGradients gradients, boolean begins) {
        if (units != null) {
            units.keys(gradients, statistics, begins);
            return;
        }
        long width = Math.max(shape.headDim(), shape.valueHeadDim());
        int owned = TileSizes.FEWEST; // the sums of dK and of dV share the registers
        long groups = Math.ceilDiv(width, (long) owned * sizes.tx())
                * blocks(shape.seqLenKv())
                * shape.batch()
                * shape.numKvHeads();
        scope.launch(
                "backward",
                owning(owned),
                "key_gradients",
                WorkSize.groups(groups, sizes.items()),
                call.struct(call.query, outputGradient, 0, 0, begins, true),
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                outputGradient.buffer(),
                statistics.buffer(),
                gradients.key().buffer(),
                gradients.value().buffer(),
                call.mask.bands,
                call.mask.rows,
                call.maskTiles(),
                call.biasCells,
                call.slopes,
                call.scoreParameter);
    }

    /** {@return the gradient of the bias, in the bias's shape: the gradients of modified scores, summed head by head} */
    public DeviceTensor bias() {
        DeviceTensor bias = Objects.requireNonNull(call.bias());
        long[] axes = {1, 1, 1, 1};
        int lead = 4 - bias.shape().length;
        System.arraycopy(bias.shape(), 0, axes, lead, bias.shape().length);
        DeviceTensor sums = scope.allocate(scope.real(), bias.shape());
        DeviceTensor compensation = scope.allocate(scope.real(), bias.shape());
        scope.fillZeros(sums);
        scope.fillZeros(compensation);
        DeviceBuffer cells = scope.reals(shape.seqLenQ() * shape.seqLenKv());
        for (long head = 0; head < shape.batch() * shape.numHeads(); head++) {
            scores(cells, head);
            scope.launch(
                    "backward",
                    owning(TileSizes.FEWEST),
                    "add_to_bias",
                    WorkSize.covering(sums.count(), scope.group()),
                    cells,
                    sums.buffer(),
                    compensation.buffer(),
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
        scope.free(cells);
        return sums;
    }

    /** Writes the gradients of one head's modified scores (after softcap and bias), {@code [queries, keys]}. */
    private void scores(DeviceBuffer cells, long head) {
        if (units != null) {
            units.scores(cells, statistics, head);
            return;
        }
        long groups = Math.ceilDiv(shape.seqLenKv(), sizes.columns()) * blocks(shape.seqLenQ());
        scope.launch(
                "backward",
                owning(TileSizes.FEWEST),
                "score_gradients",
                WorkSize.groups(groups, sizes.items()),
                call.struct(call.query, outputGradient, head, 0),
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                outputGradient.buffer(),
                statistics.buffer(),
                cells,
                call.mask.bands,
                call.mask.rows,
                call.biasCells,
                call.slopes,
                call.scoreParameter);
    }

    /** {@return the gradient of the sinks, {@code [heads]}} */
    public DeviceTensor sink() {
        DeviceTensor sums = scope.allocate(scope.real(), shape.numHeads());
        scope.launch(
                "backward",
                owning(TileSizes.FEWEST),
                "add_to_sinks",
                WorkSize.covering(shape.numHeads(), scope.group()),
                dSinkRows,
                sums.buffer(),
                shape.batch(),
                shape.numHeads(),
                shape.seqLenQ());
        return sums;
    }
}
