package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Arguments;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.MatrixForm;
import dev.heed.backend.opencl.device.MatrixTiles;
import dev.heed.backend.opencl.device.MatrixUnits;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The backward pass of an attention on matrix units. Portable kernels compute the calls that matrix units do not support. */
public final class MatrixBackward {
    /** The phase of the tuning table in which work-groups own queries. */
    public static final String QUERIES = "backward-queries";

    /** The phase of the tuning table in which work-groups own keys. */
    public static final String KEYS = "backward-keys";

    private static final int STATISTICS = 1;
    private static final int QUERY = 2;
    private static final int KEY = 3;
    private static final int SCORE = 4;

    private final AttentionCall call;
    private final DeviceTensor outputGradient;
    private final AttentionShape shape;
    private final MatrixTiles queries;
    private final MatrixTiles keys;

    public MatrixBackward(AttentionCall call, DeviceTensor outputGradient, MatrixTiles queries, MatrixTiles keys) {
        CallScope scope = call.scope;
        this.call = call.on(
                MatrixPrefill.aligned(scope, call.query),
                MatrixPrefill.aligned(scope, call.key),
                MatrixPrefill.aligned(scope, call.value));
        this.outputGradient = MatrixPrefill.aligned(scope, outputGradient);
        this.shape = call.shape();
        this.queries = queries;
        this.keys = keys;
    }

    /**
     * {@return the kernels for a call; empty if the portable kernels must compute it} The portable kernels are used for types
     * other than f16 and bf16, operands of different types, head dimensions without tiles in the table, pairwise scores other
     * than the dot product, and dropout, or if the self-check failed. Matrix units compute either all passes or none, because all
     * passes must compute scores with the same bits.
     */
    static Optional<MatrixBackward> of(AttentionCall call, DeviceTensor outputGradient) {
        Engine engine = call.scope.engine;
        MatrixUnits units = engine.matrix();
        DType type = call.query.type();
        if (units == null
                || (type != DType.F16 && type != DType.BF16)
                || call.key.type() != type
                || call.value.type() != type
                || outputGradient.type() != type
                || call.options.dropout() > 0
                || call.lowering.scoreParameter() != null) {
            return Optional.empty();
        }
        MatrixTiles queries = tiles(engine, units, QUERIES, call.shape());
        MatrixTiles keys = tiles(engine, units, KEYS, call.shape());
        if (queries == null || keys == null) {
            return Optional.empty();
        }
        MatrixForm form = call.backwardForm(keys);
        return units.isRight(
                        "backward" + queries.backwardOptions() + keys.backwardOptions() + form,
                        () -> engine.options.checks().backward(engine, queries, keys, form))
                ? Optional.of(new MatrixBackward(call, outputGradient, queries, keys))
                : Optional.empty();
    }

    private static @Nullable MatrixTiles tiles(Engine engine, MatrixUnits units, String phase, AttentionShape s) {
        return MatrixTiles.shipped(engine.context.device(), phase, s.headDim(), s.valueHeadDim())
                .map(tiles -> units.areSmall() ? tiles.narrowest(s.headDim(), s.valueHeadDim()) : tiles)
                .orElse(null);
    }

    /** {@return the maximum bytes of the aligned copy of the output's gradient that the kernels read} */
    public static long copies(AttentionShape s, DType type) {
        return type == DType.F16 || type == DType.BF16
                ? s.batch() * s.numHeads() * s.seqLenQ() * MatrixPrefill.padded(s.valueHeadDim()) * type.bytes()
                : 0;
    }

    /** Adds the keys of this call to the statistics of the rows, like {@link BackwardKernels#read}. */
    public void read(
            @Nullable DeviceTensor lseGradient,
            DeviceTensor statistics,
            DeviceBuffer dSinkRows,
            boolean begins,
            boolean ends) {
        Arguments struct = call.struct(call.query, outputGradient, 0, lseGradient == null ? 0 : 1, begins, ends);
        DeviceBuffer nothing = call.scope.nothing();
        DeviceBuffer lse = lseGradient == null ? nothing : lseGradient.buffer();
        launch(STATISTICS, queries, queryBlocks(), struct, lse, statistics, dSinkRows, nothing, nothing);
    }

    public void query(DeviceTensor gradient, DeviceTensor statistics, boolean begins) {
        Arguments struct = call.struct(gradient, outputGradient, 0, 0, begins, true);
        DeviceBuffer nothing = call.scope.nothing();
        launch(
                QUERY,
                queries,
                queryBlocks() * queries.blocks(),
                struct,
                nothing,
                statistics,
                nothing,
                gradient.buffer(),
                nothing);
    }

    public void keys(BackwardKernels.KeyGradients gradients, DeviceTensor statistics, boolean begins) {
        Arguments struct = call.struct(call.query, outputGradient, 0, 0, begins, true);
        DeviceBuffer nothing = call.scope.nothing();
        launch(
                KEY,
                keys,
                shape.batch() * shape.numKvHeads() * ownBlocks(shape.seqLenKv(), keys) * keys.blocks(),
                struct,
                nothing,
                statistics,
                nothing,
                gradients.key().buffer(),
                gradients.value().buffer());
    }

    /** Writes the gradients of one head's modified scores (after softcap and bias), {@code [queries, keys]}. */
    public void scores(DeviceBuffer cells, DeviceTensor statistics, long head) {
        Arguments struct = call.struct(call.query, outputGradient, head, 0);
        DeviceBuffer nothing = call.scope.nothing();
        launch(
                SCORE,
                queries,
                ownBlocks(shape.seqLenQ(), queries),
                struct,
                nothing,
                statistics,
                nothing,
                cells,
                nothing);
    }

    private long queryBlocks() {
        return shape.batch() * shape.numHeads() * ownBlocks(shape.seqLenQ(), queries);
    }

    private static long ownBlocks(long rows, MatrixTiles tiles) {
        return Math.ceilDiv(rows, (long) tiles.ownRows());
    }

    private void launch(
            int pass,
            MatrixTiles tiles,
            long groups,
            Arguments struct,
            DeviceBuffer lseGradient,
            DeviceTensor statistics,
            DeviceBuffer dSinkRows,
            DeviceBuffer to,
            DeviceBuffer valueTo) {
        CallScope scope = call.scope;
        scope.launch(
                "nvidia/backward_mma",
                call.variant()
                        + tiles.backwardOptions()
                        + " -DPASS=" + pass
                        + call.backwardForm(tiles).options()
                        + scope.engine.matrixOption(),
                "backward_mma",
                WorkSize.groups(groups, tiles.items()),
                struct,
                call.query.buffer(),
                call.key.buffer(),
                call.value.buffer(),
                outputGradient.buffer(),
                lseGradient,
                statistics.buffer(),
                dSinkRows,
                to,
                valueTo,
                call.mask.bands,
                call.mask.rows,
                call.maskTiles(),
                call.biasCells,
                call.slopes,
                call.sinks);
    }
}
