package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.MatrixForm;
import dev.heed.backend.opencl.device.MatrixTiles;
import dev.heed.backend.opencl.device.MatrixUnits;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import java.util.Optional;

/** Prefill on matrix units. Portable kernels compute the calls that matrix units do not support. */
public final class MatrixPrefill {
    private static final int ROW_ALIGNMENT = 8;
    private static final long MAX_ROW_STRIDE = 1L << 24;

    private final AttentionCall call;
    private final MatrixTiles tiles;

    public MatrixPrefill(AttentionCall call, MatrixTiles tiles) {
        this.call = call;
        this.tiles = tiles;
    }

    /**
     * {@return the kernel for a call; empty if the portable kernel must compute it} Matrix units compute f16, bf16 and, if the
     * caller allows TF32 and the device supports it, f32. The portable kernel computes calls with other types, with head
     * dimensions for which the table has no tiles, with pairwise scores other than the dot product, or with dropout. It also
     * computes calls whose kernel failed its self-check, and calls that request weights, because the second pass sums the
     * products of a score in another order than matrix units. Calls whose keys are cut into chunks do not use this class.
     */
    static Optional<MatrixPrefill> of(AttentionCall call) {
        Engine engine = call.scope.engine;
        MatrixUnits units = engine.matrix();
        if (units == null
                || !takes(call)
                || (call.query.type() == DType.F32 && !units.tf32Reasons(engine).isEmpty())) {
            return Optional.empty();
        }
        DType type = call.query.type();
        AttentionShape s = call.shape();
        return units.tiles(
                        engine.context.device(),
                        type == DType.F32 ? "prefill-tf32" : "prefill",
                        s.headDim(),
                        s.valueHeadDim())
                .filter(tiles -> {
                    MatrixForm form = call.forwardForm(tiles);
                    return units.isRight(
                            "prefill" + tiles.options() + form,
                            () -> engine.options.checks().prefill(engine, tiles, form));
                })
                .map(tiles -> new MatrixPrefill(call, tiles));
    }

    /** {@return whether matrix units support the forward pass of a call, prefill or decode, if the table has tiles for it} */
    static boolean takes(AttentionCall call) {
        return isTaken(call.query.type(), call.options.tf32())
                && call.key.type() == call.query.type()
                && call.value.type() == call.query.type()
                && call.options.dropout() == 0
                && !call.options.outputs().anyWeights()
                && isProduct(call);
    }

    private static boolean isTaken(DType type, boolean tf32) {
        return type == DType.F16 || type == DType.BF16 || (type == DType.F32 && tf32);
    }

    private static boolean isProduct(AttentionCall call) {
        return switch (call.options.score().pattern().kind()) {
            case DOT, SCALED_DOT, COSINE, GENERAL, LOCATION, CUSTOM -> true;
            case ADDITIVE, CONCAT, GAUSSIAN -> false;
        };
    }

    /** {@return the maximum bytes of the copies of queries, keys and values that {@link #aligned} makes} */
    public static long copies(AttentionShape s, DType type, boolean tf32) {
        long paddedHeadDim = padded(s.headDim());
        long rows = s.batch() * s.numHeads() * s.seqLenQ() * paddedHeadDim;
        long keys = s.batch() * s.numKvHeads() * s.seqLenKv() * (paddedHeadDim + padded(s.valueHeadDim()));
        return isTaken(type, tf32) ? (rows + keys) * type.bytes() : 0;
    }

    static long padded(long width) {
        return Math.ceilDiv(width, (long) ROW_ALIGNMENT) * ROW_ALIGNMENT;
    }

    public void run(DeviceTensor output, ForwardKernels.Statistics to) {
        CallScope scope = call.scope;
        DeviceTensor query = aligned(scope, call.query);
        DeviceTensor key = aligned(scope, call.key);
        DeviceTensor value = aligned(scope, call.value);
        AttentionCall alignedCall = call.on(query, key, value);
        AttentionShape s = call.shape();
        scope.launch(
                "nvidia/prefill_mma",
                alignedCall.variant()
                        + tiles.options()
                        + alignedCall.forwardForm(tiles).options()
                        + scope.engine.matrixOption(),
                "prefill_mma",
                WorkSize.groups(
                        s.batch()
                                * s.numHeads()
                                * Math.ceilDiv(s.seqLenQ(), tiles.rows())
                                * Math.ceilDiv(s.valueHeadDim(), tiles.dv()),
                        tiles.items()),
                alignedCall.struct(output, null, 0, 0),
                query.buffer(),
                key.buffer(),
                value.buffer(),
                output.buffer(),
                to.state(),
                to.rows().buffer(),
                alignedCall.mask.bands,
                alignedCall.mask.rows,
                alignedCall.maskTiles(),
                alignedCall.biasCells,
                alignedCall.slopes,
                alignedCall.sinks);
    }

    /**
     * {@return the rows, or a padded copy of them} A copy is needed if the rows do not begin at multiples of 8 elements, because
     * the kernel loads 16 bytes at a time, or if the distance between rows is 2^24 elements or more.
     */
    static DeviceTensor aligned(CallScope scope, DeviceTensor rows) {
        boolean isAligned = rows.at() % ROW_ALIGNMENT == 0;
        for (int axis = 0; axis < 3; axis++) {
            long stride = axis < 2 && rows.size(axis) == 1 ? 0 : rows.stride(axis);
            isAligned = isAligned && stride % ROW_ALIGNMENT == 0 && (axis < 2 || stride < MAX_ROW_STRIDE);
        }
        if (isAligned) {
            return rows;
        }
        long[] sizes = rows.shape();
        DeviceTensor padded = scope.allocate(rows.type(), sizes[0], sizes[1], sizes[2], padded(sizes[3]));
        DeviceTensor copy = padded.slice(3, 0, sizes[3]);
        scope.copy(rows, copy);
        return copy;
    }
}
