package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionShape;
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

/**
 * Decode on matrix units: the query rows that share a key/value head are the rows of one block of a matrix. The keys are split so
 * that each compute unit has several work-groups. The states of the splits are merged by {@link ForwardKernels#merge}.
 */
public final class MatrixDecode {
    /** Target number of work-groups per compute unit: several, so that some compute while others wait for copies. */
    private static final long GROUPS = 4;

    /** Minimum tiles per split, so that the start and the end of a work-group take a small share of its time. */
    private static final long FEWEST_TILES = 4;

    private final AttentionCall call;
    private final MatrixTiles tiles;

    public MatrixDecode(AttentionCall call, MatrixTiles tiles) {
        this.call = call;
        this.tiles = tiles;
    }

    /**
     * {@return the kernel for a decode; empty if the portable kernel must compute it: for f32, and for the reasons in
     * {@link MatrixPrefill#of}}
     */
    static Optional<MatrixDecode> of(AttentionCall call) {
        Engine engine = call.scope.engine;
        MatrixUnits units = engine.matrix();
        if (units == null || call.query.type() == DType.F32 || !MatrixPrefill.takes(call)) {
            return Optional.empty();
        }
        AttentionShape s = call.shape();
        return units.tiles(engine.context.device(), "decode", s.headDim(), s.valueHeadDim())
                .filter(tiles -> {
                    MatrixForm form = call.forwardForm(tiles);
                    return units.isRight(
                            "decode" + tiles.options() + form,
                            () -> engine.options.checks().decode(engine, tiles, form));
                })
                .map(tiles -> new MatrixDecode(call, tiles));
    }

    public void run(DeviceTensor output, ForwardKernels.Statistics to) {
        CallScope scope = call.scope;
        DeviceTensor query = MatrixPrefill.aligned(scope, call.query);
        DeviceTensor key = MatrixPrefill.aligned(scope, call.key);
        DeviceTensor value = MatrixPrefill.aligned(scope, call.value);
        AttentionCall alignedCall = call.on(query, key, value);
        AttentionShape s = call.shape();
        long kvHeads = s.batch() * s.numKvHeads();
        long splits = splits(kvHeads, s.seqLenKv());
        long rows = s.batch() * s.numHeads() * s.seqLenQ();
        DeviceBuffer sums = scope.reals(splits * rows * s.valueHeadDim());
        DeviceBuffer states = scope.reals(splits * rows * 2);
        scope.launch(
                "nvidia/decode_mma",
                alignedCall.variant()
                        + tiles.options()
                        + alignedCall.forwardForm(tiles).options()
                        + scope.engine.matrixOption(),
                "decode_mma",
                WorkSize.groups(splits * kvHeads, tiles.items()),
                alignedCall.struct(output, null, 0, 0),
                splits,
                query.buffer(),
                key.buffer(),
                value.buffer(),
                sums,
                states,
                alignedCall.mask.bands,
                alignedCall.mask.rows,
                alignedCall.biasCells,
                alignedCall.slopes);
        ForwardKernels.merge(call, output, to, sums, states, splits);
    }

    /** {@return the number of splits of the keys: {@link #GROUPS} work-groups per compute unit, if there are enough keys} */
    private long splits(long kvHeads, long keys) {
        long units = call.scope.engine.context.limits().computeUnits();
        long maxSplits = Math.ceilDiv(keys, FEWEST_TILES * tiles.keys());
        return Math.clamp(GROUPS * units / kvHeads, 1, maxSplits);
    }
}
